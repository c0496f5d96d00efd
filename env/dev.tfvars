# What terraform needs to know of your Proxmox host. Addresses here are of a range that is nobody's:
# replace them.
proxmox_endpoint  = "https://192.0.2.1:8006/"
proxmox_insecure  = false
proxmox_node      = "pve"
proxmox_datastore = "local-lvm"
proxmox_bridge    = "vmbr0"
network_cidr      = "192.0.2.0/24"
gateway           = "192.0.2.1"
ssh_user          = "ubuntu"
ssh_public_keys   = [] # at least one, or nobody can log in

# With an API token, GPU workers take their device from a resource mapping.
# gpu_mapping = "gpu"
