# A range that is reserved for documentation: nothing can answer there.
network_cidr = "192.0.2.0/24"
gpu_mapping  = "simulated"
