"""Asks pip-audit for known vulnerabilities of what requirements.lock names.  python tests/advisories.py

Fails where there are any. Where no advisories can be reached, or they don't know a package, that is said aloud and the check goes on.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[1]
SECONDS = 90
ACCEPTED: dict[str, str] = {}  # advisory: why it doesn't concern this app


def judged(report: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Of pip-audit's report: what is vulnerable, a line each; names of packages that could not be looked up."""
    vulnerable, unknown = [], []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unknown.append(package["name"])
        for found in package.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            if not names & set(ACCEPTED):
                mended = ", ".join(found.get("fix_versions") or ["no version yet"])
                vulnerable.append(f"{package['name']} {package['version']}: {', '.join(sorted(names))}; mended in {mended}")
    return vulnerable, unknown


def main() -> None:
    asked = ["pip-audit", "-r", "requirements.lock", "--no-deps", "--disable-pip", "--format", "json", "--timeout", "5"]
    command = [str(Path(sys.executable).with_name(asked[0])), *asked[1:], "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=SECONDS)
        report = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        print(f"NO ADVISORIES CAN BE REACHED ({type(error).__name__}): KNOWN VULNERABILITIES GO UNCHECKED", file=sys.stderr)
        return
    vulnerable, unknown = judged(report)
    if unknown:
        count = len(report["dependencies"])
        print(f"ADVISORIES KNOW NOTHING OF {len(unknown)} OF {count} PACKAGES: THESE GO UNCHECKED", file=sys.stderr)
    if vulnerable:
        sys.exit("\n".join(vulnerable))


if __name__ == "__main__":
    main()
