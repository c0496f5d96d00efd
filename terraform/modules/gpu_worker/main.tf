# An Ubuntu 22.04 machine with a GPU passed through.

terraform {
  required_version = ">= 1.9"

  # Its version is pinned once, in the root folder.
  required_providers {
    proxmox = {
      source = "bpg/proxmox"
    }
  }
}

resource "proxmox_virtual_environment_vm" "vm" {
  name      = var.name
  node_name = var.placement.node_name
  tags      = sort(concat(var.tags, ["gpu"]))

  # Passing a PCI Express device through needs this board and UEFI.
  machine = "q35"
  bios    = "ovmf"

  efi_disk {
    datastore_id = var.placement.datastore_id
    type         = "4m"
    # Enrolled keys turn on Secure Boot, which refuses the unsigned modules of NVIDIA's driver.
    pre_enrolled_keys = false
  }

  hostpci {
    device = "hostpci0"
    # The provider allows `id` only to root with a password, never to an API token.
    mapping = var.gpu.mapping != "" ? var.gpu.mapping : null
    id      = var.gpu.pci_address != "" ? var.gpu.pci_address : null
    pcie    = true
  }

  # Proxmox stops what does not answer: a machine whose guest agent hangs must not hang destroy.
  stop_on_destroy = true

  clone {
    vm_id        = tonumber(var.template_id)
    datastore_id = var.placement.datastore_id
    full         = true
    # Proxmox refuses a clone while it makes another of the same template.
    retries = 3
  }

  # The template has the guest agent (scripts/prepare_template.sh); without one, this waits in vain.
  agent {
    enabled = true
    timeout = "5m"
  }

  cpu {
    cores = var.size.cores
    type  = "host"
  }

  memory {
    dedicated = var.size.memory_mb
  }

  disk {
    datastore_id = var.placement.datastore_id
    interface    = "scsi0"
    size         = var.size.disk_gb
    discard      = "on"
  }

  network_device {
    bridge  = var.placement.bridge
    vlan_id = var.placement.vlan_id
  }

  initialization {
    datastore_id = var.placement.datastore_id

    dns {
      servers = var.placement.dns_servers
    }

    ip_config {
      ipv4 {
        address = var.address
        gateway = var.placement.gateway
      }
    }

    user_account {
      username = var.ssh_user
      keys     = var.ssh_public_keys
    }
  }

  operating_system {
    type = "l26"
  }

  serial_device {}
}
