"""House rules that no linter knows.  python tests/house.py [needed]

Without a word: checks them, for `make check`. `needed`: prints what pyproject.toml asks for, for `make lock`.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

HOUSE = Path(__file__).parents[1]
MOST_LINES = 400
LONGEST_LINE = 140


def tracked() -> list[Path]:
    """Files of the repository, new ones included."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(asked, cwd=HOUSE, capture_output=True, text=True, check=True).stdout.split("\n")
    return [HOUSE / name for name in dict.fromkeys(names) if name and (HOUSE / name).is_file()]  # a file in conflict is named thrice


def needed() -> list[str]:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    return [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]


def flaws() -> list[str]:
    flawed = []
    for path in tracked():
        if path.suffix == ".py":
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > MOST_LINES:
                flawed.append(f"{path.relative_to(HOUSE)}: {lines} lines, at most {MOST_LINES}: split it by concept")
        if path.suffix in (".js", ".css"):  # no formatter breaks a string or a comment
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if len(line) > LONGEST_LINE:
                    flawed.append(f"{path.relative_to(HOUSE)}:{number}: {len(line)} characters, at most {LONGEST_LINE}: break it")
    npm_lock = HOUSE / "tests/javascript/package-lock.json"
    for number, line in enumerate(npm_lock.read_text(encoding="utf-8").splitlines(), 1):
        if "://" in line:
            flawed.append(f"{npm_lock.relative_to(HOUSE)}:{number}: {line.strip()}: it should name no host: make lock")
    lock = (HOUSE / "requirements.lock").read_text(encoding="utf-8")
    for number, line in enumerate(lock.splitlines(), 1):
        if not re.fullmatch(r"#.*|[a-z0-9]([a-z0-9._-]*[a-z0-9])?==[0-9][0-9a-z.]*", line, re.IGNORECASE) or "://" in line:
            flawed.append(f"requirements.lock:{number}: {line!r}: expected name==version")
    locked = {_plain(line.partition("==")[0]) for line in lock.splitlines()}
    for requirement in needed():
        name = re.match(r"[A-Za-z0-9._-]+", requirement)[0]
        if _plain(name) not in locked:
            flawed.append(f"requirements.lock lacks {name}: make lock")
    return flawed


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    if sys.argv[1:] == ["needed"]:
        print("\n".join(needed()))
    elif found := flaws():
        sys.exit("\n".join(found))
