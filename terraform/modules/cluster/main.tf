# Who is in the cluster: names and addresses, and nothing else. It touches no provider, so that a
# simulated and a real cluster are laid out by the same lines.

terraform {
  required_version = ">= 1.9"
}

locals {
  # Where each role's addresses begin in the network. A machine's address follows from its own
  # number alone, so a further worker moves nobody.
  layout = {
    control_plane = { count = var.control_plane_count, label = "cp", first_host = 10 }
    workers       = { count = var.worker_count, label = "worker", first_host = 20 }
    gpu_workers   = { count = var.gpu_worker_count, label = "gpu", first_host = 200 }
  }
  prefix = split("/", var.network_cidr)[1]

  machines = merge([
    for role, l in local.layout : {
      for n in range(1, l.count + 1) : format("%s-%s-%02d", var.cluster_name, l.label, n) => {
        name    = format("%s-%s-%02d", var.cluster_name, l.label, n)
        role    = role
        number  = n
        ip      = cidrhost(var.network_cidr, l.first_host + n)
        address = "${cidrhost(var.network_cidr, l.first_host + n)}/${local.prefix}"
        size    = var.machine_size[role]
      }
    }
  ]...)
}
