# The interface of a GPU machine: the same in gpu_sim. Only `placement` differs, which says where
# the machine lives.

variable "name" {
  description = "Host name."
  type        = string
}

variable "template_id" {
  description = "VM id of the template that the machine is cloned from. Another template is another machine."
  type        = string

  validation {
    condition     = can(tonumber(var.template_id))
    error_message = "template_id: Proxmox clones by VM id, a number."
  }
}

variable "address" {
  description = "IPv4 address with prefix length."
  type        = string

  validation {
    condition     = can(cidrhost(var.address, 0))
    error_message = "address: an IPv4 address with a prefix length, such as 10.20.0.11/24."
  }
}

variable "size" {
  description = "Cores, memory and disk."
  type = object({
    cores     = number
    memory_mb = number
    disk_gb   = number
  })
}

variable "ssh_user" {
  description = "Account that cloud-init makes."
  type        = string
}

variable "ssh_public_keys" {
  description = "Public keys that may log in."
  type        = list(string)
}

variable "tags" {
  description = "Labels of the machine."
  type        = list(string)
  default     = []
}

variable "placement" {
  description = "Where on the Proxmox host machines live."
  type = object({
    node_name    = string
    datastore_id = string
    bridge       = string
    vlan_id      = optional(number)
    gateway      = string
    dns_servers  = optional(list(string), [])
  })
}

variable "gpu" {
  description = "The device: a resource mapping, or a raw PCI address."
  type = object({
    mapping     = optional(string, "")
    pci_address = optional(string, "")
  })

  validation {
    condition     = (var.gpu.mapping == "") != (var.gpu.pci_address == "")
    error_message = "gpu: exactly one of mapping and pci_address."
  }
}
