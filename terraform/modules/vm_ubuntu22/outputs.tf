output "id" {
  description = "Identity of the machine."
  value       = proxmox_virtual_environment_vm.vm.id
}

output "ip" {
  description = "IPv4 address without prefix length."
  value       = split("/", proxmox_virtual_environment_vm.vm.initialization[0].ip_config[0].ipv4[0].address)[0]
}
