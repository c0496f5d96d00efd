# A simulated machine with a GPU: a simulated machine that remembers which device it was given.

terraform {
  required_version = ">= 1.9"
}

module "vm" {
  source          = "../vm_sim"
  name            = var.name
  template_id     = var.template_id
  address         = var.address
  size            = var.size
  ssh_user        = var.ssh_user
  ssh_public_keys = var.ssh_public_keys
  tags            = concat(var.tags, ["gpu"])
  placement       = var.placement
}

resource "terraform_data" "gpu" {
  input = var.gpu
}
