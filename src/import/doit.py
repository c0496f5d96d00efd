# Prints the tasks of a dodo file as JSON: doit's own loader finds them, no action is run.
import fnmatch
import inspect
import json
import os
import re
import sys

from doit import doit_cmd, loader
from doit.action import CmdAction, PythonAction
from doit.tools import run_once

path, root = sys.argv[1:]
real, sys.stdout = sys.stdout, sys.stderr
# As doit does before it loads anything; what the file sets itself is no variable of the command line.
doit_cmd.reset_vars()
module = loader.get_module(path)
members = dict(inspect.getmembers(module))
tasks = loader.load_tasks(members, allow_delayed=True)
config = loader.load_doit_config(members)
CmdAction.STRING_FORMAT = config.get("action_string_formatting", CmdAction.STRING_FORMAT)


def command(task, action):
    lost = ["what is kept of its output (`save_out`)"] if action.save_out else []
    if not isinstance(action._action, (str, list)):
        return {"reason": "a function of the dodo file makes its command when it runs"}
    text = action.expand_action()
    if isinstance(text, list):
        text = " ".join(quoted(word) for word in text)
    settings = dict(action.pkwargs)
    folder, env = settings.pop("cwd", None), settings.pop("env", None)
    if settings:
        lost.append("how it is started: " + ", ".join(f"`{name}`" for name in sorted(settings)))
    before = [f"cd {quoted(inside(folder))} || exit 1"] if folder else []
    before += [f"export {key}={quoted(value)}" for key, value in (env or {}).items() if os.environ.get(key) != value]
    return {"shell": "\n".join([*before, text]), "lost": lost}


def quoted(word):
    if "${INFRA_ENV_" in str(word):
        return '"' + re.sub(r'([\\"`]|\$(?!\{INFRA_ENV_))', r"\\\1", str(word)) + '"'
    return "'" + str(word).replace("'", "'\\''") + "'"


def inside(path):
    path = str(path)
    return os.path.relpath(path) if os.path.isabs(path) and os.path.commonpath([path, root]) == root else path


def python(task, action):
    function, name = action.py_callable, getattr(action.py_callable, "__name__", "?")
    if getattr(module, name, None) is not function:
        return {"reason": f"the python action `{name}` is no function of the dodo file that can be called by name"}
    words = dict(action.kwargs)
    signature = inspect.signature(function)
    known, bound = signature.parameters, signature.bind_partial(*action.args).arguments
    words.update({key: value for key, value in task.options.items() if key in known and key not in bound})
    if task.pos_arg in known and task.pos_arg not in bound:
        words[task.pos_arg] = []
    for special, value in (("targets", list(task.targets)), ("dependencies", sorted(task.file_dep))):
        if special in known and special not in bound:
            words[special] = value
    if "task" in known or "changed" in known:
        return {"reason": f"the python action `{name}` asks doit for `task` or `changed`"}
    plain = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for key, one in known.items():
        if one.default is one.empty and one.kind not in plain and key not in bound and key not in words:
            source = " from another task (`getargs`)" if key in task.getargs else ""
            return {"reason": f"the python action `{name}` gets `{key}`{source} only while doit runs"}
    call = ", ".join([repr(one) for one in action.args] + [f"{key}={value!r}" for key, value in words.items()])
    try:
        compile(f"f({call})", "call", "eval")
    except SyntaxError:
        return {"reason": f"the python action `{name}` gets something that can't be written down"}
    return {"python": f"{name}({call})", "lost": []}


def matched(task):
    names = [name for pattern in task.wild_dep for name in fnmatch.filter([one.name for one in tasks], pattern)]
    return [name for name in names if name != task.name]


def told(task):
    one = {
        "name": task.name, "doc": task.doc, "task_dep": list(task.task_dep) + matched(task) + list(task.setup_tasks),
        "file_dep": sorted(inside(path) for path in task.file_dep), "targets": [inside(path) for path in task.targets],
        "interactive": any(type(action).__name__ == "Interactive" for action in task.actions), "group": task.has_subtask, "lost": [], "actions": [], "always": False, "status": [],
    }
    if task.loader is not None:
        first = f", once `{task.loader.task_dep}` is done" if task.loader.task_dep else ""
        return {**one, "reason": f"doit makes its tasks only while it runs{first} (`create_after`)"}
    task.init_options()
    if task.pos_arg is not None:
        task.pos_arg_val = []
    task.targets = one["targets"]
    # A set, whose order differs from start to start.
    task.file_dep = one["file_dep"]
    for key, words in (("getargs", "values of other tasks (`getargs`)"), ("calc_dep", "`calc_dep`"), ("teardown", "`teardown`"),
                       ("params", "its parameters: their defaults stand here"), ("creator_params", "parameters of the function that makes it (`task_params`): their defaults stand here"),
                       ("watch", "`watch`"), ("pos_arg", "`pos_arg`: a task takes no arguments; there are none here")):
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
    except KeyError as error:
        return {"name": task.name, "reason": f"its command names `%({error.args[0]})s`, which doit knows only when it runs"}
    except Exception as error:
        return {"name": task.name, "reason": f"{type(error).__name__}: {error}"}


default = config.get("default_tasks")
json.dump({"tasks": [safe(task) for task in tasks], "default": default, "module": module.__name__,
           "vars": "get_var" in open(path, encoding="utf-8").read()}, real, default=str)
