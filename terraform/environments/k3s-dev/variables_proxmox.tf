variable "proxmox_endpoint" {
  description = "URL of the Proxmox API."
  type        = string

  validation {
    condition     = can(regex("^https://[^/ ]+/?$", var.proxmox_endpoint))
    error_message = "proxmox_endpoint: https://HOST:8006/ without a path; the provider refuses plain http."
  }
}

variable "proxmox_insecure" {
  description = "Accept a certificate that can't be verified, such as the one a new host signs for itself."
  type        = bool
  default     = false
}

variable "proxmox_node" {
  description = "Node that machines live on."
  type        = string
  default     = "pve"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*$", var.proxmox_node))
    error_message = "proxmox_node: the node's name as the Proxmox tree shows it."
  }
}

variable "proxmox_datastore" {
  description = "Storage for disks and cloud-init drives."
  type        = string
  default     = "local-lvm"
}

variable "proxmox_bridge" {
  description = "Bridge that machines are attached to."
  type        = string
  default     = "vmbr0"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_.]{0,14}$", var.proxmox_bridge))
    error_message = "proxmox_bridge: the name of a Linux bridge or SDN vnet, such as vmbr0."
  }
}

variable "proxmox_vlan_id" {
  description = "VLAN tag, if any."
  type        = number
  default     = null

  validation {
    condition     = var.proxmox_vlan_id == null ? true : var.proxmox_vlan_id >= 1 && var.proxmox_vlan_id <= 4094
    error_message = "proxmox_vlan_id: 1 to 4094, or null for none."
  }
}

variable "gateway" {
  description = "Default route of the machines."
  type        = string

  validation {
    condition     = can(cidrhost("${var.gateway}/32", 0))
    error_message = "gateway: an IPv4 address."
  }

  validation {
    condition     = try(cidrhost("${var.gateway}/${split("/", var.network_cidr)[1]}", 0) == cidrhost(var.network_cidr, 0), false)
    error_message = "gateway: it must lie in network_cidr."
  }
}

variable "dns_servers" {
  description = "Resolvers; empty: those of the Proxmox host."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for s in var.dns_servers : can(cidrhost("${s}/32", 0))])
    error_message = "dns_servers: IPv4 addresses."
  }
}
