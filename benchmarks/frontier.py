"""The frontier engine beside what others ask many pictures with: 2,000 image prompts with a schema, a server of 1 s and 64 slots.

    python -m benchmarks.frontier                        # with faults too, and every peer: some 12 minutes
    python -m benchmarks.frontier --no-peers --json
    python -m benchmarks.frontier --memory               # 100,000 rows at a server that answers at once: is memory flat?

Each tool runs in a process, and each peer in a virtual environment, of its own; the server is a process too. Timed is the work, from the
first row to the last answer, after imports; processor seconds are those of the tool alone. The ideal is that of the job: 2,000 rows fill
31 rounds of 64 slots and a quarter of a 32nd, so 32 s. A row is lost if its answer doesn't fit the schema or isn't that to its question.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.parts.llm_server import Order, running
from benchmarks.parts.machine import machine
from benchmarks.parts.peers import HOUSE, environment

ROWS, PICTURES = 2000, 2000
FAULTS = {"limited": 0.2, "broken": 0.1, "wrong_schema": 0.05}
OURS = "this engine"
RUN_SECONDS, MEMORY_SECONDS = 420, 1800


@dataclass(frozen=True)
class Tool:
    """A script of benchmarks/peers, and the packages of its environment (none: this one)."""

    script: str
    packages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


TOOLS = {
    OURS: Tool("with_this_engine.py"),
    "plain AsyncOpenAI loop": Tool("with_plain_loop.py"),
    "plain loop, aiohttp": Tool("with_plain_loop.py", words=("aiohttp",)),
    "data-designer": Tool("with_data_designer.py", ("data-designer",)),
    "bespokelabs-curator": Tool("with_curator.py", ("bespokelabs-curator",)),
    "distilabel": Tool("with_distilabel.py", ("distilabel[openai,instructor]", "requests")),
    "instructor": Tool("with_instructor.py", ("instructor",)),
}


def make_pictures(folder: Path, count: int) -> None:
    """JPEGs of about 17 KB that no two are alike."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        small = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{number:06d}.jpg", quality=85)


def ideal_seconds(order: Order, rows: int) -> float:
    return math.ceil(rows / order.slots) * order.latency_s


def run(name: str, order: Order, rows: int, scratch: Path) -> dict[str, Any]:
    """The figures of a tool on the job; {"not_run": why} where it can't be had or doesn't end in time."""
    tool = TOOLS[name]
    try:
        python = environment(tool.packages[0].partition("[")[0], *tool.packages, shared=False) if tool.packages else sys.executable
        with running(order) as (url, log), tempfile.TemporaryDirectory(dir=scratch) as folder:
            Path(folder, "pictures").symlink_to(scratch / "pictures")
            Path(folder, "job.json").write_text(json.dumps({"url": url, "slots": order.slots, "rows": rows, "pictures": PICTURES}))
            command = [python, HOUSE / "benchmarks" / "peers" / tool.script, folder, *tool.words]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS if order.latency_s else MEMORY_SECONDS
            )
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            got = json.loads(done.stdout.strip().rpartition("\n")[2])
            return _figures(got, order, rows) | {"calls": log.read()["calls"]}
    except subprocess.TimeoutExpired:
        return {"not_run": f"not through after {RUN_SECONDS} s"}
    except (subprocess.SubprocessError, OSError, RuntimeError, ValueError) as error:
        return {"not_run": f"{type(error).__name__}: {error}"[-500:]}


def _figures(got: dict[str, Any], order: Order, rows: int) -> dict[str, Any]:
    ideal = rows / ideal_seconds(order, rows) if order.latency_s else None
    return {
        "rows_per_s": round(got["right"] / got["seconds"], 2),
        "ideal_rows_per_s": ideal and round(ideal, 2),
        "of_ideal": ideal and round(got["right"] / got["seconds"] / ideal, 4),
        "seconds": round(got["seconds"], 2),
        "cpu_s": round(got["cpu_s"], 2),
        "peak_rss_mb": round(got["peak_rss_mb"]),
        "lost": rows - got["right"],
        "resident_mb": {int(number): round(mb) for number, mb in got["resident_mb"].items()},
    }


def measure(names: list[str], rows: int, memory: bool) -> dict[str, Any]:
    build = HOUSE / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix="frontier-") as folder:
        scratch = Path(folder)
        make_pictures(scratch / "pictures", PICTURES)
        if memory:
            return run(OURS, Order(latency_s=0.0), 100_000, scratch) | {"machine": machine()}
        found: dict[str, Any] = {}
        for title, order in (("", Order()), ("faults", Order(**FAULTS))):
            for name in names:
                print(f"  {name}{' under faults' if title else ''} ...", file=sys.stderr)
                figures = run(name, order, rows, scratch)
                if not title:
                    found[name] = figures
                elif "not_run" not in found[name]:
                    found[name]["faults"] = figures
        return found[OURS] | {"peers": {name: found[name] for name in names if name != OURS}, "faults_are": FAULTS, "machine": machine()}


def table(result: dict[str, Any]) -> str:
    """The figures as text: a line a tool, once without faults and once with them."""
    lines = []
    faults = ", ".join(f"{share:.0%} {name}" for name, share in FAULTS.items())
    for title, key in (("1 s, 64 slots", None), (f"with {faults}", "faults")):
        lines.append(f"{title:56}{'rows/s':>8}{'of ideal':>10}{'CPU s':>8}{'peak MB':>9}{'lost':>7}{'calls':>7}")
        for name, figures in {OURS: result, **result["peers"]}.items():
            one = figures.get(key, {}) if key else figures
            if "rows_per_s" in one:
                share = f"{one['of_ideal']:.1%}"
                rest = f"{one['peak_rss_mb']:>9}{one['lost']:>7}{one['calls']:>7}"
                lines.append(f"  {name:54}{one['rows_per_s']:>8}{share:>10}{one['cpu_s']:>8}{rest}")
            elif "not_run" in one:
                lines.append(f"  {name:54}{one['not_run']!r}")
        lines.append("")
    about = result["machine"]
    return "\n".join([*lines, f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, load {about['load']}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--only", nargs="*", choices=list(TOOLS), help="these tools beside this engine")
    parser.add_argument("--no-peers", action="store_true", help="only this engine and the plain loops")
    parser.add_argument("--memory", action="store_true", help="100,000 rows through this engine: memory after 10,000 and after all")
    parser.add_argument("--json", action="store_true", help="a word to other benchmarks: the last line is JSON with and without it")
    arguments = parser.parse_args()
    wanted = [name for name, tool in TOOLS.items() if not tool.packages] if arguments.no_peers else list(TOOLS)
    names = wanted if arguments.only is None else [OURS, *(name for name in arguments.only if name != OURS)]
    result = measure(names, arguments.rows, arguments.memory)
    if arguments.memory:
        print(f"after 10,000 rows {result['resident_mb'][10_000]} MB, after 100,000 {result['resident_mb'][100_000]} MB")
    else:
        print(table(result))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
