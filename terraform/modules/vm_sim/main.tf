# A machine without a hypervisor. It has what the pipeline can tell of a real one: an id that is new
# whenever the machine is, an address, and a disk (a folder) that is gone when the machine is.

terraform {
  required_version = ">= 1.9"
}

resource "terraform_data" "vm" {
  # What can only be had by making the machine anew; the rest is changed in place.
  triggers_replace = {
    name        = var.name
    template_id = var.template_id
  }

  input = {
    name            = var.name
    address         = var.address
    size            = var.size
    ssh_user        = var.ssh_user
    ssh_public_keys = var.ssh_public_keys
    tags            = var.tags
    disk            = "${var.placement.hosts_dir}/${var.name}"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "rm -rf -- \"$DISK\""
    environment = {
      DISK = self.output.disk
    }
  }
}
