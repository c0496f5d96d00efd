# The environment `local`: simulated machines, built-in resources only, so it initialises with no
# network. Only this file differs from k3s-dev.

terraform {
  required_version = ">= 1.9"
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
  source          = "../../modules/vm_sim"
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
  source          = "../../modules/gpu_sim"
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
  # `local` itself is in the default workspace; environments that simulate machines too have one of their own.
  environment = terraform.workspace == "default" ? "local" : terraform.workspace

  # Relative, so that the state doesn't know where the project lies.
  placement = { hosts_dir = "../../../build/${local.environment}/hosts" }

  machines = merge(
    { for name, m in module.cluster.plain : name => merge(m, { id = module.vm[name].id, ip = module.vm[name].ip }) },
    { for name, m in module.cluster.gpu : name => merge(m, { id = module.gpu[name].id, ip = module.gpu[name].ip }) },
  )

  ansible_vars = {
    infra_env          = local.environment
    simulated          = true
    ansible_connection = "local"
  }
}
