output "id" {
  description = "Identity of the machine: another one after a replacement."
  value       = module.vm.id
}

output "ip" {
  description = "IPv4 address without prefix length."
  value       = module.vm.ip
}
