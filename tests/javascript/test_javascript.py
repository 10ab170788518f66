"""The unit tests of the browser code, by node's own test runner."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
NODE = Path(sys.executable).parent / "node"


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.test.js")))
def test_unit_tests_pass(file):
    if not (FOLDER / "node_modules" / "happy-dom").is_dir():
        assert not os.environ.get("CI"), "the npm packages of tests/javascript are missing: make check fetches them"
        pytest.skip("THE BROWSER CODE GOES UNTESTED: the npm packages of tests/javascript are missing (make check fetches them)")
    done = subprocess.run([NODE, "--test", "--test-reporter=spec", file], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
