# The questions that every environment answers. The root folders link to this file, so that they
# can't drift apart; what only one of them needs is declared beside its main.tf.

variable "cluster_name" {
  description = "Name of the cluster, and first part of each machine's name."
  type        = string
  default     = "k3s"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.cluster_name))
    error_message = "cluster_name: lower-case letters, digits and '-', starting with a letter, at most 20 characters (machine names are host names)."
  }
}

variable "network_cidr" {
  description = "IPv4 network of the machines. Addresses are dealt out of it by role and number."
  type        = string

  validation {
    condition     = can(cidrhost(var.network_cidr, 0)) && can(regex("^[0-9.]+/(1[6-9]|2[0-4])$", var.network_cidr))
    error_message = "network_cidr: an IPv4 network with a prefix of 16 to 24, such as 10.20.0.0/24."
  }

  validation {
    condition     = try(cidrhost(var.network_cidr, 0) == split("/", var.network_cidr)[0], false)
    error_message = "network_cidr: the address must be the network's own (10.20.0.0/24, not 10.20.0.7/24)."
  }

  validation {
    condition     = !can(regex("^10\\.4[23]\\.", var.network_cidr))
    error_message = "network_cidr: 10.42.0.0/16 and 10.43.0.0/16 are k3s's own networks for pods and services."
  }
}

variable "template_id" {
  description = "Template that machines are cloned from: a Proxmox VM id, or the name of a simulated image."
  type        = string

  validation {
    condition     = can(regex("^([1-9][0-9]{2,8}|[a-z][a-z0-9-]*-[0-9a-f]{12})$", var.template_id))
    error_message = "template_id: a Proxmox VM id (100 to 999999999), or a name that ends in '-' and 12 hexadecimal digits."
  }
}

variable "control_plane_count" {
  description = "Machines of the control plane. An even number of etcd members is worse than one less."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 3, 5], var.control_plane_count)
    error_message = "control_plane_count: 1, 3 or 5."
  }
}

variable "worker_count" {
  description = "Workers. Adding one leaves the others as they are."
  type        = number
  default     = 2

  validation {
    condition     = var.worker_count >= 0 && var.worker_count <= 100 && floor(var.worker_count) == var.worker_count
    error_message = "worker_count: a whole number from 0 to 100."
  }
}

variable "gpu_worker_count" {
  description = "Workers with a GPU passed through."
  type        = number
  default     = 0

  validation {
    condition     = var.gpu_worker_count >= 0 && var.gpu_worker_count <= 8 && floor(var.gpu_worker_count) == var.gpu_worker_count
    error_message = "gpu_worker_count: a whole number from 0 to 8."
  }
}

variable "gpu_mapping" {
  description = "Proxmox resource mapping that GPU workers take their device from. Works with an API token; one mapping may hold several devices."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z][A-Za-z0-9_-]*)?$", var.gpu_mapping))
    error_message = "gpu_mapping: the name of a resource mapping (Datacenter > Resource Mappings), not a PCI address."
  }
}

variable "gpu_pci_addresses" {
  description = "Raw PCI addresses instead of a mapping, one for each GPU worker. The provider allows them only to root with a password, never to an API token."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for a in var.gpu_pci_addresses : can(regex("^([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}(\\.[0-7])?$", a))])
    error_message = "gpu_pci_addresses: PCI addresses such as 0000:01:00.0."
  }

  validation {
    condition     = length(distinct(var.gpu_pci_addresses)) == length(var.gpu_pci_addresses)
    error_message = "gpu_pci_addresses: each device can be given to one machine only."
  }

  validation {
    condition     = length(var.gpu_pci_addresses) == 0 || var.gpu_mapping == ""
    error_message = "gpu_pci_addresses: give either gpu_mapping or gpu_pci_addresses, not both."
  }

  validation {
    condition     = length(var.gpu_pci_addresses) == 0 || length(var.gpu_pci_addresses) == var.gpu_worker_count
    error_message = "gpu_pci_addresses: one address for each GPU worker (gpu_worker_count)."
  }

  validation {
    condition     = var.gpu_worker_count == 0 || var.gpu_mapping != "" || length(var.gpu_pci_addresses) > 0
    error_message = "gpu_worker_count: GPU workers need gpu_mapping (or, without an API token, gpu_pci_addresses)."
  }
}

variable "ssh_user" {
  description = "Account that cloud-init makes and ansible uses."
  type        = string
  default     = "ubuntu"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.ssh_user)) && var.ssh_user != "root"
    error_message = "ssh_user: an ordinary account name; cloud images refuse root over ssh."
  }
}

variable "ssh_public_keys" {
  description = "Public keys that may log in."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for k in var.ssh_public_keys : can(regex("^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh.com|sk-ecdsa-sha2-nistp256@openssh.com) [A-Za-z0-9+/=]{40,}( [^\\n]*)?$", k))])
    error_message = "ssh_public_keys: one line of OpenSSH public key each (ssh-ed25519 AAAA… comment), never a private key."
  }
}

variable "machine_size" {
  description = "Cores, memory and disk by role."
  type = map(object({
    cores     = number
    memory_mb = number
    disk_gb   = number
  }))
  default = {
    control_plane = { cores = 2, memory_mb = 4096, disk_gb = 32 }
    workers       = { cores = 4, memory_mb = 8192, disk_gb = 64 }
    gpu_workers   = { cores = 8, memory_mb = 32768, disk_gb = 128 }
  }

  validation {
    condition     = toset(keys(var.machine_size)) == toset(["control_plane", "workers", "gpu_workers"])
    error_message = "machine_size: exactly the roles control_plane, workers and gpu_workers."
  }

  validation {
    condition     = alltrue([for s in values(var.machine_size) : s.cores >= 1 && s.memory_mb >= 1024 && s.disk_gb >= 8])
    error_message = "machine_size: at least 1 core, 1024 MB of memory and 8 GB of disk."
  }
}
