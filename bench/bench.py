#!/usr/bin/env python3
"""Times infra beside make, ninja, doit and Task on generated tasks, as ratios.

    bench/bench.py [--sizes 1000 10000] [--runs 5] [--full-runs 3] [--jobs 2] [--write docs/benchmarks.md]

Every tool gets the same graph: N tasks in ten layers, chains of ten. Task I reads in/I.txt of its own and
what the task before it in its chain wrote, and writes out/I.txt, by one `sh` that runs one `cat`. Before any
time counts, each tool must rerun exactly what it must after a null run, an edit and a touch; outputs must be
right, byte for byte. Repetitions are interleaved, so that a slow minute of the machine is everybody's.

peers: make (with and without its built-in rules) from the system; ninja and doit in .tools/bench,
Task in .tools/import. (just looks at nothing: it runs all recipes each time.)
"""

import argparse
import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".tools" / "bench" / "bin"
TASK = ROOT / ".tools" / "import" / "bin" / "task"
LAYERS = 10


# ---- the graph


def before(i, n):
    """The task before I in its chain; None for the first."""
    width = n // LAYERS
    return i - width if i >= width else None


def chain(i, n):
    """I and all that follows it."""
    return set(range(i, n, n // LAYERS))


def sources(i, n):
    earlier = before(i, n)
    own = f"in/{i}.txt"
    return [own] if earlier is None else [own, f"out/{earlier}.txt"]


def command(i, n):
    return f"cat {' '.join(sources(i, n))} > out/{i}.txt"


# ---- the tools


class Tool:
    """One tool in a folder of its own. `rereads`: whether it looks at contents, not only at times."""

    name = ""
    rereads = False
    # Larger graphs take it too long to be waited for.
    most = float("inf")

    def __init__(self, folder, n, jobs):
        self.folder, self.n, self.jobs = folder, n, jobs
        self.trash, self.thrown = folder.with_name(folder.name + "-trash"), 0
        self.trash.mkdir(parents=True)
        (folder / "in").mkdir(parents=True)
        (folder / "out").mkdir()
        for i in range(n):
            (folder / "in" / f"{i}.txt").write_text(f"{i}\n")
        self.declare()

    def declare(self):
        raise NotImplementedError

    def argv(self):
        raise NotImplementedError

    def version(self):
        raise NotImplementedError

    def away(self, path):
        """Moved, not deleted: ext4 searches long for an inode among thousands that were deleted lately."""
        if path.exists():
            self.thrown += 1
            path.rename(self.trash / str(self.thrown))

    def forget(self):
        """As if nothing had ever run."""
        self.away(self.folder / "out")
        (self.folder / "out").mkdir()

    def run(self):
        """Runs everything; seconds. Output goes to a file, as of a tool that nobody watches."""
        log = open(self.folder / "log", "w+")
        env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        started = time.perf_counter()
        code = subprocess.call(self.argv(), cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env)
        seconds = time.perf_counter() - started
        if code != 0:
            log.seek(0)
            sys.exit(f"bench: {self.name} ended with {code}:\n{log.read()[-2000:]}")
        log.close()
        return seconds


class Infra(Tool):
    name = "infra"
    rereads = True
    binary = Path(os.environ.get("INFRA_BENCH_BINARY", ROOT / "target" / "release" / "infra"))

    def declare(self):
        (self.folder / "infra.toml").write_text('[project]\ndefault = ["*"]\n')
        (self.folder / "tasks").mkdir()
        text = []
        for i in range(self.n):
            inputs = ", ".join(f'"{path}"' for path in sources(i, self.n))
            text.append(
                f'[task.t{i}]\neffect = "pure"\ninputs = [{inputs}]\noutputs = ["out/{i}.txt"]\n'
                f'run = ["sh", "-c", "{command(i, self.n)}"]\n'
            )
        (self.folder / "tasks" / "t.toml").write_text("\n".join(text))

    def argv(self):
        return [str(self.binary), "run", "-q", "-j", str(self.jobs)]

    def forget(self):
        super().forget()
        self.away(self.folder / ".infra")

    def version(self):
        return subprocess.check_output([self.binary, "--version"], text=True).strip()


class Make(Tool):
    name = "make"
    flags = []

    def declare(self):
        text = ["all:" + "".join(f" out/{i}.txt" for i in range(self.n))]
        for i in range(self.n):
            text.append(f"out/{i}.txt: {' '.join(sources(i, self.n))}\n\t@{command(i, self.n)}")
        (self.folder / "Makefile").write_text("\n".join(text) + "\n")

    def argv(self):
        return ["make", *self.flags, "-j", str(self.jobs)]

    def version(self):
        return subprocess.check_output(["make", "--version"], text=True).splitlines()[0]


class MakeBare(Make):
    name = "make -rR"
    flags = ["-rR"]


class Ninja(Tool):
    name = "ninja"

    def declare(self):
        text = ["rule cat\n  command = cat $in > $out\n"]
        for i in range(self.n):
            text.append(f"build out/{i}.txt: cat {' '.join(sources(i, self.n))}")
        (self.folder / "build.ninja").write_text("\n".join(text) + "\n")

    def argv(self):
        return [str(VENV / "ninja"), "-j", str(self.jobs)]

    def forget(self):
        super().forget()
        for name in (".ninja_log", ".ninja_deps"):
            self.away(self.folder / name)

    def version(self):
        return "ninja " + subprocess.check_output([VENV / "ninja", "--version"], text=True).strip()


class Doit(Tool):
    name = "doit"
    rereads = True

    def declare(self):
        (self.folder / "dodo.py").write_text(
            f"""N, WIDTH = {self.n}, {self.n // LAYERS}

def task_t():
    for i in range(N):
        reads = [f"in/{{i}}.txt"] + ([f"out/{{i - WIDTH}}.txt"] if i >= WIDTH else [])
        yield {{
            "name": str(i),
            "actions": [f"cat {{' '.join(reads)}} > out/{{i}}.txt"],
            "file_dep": reads,
            "targets": [f"out/{{i}}.txt"],
        }}
"""
        )

    def argv(self):
        return [str(VENV / "doit"), "run", "-n", str(self.jobs)]

    def forget(self):
        super().forget()
        for path in list(self.folder.glob(".doit.db*")):
            self.away(path)

    def version(self):
        text = subprocess.check_output([VENV / "doit", "--version"], text=True)
        return "doit " + text.split()[0]


class Task(Tool):
    """Task, which keeps a checksum of the sources of each task."""

    name = "Task"
    rereads = True
    most = 1000

    def declare(self):
        deps = ", ".join(f"t{i}" for i in range(self.n))
        text = [f"version: '3'\nrun: once\ntasks:\n  default:\n    deps: [{deps}]"]
        for i in range(self.n):
            earlier = before(i, self.n)
            needs = f"\n    deps: [t{earlier}]" if earlier is not None else ""
            text.append(
                f"  t{i}:{needs}\n    sources: [{', '.join(sources(i, self.n))}]\n    generates: [out/{i}.txt]\n"
                f"    cmds: ['{command(i, self.n)}']"
            )
        (self.folder / "Taskfile.yml").write_text("\n".join(text) + "\n")

    def argv(self):
        return [str(TASK), "-s", "-C", str(self.jobs)]

    def forget(self):
        super().forget()
        self.away(self.folder / ".task")

    def version(self):
        return "Task " + subprocess.check_output([TASK, "--version"], text=True).strip()


TOOLS = [Infra, Make, MakeBare, Ninja, Doit, Task]


# ---- what must be true before a time counts


def stamps(tool):
    found = {}
    for i in range(tool.n):
        stat = os.stat(tool.folder / "out" / f"{i}.txt")
        found[i] = (stat.st_mtime_ns, stat.st_ino)
    return found


def written(tool):
    """Tasks whose outputs a run writes."""
    old = stamps(tool)
    # Coarse clocks: what is written now must have another time.
    time.sleep(0.05)
    tool.run()
    new = stamps(tool)
    return {i for i in new if new[i] != old[i]}


def check_outputs(tool):
    texts = {}
    for i in range(tool.n):
        own = (tool.folder / "in" / f"{i}.txt").read_text()
        earlier = before(i, tool.n)
        texts[i] = own + (texts[earlier] if earlier is not None else "")
        found = (tool.folder / "out" / f"{i}.txt").read_text()
        if found != texts[i]:
            sys.exit(f"bench: {tool.name}: out/{i}.txt is {found!r}, wanted {texts[i]!r}")


def edit(tool, i, text):
    (tool.folder / "in" / f"{i}.txt").write_text(text)


def must(tool, what, found, wanted):
    if found != wanted:
        extra, missing = sorted(found - wanted)[:5], sorted(wanted - found)[:5]
        sys.exit(
            f"bench: {tool.name} after {what}: reran {len(found)} tasks, wanted {len(wanted)} "
            f"(too many: {extra}, missing: {missing}); no time counts"
        )


def prove(tool):
    """Reruns exactly what it must. Leaves everything built."""
    everything = set(range(tool.n))
    tool.forget()
    tool.run()
    check_outputs(tool)
    must(tool, "nothing", written(tool), set())
    first = tool.n // LAYERS // 2
    edit(tool, first, "edited\n")
    must(tool, "an edit at a chain's beginning", written(tool), chain(first, tool.n))
    check_outputs(tool)
    middle = first + 5 * (tool.n // LAYERS)
    edit(tool, middle, "edited\n")
    must(tool, "an edit in a chain's middle", written(tool), chain(middle, tool.n))
    check_outputs(tool)
    os.utime(tool.folder / "in" / f"{first}.txt")
    # Not equal by nature: times are all that some look at.
    must(tool, "a touch", written(tool), set() if tool.rereads else chain(first, tool.n))
    (tool.folder / "out" / f"{first}.txt").unlink()
    tool.run()
    check_outputs(tool)
    must(tool, "nothing, at last", written(tool), set())
    return everything


# ---- times


class Times:
    def __init__(self):
        self.of = {}

    def add(self, tool, seconds):
        self.of.setdefault(tool.name, []).append(seconds)

    def median(self, name):
        return statistics.median(self.of[name])


def shown(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def size(n, args, folder, say):
    tools = [make(folder / f"{n}-{re.sub('[^a-z]', '', make.name)}-{number}", n, args.jobs) for number, make in enumerate(TOOLS) if n <= make.most]
    for tool in tools:
        note(f"{n} tasks: {tool.name}: proving what reruns")
        prove(tool)
    full, null, one = Times(), Times(), Times()
    for round in range(args.full_runs):
        for tool in turned(tools, round):
            note(f"{n} tasks: full run {round + 1} of {args.full_runs}: {tool.name}")
            tool.forget()
            full.add(tool, tool.run())
    for tool in tools:
        tool.run()
    for round in range(args.runs):
        note(f"{n} tasks: null run {round + 1} of {args.runs}")
        for tool in turned(tools, round):
            null.add(tool, tool.run())
    for round in range(args.runs):
        note(f"{n} tasks: edit {round + 1} of {args.runs}")
        for tool in turned(tools, round):
            edit(tool, round, f"edit {round}\n")
            one.add(tool, tool.run())
    for tool in tools:
        check_outputs(tool)
        must(tool, "all timed runs", written(tool), set())
    say(f"\n{n:,} tasks, -j {args.jobs}: median of {args.full_runs} full runs, {args.runs} null runs, {args.runs} edits of one input (10 tasks rerun)")
    say(f"{'':10}{'full':>10}{'ratio':>8}   {'null':>10}{'ratio':>8}{'spread':>18}   {'edit':>10}{'ratio':>8}")
    for tool in tools:
        name = tool.name
        spread = f"{shown(min(null.of[name]))}…{shown(max(null.of[name]))}".replace(" ", "")
        cells = [f"{shown(t.median(name)):>10}{t.median(name) / t.median('infra'):>8.2f}" for t in (full, null, one)]
        say(f"{name:10}{cells[0]}   {cells[1]}{spread:>18}   {cells[2]}")
    if "doit" in null.of:
        say(f"null run: infra is {null.median('doit') / null.median('infra'):.1f} times as fast as doit")


def turned(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def note(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def machine():
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.*)$", cpuinfo.read_text(), re.M)
        model = f" ({found[1]})" if found else ""
    return f"{os.cpu_count()} cores{model}, {platform.system()} {platform.release().split('-')[0]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[int(size) for size in os.environ.get("SIZES", "1000 10000").split()])
    parser.add_argument("--runs", type=int, default=7, help="null runs and edits of each tool")
    parser.add_argument("--full-runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", help="names of tools; infra takes part in any case")
    parser.add_argument("--write", help="page to record the result in")
    args = parser.parse_args()
    if any(n % LAYERS or n < LAYERS for n in args.sizes):
        parser.error(f"sizes must be multiples of {LAYERS}")
    if not Infra.binary.exists():
        sys.exit("bench: no release build: cargo build --locked --release")
    if not shutil.which("make"):
        sys.exit("bench: make is missing: on Debian or Ubuntu: apt-get install make")
    if args.only:
        TOOLS[:] = [tool for tool in TOOLS if tool is Infra or tool.name in args.only]
    subprocess.run([ROOT / "scripts" / "setup.sh", "bench", "import"], check=True, stdout=sys.stderr)

    lines = []

    def say(text):
        note("")
        lines.append(text)
        print(text, flush=True)

    with tempfile.TemporaryDirectory(prefix="infra-bench-") as folder:
        sample = [tool(Path(folder) / f"version-{number}", LAYERS, 1) for number, tool in enumerate(TOOLS)]
        versions = dict.fromkeys(tool.version() for tool in sample)
        say(f"{datetime.date.today().isoformat()}, {machine()}, load {os.getloadavg()[0]:.1f}")
        say(", ".join(versions))
        for n in args.sizes:
            size(n, args, Path(folder), say)
    note("")
    if args.write:
        record(Path(args.write), "\n".join(lines))


def record(page, text):
    start, end = "<!-- bench -->\n", "<!-- /bench -->"
    before_it, _, rest = page.read_text().partition(start)
    _, _, after_it = rest.partition(end)
    page.write_text(f"{before_it}{start}```text\n{text}\n```\n{end}{after_it}")


if __name__ == "__main__":
    main()
