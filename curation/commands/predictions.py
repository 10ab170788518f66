"""`mistakebook predictions`: a checkpoint's answers, how they score, and what the lenient score read from them."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from curation.commands.app_client import App
from curation.commands.flags import parser
from curation.commands.output import show, table
from data.records import Split

if TYPE_CHECKING:
    from curation.scoring import ReadAnswer

COLUMNS = ("dataset", "id", "split", "golds", "answer", "read", "strict", "lenient")
SPLITS: tuple[Split, ...] = ("train", "dev", "eval")
SHOWN = 60  # characters of an answer; --json has all of them


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists a checkpoint's answers with both scores, and what the lenient score took for the answer.")
    made.add_argument("checkpoint", nargs="?", help="name of a checkpoint (default: that of the round)")
    made.add_argument("--dataset", help="answers to this dataset only")
    made.add_argument("--split", choices=SPLITS, help="answers to this split only")
    made.add_argument("--differing", action="store_true", help="only answers that score higher leniently: right in another form")
    made.add_argument("--limit", type=int, default=50, help="at most so many (default: %(default)s)")
    given = made.parse_args(arguments)
    app = App(given.workspace)
    asked = {name: value for name in ("checkpoint", "dataset", "split", "differing", "limit") if (value := getattr(given, name))}
    from curation.scoring import ReadAnswer  # not at the top: it loads the store

    rows = app.get(f"/api/command/predictions?{urlencode(asked)}", list[ReadAnswer])
    show(rows, given.json, lambda: table([_in_words(row) for row in rows], COLUMNS))
    return 0


def _in_words(row: "ReadAnswer") -> dict[str, object]:
    texts = {
        "golds": ", ".join(dict.fromkeys(row.golds)),
        "answer": row.answer + (" (cut)" if row.cut else ""),
        "read": "(none)" if row.read is None else row.read,
    }
    shown = {name: text if len(text) <= SHOWN else text[: SHOWN - 1] + "…" for name, text in texts.items()}
    return {**vars(row), "id": row.external_id, **shown}
