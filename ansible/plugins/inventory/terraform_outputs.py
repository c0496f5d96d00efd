"""Inventory out of terraform's outputs, for people who call ansible by hand."""

DOCUMENTATION = r"""
name: terraform_outputs
short_description: Hosts, groups and variables from the outputs of a terraform root folder
description:
  - Reads the output C(ansible_inventory) and compares it with the lists of addresses beside it.
  - Fails when there is nothing to read. An empty inventory would let a playbook succeed on no host.
options:
  plugin:
    description: This plugin.
    required: true
    choices: [terraform_outputs]
  root:
    description:
      - Root folder of terraform, relative to this file. C(terraform output -json) is asked there.
      - The environment variable C(INFRA_TERRAFORM_ROOT) overrules it.
    type: str
  state:
    description: A state file to read instead, relative to this file. No terraform is needed.
    type: str
  binary:
    description: Program to ask.
    type: str
    default: terraform
"""

import json
import os
import subprocess

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

GROUPS = {
    "control_plane": "control_plane_ips",
    "workers": "worker_ips",
    "gpu_workers": "gpu_worker_ips",
}


class InventoryModule(BaseInventoryPlugin):
    NAME = "terraform_outputs"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        source, outputs = self._outputs(os.path.dirname(os.path.abspath(path)))
        if not outputs:
            raise AnsibleParserError(
                "%s has no outputs: nothing is provisioned there. Run `infra run provision` first." % source
            )
        missing = [name for name in ["ansible_inventory", *GROUPS.values()] if name not in outputs]
        if missing:
            raise AnsibleParserError("%s lacks the outputs %s." % (source, ", ".join(missing)))

        described = outputs["ansible_inventory"]["value"]
        for name, value in described["vars"].items():
            self.inventory.set_variable("all", name, value)
        for group, ips in GROUPS.items():
            machines = described["groups"][group]
            if [machine["ip"] for machine in machines] != outputs[ips]["value"]:
                raise AnsibleParserError("%s: ansible_inventory and %s disagree about %s." % (source, ips, group))
            self.inventory.add_group(group)
            for machine in machines:
                self.inventory.add_host(machine["name"], group=group)
                self.inventory.set_variable(machine["name"], "ansible_host", machine["ip"])
                self.inventory.set_variable(machine["name"], "node_ip", machine["ip"])
                self.inventory.set_variable(machine["name"], "machine_id", machine["id"])
        if not described["groups"]["control_plane"]:
            raise AnsibleParserError("%s lists no control plane." % source)

    def _outputs(self, here):
        """Where outputs were read, and name => {"value": …}."""
        state = self.get_option("state")
        root = os.environ.get("INFRA_TERRAFORM_ROOT") or self.get_option("root")
        if state:
            path = os.path.normpath(os.path.join(here, state))
            try:
                with open(path, encoding="utf-8") as handle:
                    return path, json.load(handle).get("outputs", {})
            except (OSError, ValueError) as error:
                raise AnsibleParserError("can't read the state %s: %s" % (path, error)) from error
        if not root:
            raise AnsibleParserError("give `root` (a root folder of terraform) or `state` (a state file).")
        folder = os.path.normpath(os.path.join(here, root))
        try:
            done = subprocess.run(
                [self.get_option("binary"), "output", "-json", "-no-color"],
                cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AnsibleParserError("can't ask terraform in %s: %s" % (folder, error)) from error
        if done.returncode != 0:
            raise AnsibleParserError("terraform output in %s failed: %s" % (folder, done.stderr.strip()))
        try:
            return folder, json.loads(done.stdout)
        except ValueError as error:
            raise AnsibleParserError("terraform output in %s gave no JSON: %s" % (folder, error)) from error
