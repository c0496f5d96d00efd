output "id" {
  description = "Identity of the machine: another one after a replacement."
  value       = terraform_data.vm.id
}

output "ip" {
  description = "IPv4 address without prefix length."
  value       = split("/", terraform_data.vm.output.address)[0]
}
