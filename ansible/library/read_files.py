#!/usr/bin/python
"""Reads a list of small text files in one go: one start of a program instead of one for each file."""

DOCUMENTATION = r"""
module: read_files
short_description: Read a list of small text files in one go
description:
  - Returns C(text), a dictionary of content by path, and C(mode), of modes by path.
  - Fails with the names of all files that are missing.
options:
  root:
    description: Put before each path.
    type: str
    default: ""
  paths:
    description: Absolute paths.
    type: list
    elements: path
    required: true
"""

import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "str", "default": ""},
            "paths": {"type": "list", "elements": "path", "required": True},
        },
        supports_check_mode=True,
    )
    text, mode, missing = {}, {}, []
    for path in module.params["paths"]:
        try:
            with open(module.params["root"] + path, encoding="utf-8") as handle:
                text[path] = handle.read()
                mode[path] = "%04o" % (os.fstat(handle.fileno()).st_mode & 0o7777)
        except (OSError, ValueError) as error:
            missing.append("%s (%s)" % (path, getattr(error, "strerror", None) or error))
    if missing:
        module.fail_json(msg="can't read " + ", ".join(missing))
    module.exit_json(changed=False, text=text, mode=mode)


if __name__ == "__main__":
    main()
