"""Named SQL: a file of queries, each under a name and a sentence that says what it answers.

    -- :name failure_count
    -- How many failures a round has.
    SELECT count(*) FROM failure WHERE round = $round

The store's queries (data/sql/*.sql) and those of the journal of paid replies are read here.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_HEADING = re.compile(r"^-- :name ", re.MULTILINE)


def read_queries(paths: Iterable[Path]) -> dict[str, str]:
    """The text of each query, by name, without its comments. Raises KeyError if two queries have one name."""
    texts: dict[str, str] = {}
    for path in paths:
        for block in _HEADING.split(path.read_text(encoding="utf-8"))[1:]:
            name, _, body = block.partition("\n")
            if name.strip() in texts:
                raise KeyError(f"{path}: two queries are named {name.strip()}; rename one")
            texts[name.strip()] = "\n".join(line for line in body.splitlines() if not line.startswith("--")).strip()
    return texts
