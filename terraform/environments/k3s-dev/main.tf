# The environment `dev`: real machines on one Proxmox host.

terraform {
  required_version = ">= 1.9"

  # The one place that pins the provider.
  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "~> 0.111.1"
    }
  }
}

# Credentials come from the environment: PROXMOX_VE_API_TOKEN, or PROXMOX_VE_USERNAME and
# PROXMOX_VE_PASSWORD where raw PCI addresses are used.
provider "proxmox" {
  endpoint = var.proxmox_endpoint
  insecure = var.proxmox_insecure
}

module "cluster" {
  source              = "../../modules/cluster"
  cluster_name        = var.cluster_name
  network_cidr        = var.network_cidr
  control_plane_count = var.control_plane_count
  worker_count        = var.worker_count
  gpu_worker_count    = var.gpu_worker_count
  machine_size        = var.machine_size
}

module "vm" {
  source          = "../../modules/vm_ubuntu22"
  for_each        = module.cluster.plain
  name            = each.key
  template_id     = var.template_id
  address         = each.value.address
  size            = each.value.size
  ssh_user        = var.ssh_user
  ssh_public_keys = var.ssh_public_keys
  tags            = [var.cluster_name, each.value.role]
  placement       = local.placement
}

module "gpu" {
  source          = "../../modules/gpu_worker"
  for_each        = module.cluster.gpu
  name            = each.key
  template_id     = var.template_id
  address         = each.value.address
  size            = each.value.size
  ssh_user        = var.ssh_user
  ssh_public_keys = var.ssh_public_keys
  tags            = [var.cluster_name, each.value.role]
  placement       = local.placement
  gpu = {
    mapping     = var.gpu_mapping
    pci_address = try(var.gpu_pci_addresses[each.value.number - 1], "")
  }
}

locals {
  placement = {
    node_name    = var.proxmox_node
    datastore_id = var.proxmox_datastore
    bridge       = var.proxmox_bridge
    vlan_id      = var.proxmox_vlan_id
    gateway      = var.gateway
    dns_servers  = var.dns_servers
  }

  machines = merge(
    { for name, m in module.cluster.plain : name => merge(m, { id = module.vm[name].id, ip = module.vm[name].ip }) },
    { for name, m in module.cluster.gpu : name => merge(m, { id = module.gpu[name].id, ip = module.gpu[name].ip }) },
  )

  ansible_vars = {
    infra_env    = "dev"
    simulated    = false
    ansible_user = var.ssh_user
  }
}
