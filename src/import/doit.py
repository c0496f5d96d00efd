# Prints the tasks of a dodo file as JSON: doit's own loader finds them, no action is run.
import inspect
import json
import sys

from doit import loader
from doit.action import CmdAction, PythonAction
from doit.tools import run_once

path = sys.argv[1]
real, sys.stdout = sys.stdout, sys.stderr
module = loader.get_module(path)
members = dict(inspect.getmembers(module))
tasks = loader.load_tasks(members)
config = loader.load_doit_config(members)


def command(task, action):
    lost = ["what is kept of its output (`save_out`)"] if action.save_out else []
    text = action.expand_action()
    if isinstance(text, list):
        text = " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in text)
    folder = getattr(action, "pkwargs", {}).get("cwd")
    return {"shell": f"cd '{folder}' && {text}" if folder else text, "lost": lost}


def python(task, action):
    function, name = action.py_callable, getattr(action.py_callable, "__name__", "?")
    if getattr(module, name, None) is not function:
        return {"reason": f"the python action `{name}` is no function of the dodo file that can be called by name"}
    words = dict(action.kwargs)
    known = inspect.signature(function).parameters
    for special, value in (("targets", list(task.targets)), ("dependencies", sorted(task.file_dep))):
        if special in known:
            words[special] = value
    if "task" in known or "changed" in known:
        return {"reason": f"the python action `{name}` asks doit for `task` or `changed`"}
    call = ", ".join([repr(one) for one in action.args] + [f"{key}={value!r}" for key, value in words.items()])
    try:
        compile(f"f({call})", "call", "eval")
    except SyntaxError:
        return {"reason": f"the python action `{name}` gets something that can't be written down"}
    return {"python": f"{name}({call})", "lost": []}


def told(task):
    one = {
        "name": task.name, "doc": task.doc, "task_dep": list(task.task_dep) + list(task.setup_tasks),
        "file_dep": sorted(str(path) for path in task.file_dep), "targets": [str(path) for path in task.targets],
        "wild_dep": list(task.wild_dep), "group": task.has_subtask, "lost": [], "actions": [], "always": False, "status": [],
    }
    if task.loader is not None:
        return {**one, "reason": "doit makes it only while it runs (`create_after`)"}
    task.init_options()
    # A set, whose order differs from start to start.
    task.file_dep = one["file_dep"]
    for key, words in (("getargs", "values of other tasks (`getargs`)"), ("calc_dep", "`calc_dep`"), ("teardown", "`teardown`"),
                       ("params", "its parameters: their defaults stand here"), ("watch", "`watch`")):
        if getattr(task, key, None):
            one["lost"].append(words)
    if task._remove_targets or task.clean_actions:
        one["lost"].append("how it is cleaned: `undo` says how a task is taken back")
    for kind, *_ in task.uptodate:
        if kind is False:
            one["always"] = True
        elif isinstance(kind, str):
            one["status"].append(kind)
        elif kind is not True and kind is not None and kind is not run_once:
            one["lost"].append(f"`uptodate` by `{getattr(kind, '__name__', type(kind).__name__)}`")
    if not task.file_dep and not any(kind is not None for kind, *_ in task.uptodate):
        one["always"] = True
    for action in task.actions:
        if isinstance(action, CmdAction) and action.shell is not None:
            one["actions"].append(command(task, action))
        elif isinstance(action, PythonAction):
            one["actions"].append(python(task, action))
        else:
            one["actions"].append({"reason": f"an action of {type(action).__name__}"})
    return one


def safe(task):
    try:
        return told(task)
    except Exception as error:
        return {"name": task.name, "reason": f"{type(error).__name__}: {error}"}


default = config.get("default_tasks")
json.dump({"tasks": [safe(task) for task in tasks], "default": default, "module": module.__name__}, real, default=str)
