# Validated where people write them: terraform/environments/shared/variables.tf.

variable "cluster_name" {
  description = "First part of each machine's name."
  type        = string
}

variable "network_cidr" {
  description = "IPv4 network of the machines."
  type        = string
}

variable "control_plane_count" {
  description = "Machines of the control plane."
  type        = number
}

variable "worker_count" {
  description = "Workers."
  type        = number
}

variable "gpu_worker_count" {
  description = "Workers with a GPU."
  type        = number
}

variable "machine_size" {
  description = "Cores, memory and disk by role."
  type = map(object({
    cores     = number
    memory_mb = number
    disk_gb   = number
  }))
}
