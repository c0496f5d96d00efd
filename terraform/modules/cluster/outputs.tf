output "plain" {
  description = "Machines without a GPU: name => { name, role, number, ip, address, size }."
  value       = { for name, m in local.machines : name => m if m.role != "gpu_workers" }
}

output "gpu" {
  description = "Machines with a GPU, of the same form."
  value       = { for name, m in local.machines : name => m if m.role == "gpu_workers" }
}
