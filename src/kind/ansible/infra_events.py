"""Writes what a play did as JSON lines, one event a line, to the file named by INFRA_ANSIBLE_EVENTS.

It holds names, states and the message of a failure; never a task's output, and nothing of a task
with `no_log`. Without the variable it does nothing.
"""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: infra_events
    type: aggregate
    short_description: events of a play as JSON lines
    description: Writes the outcome of each task on each host, and the final counts, to a file.
"""

LONGEST_MESSAGE = 2000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "infra_events"
    # Enabled by lying in the plugin path, so that the user's own list of callbacks stays in force.
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = os.environ.get("INFRA_ANSIBLE_EVENTS")
        self._file = open(path, "a", buffering=1, encoding="utf-8") if path else None

    def _tell(self, event, **fields):
        if self._file is not None:
            fields["event"] = event
            self._file.write(json.dumps(fields, default=str, sort_keys=True) + "\n")

    def _result(self, result, status, **fields):
        # Public names came with ansible-core 2.19, the others are older.
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        data = getattr(result, "result", None) or result._result
        if status == "ok" and data.get("changed"):
            status = "changed"
        if status in ("failed", "unreachable"):
            fields["message"] = message(task, data)
            fields["place"] = task.get_path()
        if status in ("failed", "unreachable", "changed"):
            self._tell("result", host=host.get_name(), task=task.get_name(), status=status, **fields)

    def v2_runner_on_ok(self, result):
        self._result(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result, "failed", ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self._result(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._tell("stats", hosts=hosts, custom=stats.custom)


def message(task, data):
    """The message of a failure, unless the task hides it."""
    if getattr(task, "no_log", False) or data.get("_ansible_no_log") or "censored" in data:
        return "hidden by `no_log`"
    text = data.get("msg") or data.get("stderr") or data.get("module_stderr") or ""
    text = text if isinstance(text, str) else json.dumps(text, default=str)
    items = [item for item in data.get("results", []) if isinstance(item, dict) and item.get("failed")]
    if items and items[0].get("msg") and not items[0].get("_ansible_no_log"):
        text = f"{text}: {items[0]['msg']}"
    if data.get("msg") == "non-zero return code" and data.get("stderr"):
        text = f"{text}: {data['stderr']}"
    return text[:LONGEST_MESSAGE]
