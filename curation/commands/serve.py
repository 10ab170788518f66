"""`mistakebook serve`: the same as `python app.py`."""

import os
import sys

from data.machine import HOUSE


def run(name: str, arguments: list[str]) -> int:
    """Becomes the app's process: Ctrl-C and signals reach it directly."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")]))
    os.execv(sys.executable, [sys.executable, "-m", "app", *arguments])
