# What every environment tells: the root folders link to this file.
# local.machines is name => { name, role, number, ip, id }; local.ansible_vars is the environment's own.

output "control_plane_ips" {
  description = "Addresses of the control plane, in order of number."
  value       = [for m in local.by_role.control_plane : m.ip]
}

output "worker_ips" {
  description = "Addresses of the workers, in order of number."
  value       = [for m in local.by_role.workers : m.ip]
}

output "gpu_worker_ips" {
  description = "Addresses of the GPU workers, in order of number."
  value       = [for m in local.by_role.gpu_workers : m.ip]
}

output "ansible_inventory" {
  description = "All that an inventory needs: variables of the environment, and the machines of each group."
  value = {
    vars   = local.ansible_vars
    groups = local.by_role
  }
}

locals {
  roles = ["control_plane", "workers", "gpu_workers"]
  by_role = {
    for role in local.roles : role => [
      for n in sort([for m in values(local.machines) : format("%03d %s", m.number, m.name) if m.role == role]) :
      { for k, v in local.machines[split(" ", n)[1]] : k => v if contains(["name", "ip", "id"], k) }
    ]
  }
}
