#!/usr/bin/python
"""Writes a list of small files in one go.

ansible.builtin.template starts two or three programs on the machine for each file. A node has nine
files, so most of a run would be starting programs. This module starts once.
"""

DOCUMENTATION = r"""
module: write_files
short_description: Write a list of small files in one go
description:
  - Writes each file whose content or mode differs, atomically, and makes missing folders.
  - Supports check mode, and diff mode for files without C(secret).
options:
  root:
    description: Put before each path.
    type: str
    default: ""
  files:
    description: The files, each with an absolute C(path), C(content), C(mode) and C(secret).
    type: list
    elements: dict
    required: true
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "str", "default": ""},
            "files": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "path": {"type": "path", "required": True},
                    "content": {"type": "str", "required": True},
                    "mode": {"type": "str", "default": "0644"},
                    "secret": {"type": "bool", "default": False},
                },
            },
        },
        supports_check_mode=True,
    )
    written, diff = [], []
    for file in module.params["files"]:
        if not file["path"].startswith("/"):
            module.fail_json(msg="not an absolute path: %s" % file["path"])
        path = module.params["root"] + file["path"]
        mode = int(file["mode"], 8)
        after = file["content"].encode()
        before = present(path)
        if before == (after, mode):
            continue
        written.append(file["path"])
        if not file["secret"]:
            old = before[0].decode(errors="replace") if before else ""
            diff.append({"before_header": path, "before": old, "after_header": path, "after": file["content"]})
        if not module.check_mode:
            try:
                write(path, after, mode)
            except OSError as error:
                module.fail_json(msg="can't write %s: %s" % (path, error), written=written)
    module.exit_json(changed=bool(written), written=written, diff=diff)


def present(path):
    """Content and mode of a regular file; None of anything else."""
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return None
        with open(path, "rb") as handle:
            return handle.read(), os.fstat(handle.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        return None


def write(path, content, mode):
    """Under another name first, so that a reader sees the old file or the new one, never half."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".write_files-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


if __name__ == "__main__":
    main()
