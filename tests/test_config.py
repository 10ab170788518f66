"""Settings: what stands over what, what is said of values that can't be used, and what a process is started with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from curation import config
from curation.config import BadSettings, keep, variables

HOUSE = Path(__file__).parents[1]


@pytest.fixture
def file(home, monkeypatch):
    for field in config.Variables.model_fields.values():
        monkeypatch.delenv(field.validation_alias, raising=False)
    monkeypatch.setattr(config, "_set_on_page", {})
    home.mkdir(parents=True)
    return home / "config.toml"


def test_flags_stand_over_environment_over_file_over_defaults(file, monkeypatch):
    assert variables() == config.Variables() and (variables().port, variables().model, variables().budget_usd) == (7860, None, None)
    file.write_text('MISTAKEBOOK_PORT = 7861\nMISTAKEBOOK_MODEL = "file"\nMISTAKEBOOK_BUDGET_USD = "2.5"\nHF_HOME = "/models"\n')
    assert (variables().port, variables().model, variables().budget_usd) == (7861, "file", 2.5)
    monkeypatch.setenv("MISTAKEBOOK_MODEL", "environment")
    monkeypatch.setenv("MISTAKEBOOK_PORT", "7862")
    assert (variables().port, variables().model, variables().budget_usd) == (7862, "environment", 2.5)
    assert variables(port=0).port == 0 and variables(port=None).port == 7862
    monkeypatch.setenv("MISTAKEBOOK_MODEL", "")  # over the file, and means: the default
    assert variables().model is None


def test_what_is_set_on_a_page_holds_now_and_later(file, monkeypatch):
    file.write_text("# mine\nMISTAKEBOOK_PORT = 7861  # at home\n")
    monkeypatch.setenv("MISTAKEBOOK_BUDGET_USD", "5")
    keep("MISTAKEBOOK_BUDGET_USD", "3")
    assert variables().budget_usd == 3 and variables().port == 7861
    assert file.read_text() == '# mine\nMISTAKEBOOK_PORT = 7861  # at home\nMISTAKEBOOK_BUDGET_USD = "3"\n'
    keep("MISTAKEBOOK_BUDGET_USD", None)
    assert variables().budget_usd is None and "BUDGET" not in file.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('MISTAKEBOOK_PORT = "x"', r"config\.toml: MISTAKEBOOK_PORT is 'x'; expected: .*number from 0 to 65535"),
        ("MISTAKEBOOK_PORT = 65536", r"config\.toml: MISTAKEBOOK_PORT is '65536'"),
        ("MISTAKEBOOK_BUDGET_USD = -1", r"config\.toml: MISTAKEBOOK_BUDGET_USD is '-1'; expected: .*dollars, such as 5"),
        ("MISTAKEBOOK_BUDGET_USD = nan", r"MISTAKEBOOK_BUDGET_USD is 'nan'"),
        ("MISTAKEBOOK_MODEL = []", r"config\.toml: MISTAKEBOOK_MODEL is list; expected a text or a number"),
        ("MISTAKEBOOK_PORT 7861", r"config\.toml: .*line 1, column .*; expected lines like MISTAKEBOOK_PORT = 7861"),
    ],
)
def test_bad_values_name_file_and_key(file, text, words):
    file.write_text(text)
    with pytest.raises(BadSettings, match=words):
        variables()


def test_bad_values_name_the_flag_or_the_variable(file, monkeypatch):
    with pytest.raises(BadSettings, match=r"^--port is 65536; expected: .*65535"):
        variables(port=65536)
    monkeypatch.setenv("MISTAKEBOOK_PORT", "x")
    with pytest.raises(BadSettings, match=r"^MISTAKEBOOK_PORT is 'x'"):
        variables()


def test_the_file_can_not_say_where_it_lies(file, monkeypatch):
    file.write_text('MISTAKEBOOK_HOME = "/elsewhere"')
    variables()  # the environment has it
    monkeypatch.setattr(config.workspace, "home", lambda: file.parent)
    monkeypatch.delenv("MISTAKEBOOK_HOME")
    with pytest.raises(BadSettings, match="set it in the environment"):
        variables()


SCRIPT = """
import json, os, sys
from curation.config import restart_with_file_variables
before = os.environ.copy()
restart_with_file_variables()
assert os.environ.copy() == before
print(json.dumps([sys.argv[1:], {name: os.environ.get(name) for name in ("TEST_A", "TEST_B", "MISTAKEBOOK_PORT")}]))
"""


def test_a_process_gets_what_libraries_read_from_its_environment(file, monkeypatch, tmp_path):
    """The environment stands over the file here too; what Mistakebook reads itself stays in the file, where it may change."""
    file.write_text('TEST_A = "file"\nTEST_B = 3\nMISTAKEBOOK_PORT = 7861\n')
    monkeypatch.setenv("TEST_A", "environment")
    monkeypatch.delenv("TEST_B", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script, "--flag", "a b"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [["--flag", "a b"], {"TEST_A": "environment", "TEST_B": "3", "MISTAKEBOOK_PORT": None}]
