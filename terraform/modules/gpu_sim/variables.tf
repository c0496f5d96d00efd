# The interface of a GPU machine: the same in gpu_worker. Only `placement` differs, which says where
# the machine lives.

variable "name" {
  description = "Host name."
  type        = string
}

variable "template_id" {
  description = "Image that the machine is made from. Another image is another machine."
  type        = string
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
  description = "Folder, relative to the root folder, in which simulated machines have their disks."
  type = object({
    hosts_dir = string
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
