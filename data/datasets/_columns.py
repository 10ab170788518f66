"""Which column of somebody's table is which field of an example: guessed by the names in use, or told by the option `map`."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data.datasets._reading import Unusable

# The names in use, the likeliest first; compared without case, blanks, dashes and underscores.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "question_id", "qid", "uid", "sample_id", "example_id", "index", "idx", "pid", "key", "__key__"),
    "image": (
        "image", "images", "img", "picture", "photo", "image_path", "img_path", "image_paths", "file_name", "filename", "imgname",
        "image_file", "image_name", "image_local_name", "image_url", "decoded_image", "image_1", "jpg", "jpeg", "png", "webp", "path",
    ),
    "question": ("question", "query", "prompt", "instruction", "problem", "question_text", "user_input", "input"),
    "answers": (
        "answers", "answer", "golds", "gold", "label", "labels", "target", "gt", "gt_answer", "ground_truth", "groundtruth", "reference",
        "references", "captions", "caption", "response", "output", "direct_answers", "solution", "txt", "text", "cls",
    ),
    "choices": ("choices", "options", "candidates", "multiple_choices", "option"),
    "split": ("split", "set_name", "data_split", "subset", "partition"),
    "kind": ("kind",),
    "hint": ("hint", "context"),
}  # fmt: skip
LETTERS = "ABCDEFGHIJ"  # columns of choices, as MMBench has them
FIELDS = tuple(NAMES)


def guessed(columns: Iterable[str]) -> dict[str, str]:
    """The column of each field, as far as the names tell.

    >>> guessed(["index", "Question", "A", "B", "answer", "image"])
    {'id': 'index', 'image': 'image', 'question': 'Question', 'answers': 'answer', 'choices': 'A, B'}
    """
    known = {_plain(column): column for column in reversed(list(columns))}
    found: dict[str, str] = {}
    for field, names in NAMES.items():
        column = next((known[_plain(name)] for name in names if _plain(name) in known and known[_plain(name)] not in found.values()), None)
        if column is not None:
            found[field] = column
    if "choices" not in found and (lettered := lettered_columns(known.values())):
        found["choices"] = ", ".join(lettered)
    return {field: found[field] for field in FIELDS if field in found}


def lettered_columns(columns: Iterable[str]) -> list[str]:
    """The columns A, B, … that hold a choice each; none unless A and B are there."""
    known = set(columns)
    found = [letter for letter in LETTERS if letter in known]
    return found if found[:2] == ["A", "B"] else []


def mapping(columns: Sequence[str], told: Mapping[str, str], known: Iterable[str] = ()) -> dict[str, str]:
    """The columns of the fields: those guessed, with what was told in their place. Raises Unusable on a field or column that isn't there.

    A field that is mapped to nothing ("kind": "") has no column. `known`: columns that other rows of the file have.

    >>> mapping(["Q", "image", "gold"], {"question": "Q"})
    {'image': 'image', 'answers': 'gold', 'question': 'Q'}
    """
    made, there = guessed(columns), dict.fromkeys([*columns, *known])
    for field, column in told.items():
        if field not in FIELDS:
            raise Unusable(f"map: there is no field {field[:80]!r}{_near(field, FIELDS)}; there are: {', '.join(FIELDS)}")
        if not column:
            made.pop(field, None)
            continue
        named = [column] if column in there else several(column)
        if missing := [one for one in named if one not in there]:
            raise Unusable(
                f"map: there is no column {missing[0][:80]!r} for {field}{_near(missing[0], there)}; there are: {', '.join(there)[:400]}"
            )
        if len(named) > 1 and field != "choices":
            raise Unusable(f"map: {field} takes one column, not {column[:80]!r}; only choices may stand in several")
        column = ", ".join(named)
        made = {one: name for one, name in made.items() if name != column} | {field: column}
    return made


def several(column: str) -> list[str]:
    """The columns that are told for choices in one text.

    >>> several("A, B,C")
    ['A', 'B', 'C']
    """
    return [one.strip() for one in column.split(",") if one.strip()] or [column]


def _near(name: str, known: Iterable[str]) -> str:
    by_plain = {_plain(one): one for one in known}
    near = difflib.get_close_matches(_plain(name), list(by_plain), 1)
    return f" (did you mean {by_plain[near[0]]!r}?)" if near else ""


def fields_of(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an example in a row; those that are empty (null) are left out."""
    made: dict[str, Any] = {}
    for field, column in columns.items():
        if column in row:
            value = row[column]
        elif field == "choices" and ", " in column:
            value = [choice for letter in column.split(", ") if not is_empty(choice := row.get(letter))]
        else:
            continue
        if value is not None:
            made[field] = value
    return made


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: null, NaN of a table, or blanks."""
    return value is None or (isinstance(value, float) and value != value) or (isinstance(value, str) and value.strip() in ("", "nan"))


def _plain(name: str) -> str:
    return "".join(name.lower().split()).replace("-", "").replace("_", "").lstrip("\ufeff")
