"""Files of named queries: what is read of them, and that every query says what it is for."""

import re
from pathlib import Path

import pytest

from data import queries
from data.named_sql import read_queries
from models.paid_calls import journal

FILES = [*sorted(queries.FOLDER.glob("*.sql")), Path(journal.__file__).with_name("journal.sql")]


def test_a_query_is_read_without_its_comments(tmp_path):
    path = tmp_path / "some.sql"
    path.write_text("""-- of the file

-- :name one
-- The first.
-- It has two lines.
SELECT 1,
  '-- :name two';

-- :name two
-- B.
SELECT 2
""")
    assert read_queries([path]) == {"one": "SELECT 1,\n  '-- :name two';", "two": "SELECT 2"}
    with pytest.raises(KeyError, match="two queries are named one"):
        read_queries([path, path])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_query_has_a_sentence(path):
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"^-- :name \w+\n-- \S.*", text, re.MULTILINE)) == len(re.findall("^-- :name", text, re.MULTILINE)) > 0
