"""A workspace's error types, in versions: each edit makes a new one, and everything that bears a name follows.

What logs hold (diagnoses, people's corrections, samples) is never rewritten: a name that was renamed or merged becomes an alias, and the
states that follow from the logs bear the present one. Kinds, clusters and assignments, which jobs write anew, are changed in place. An
edit that would leave corrections without a type that is offered is refused; it says what to do instead.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.error_types import DEFAULT, ErrorType, Taxonomy
from data.errors import MistakebookError
from data.records import Record

if TYPE_CHECKING:  # filters and prompts load this too, in processes that have no store
    from data.store import Store
    from data.transaction import Transaction

FILE = "taxonomy.json"
FIXED = ("label-error", "scorer-artefact")  # the program goes by these two: they tell what is no error of the model
RESERVED = ("other",)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
LONGEST = 40  # characters of a name
LONGEST_TEXT = 300


class BadEdit(MistakebookError):
    """An edit of the taxonomy that is refused; the text says why, and what to do."""


@dataclass(frozen=True)
class Carried(Record):
    """What bears an error type's name, or was carried along by an edit."""

    failures: int
    corrections: int  # of people
    samples: int
    clusters: int

    @property
    def text(self) -> str:
        """As in "12 failures, 3 corrections"; "nothing" where there is none."""
        counts = [f"{count:,} {name if count != 1 else name[:-1]}" for name, count in asdict(self).items() if count]
        return ", ".join(counts) or "nothing"


@dataclass(frozen=True)
class Edited(Record):
    """The version that an edit made, in words, and what was carried along."""

    version: int
    text: str
    carried: Carried


@dataclass(frozen=True)
class Version(Record):
    """A version of the taxonomy: what made it, by whom."""

    version: int
    text: str
    error_types: tuple[ErrorType, ...]
    author: str
    created_at: datetime


@dataclass(frozen=True)
class _Row:
    version: int
    error_types: str
    change: str
    author: str
    created_at: datetime


def current(store: "Store") -> Taxonomy:
    """The taxonomy in force; that of the program, as version 1, until it is edited."""
    rows = store.remembered("taxonomy_latest", _Row)
    if not rows:
        return DEFAULT
    aliases = {row["name"]: row["current"] for row in store.remembered("error_type_aliases")}
    return Taxonomy(rows[0].version, _types(rows[0]), aliases)


def history(store: "Store") -> list[Version]:
    """All versions, the latest first; without any edit, none."""
    rows = store.rows("taxonomy_versions", _Row)
    return [Version(row.version, json.loads(row.change)["text"], _types(row), row.author, row.created_at) for row in rows]


def usage(store: "Store") -> dict[str, Carried]:
    """What bears each error type."""
    rows = store.rows("error_type_usage")
    return {row["error_type"]: Carried(row["failures"], row["corrections"], row["samples"], row["clusters"]) for row in rows}


def add(store: "Store", error_type: ErrorType, author: str) -> Edited:
    """Adds an error type at the end. A name that was renamed or merged away means its own type again. Raises BadEdit."""
    now = current(store)
    if any(type_.name == error_type.name for type_ in now.types):
        raise BadEdit(f"there is an error type {error_type.name!r} already; edit it, or choose another name")
    made = _checked(error_type)
    again = made.name in now.aliases
    text = f"{made.name} added" + (f"; what was called so before belongs to it again, not to {now.aliases[made.name]}" if again else "")
    aliases = {name: to for name, to in now.aliases.items() if name != made.name}
    return _save(store, now, (*now.types, made), text, author, aliases)


def change(
    store: "Store", name: str, author: str, definition: str | None = None, example: str | None = None, colour: str | None = None
) -> Edited:
    """Changes definition, example or colour of an error type. Raises BadEdit."""
    now = current(store)
    old = _found(now, name)
    texts = {"definition": definition or old.definition, "example": example or old.example, "colour": colour or old.colour}
    new = _checked(ErrorType(old.name, **texts, hidden=old.hidden), old)
    if new == old:
        raise BadEdit(f"{name} stays as it is: give another definition, example or colour")
    changed = ", ".join(key for key in ("definition", "example", "colour") if getattr(new, key) != getattr(old, key))
    return _save(store, now, _put(now, name, new), f"{name}: {changed} changed", author)


def rename(store: "Store", name: str, to: str, author: str) -> Edited:
    """Gives an error type another name; everything that bears the old one follows. Raises BadEdit."""
    now = current(store)
    _not_fixed(name)
    old = _found(now, name)
    if any(type_.name == to for type_ in now.types):
        raise BadEdit(f"there is an error type {to!r} already; to join the two, merge {name} into it")
    new = _checked(replace(old, name=to))
    return _save(store, now, _put(now, name, new), f"{name} renamed {to}", author, _aliased(now, [name], to), {name: to})


def merge(store: "Store", names: Sequence[str], into: str, author: str) -> Edited:
    """Joins error types into one; failures, corrections, samples and clusters of the others follow. Raises BadEdit."""
    now = current(store)
    target = _found(now, into)
    gone = [name for name in dict.fromkeys(names) if name != into]
    if not gone:
        raise BadEdit(f"name at least one error type other than {into} to merge into it")
    for name in gone:
        _not_fixed(name)
        _found(now, name)
    left = tuple(type_ for type_ in now.types if type_.name not in gone)
    return _save(
        store, now, left, f"{', '.join(gone)} merged into {target.name}", author, _aliased(now, gone, into), dict.fromkeys(gone, into)
    )


def hide(store: "Store", name: str, author: str, keep: bool = False) -> Edited:
    """Offers an error type no more. Raises BadEdit, also where people's corrections bear it, unless `keep` leaves them there."""
    now = current(store)
    _not_fixed(name)
    old = _found(now, name)
    if old.hidden:
        raise BadEdit(f"{name} is hidden already")
    if len(now.names) == 1:
        raise BadEdit(f"{name} is the last error type that is offered; add another before hiding it")
    corrections = usage(store).get(name, Carried(0, 0, 0, 0)).corrections
    if corrections and not keep:
        count = f"{corrections:,} correction{'s' if corrections != 1 else ''} of people"
        raise BadEdit(
            f"{name} is named by {count}, and would be offered no more: merge it into another error type, so that they follow, or hide it "
            "and keep them (keep)"
        )
    kept = f"; {corrections:,} corrections keep it" if corrections else ""
    return _save(store, now, _put(now, name, replace(old, hidden=True)), f"{name} hidden{kept}", author)


def show(store: "Store", name: str, author: str) -> Edited:
    """Offers a hidden error type again. Raises BadEdit."""
    now = current(store)
    old = _found(now, name)
    if not old.hidden:
        raise BadEdit(f"{name} is not hidden")
    return _save(store, now, _put(now, name, replace(old, hidden=False)), f"{name} shown again", author)


def order(store: "Store", names: Sequence[str], author: str) -> Edited:
    """Puts the error types into an order; those that are not named follow as they were. Raises BadEdit."""
    now = current(store)
    first = [_found(now, name) for name in dict.fromkeys(names)]
    arranged = (*first, *(type_ for type_ in now.types if type_ not in first))
    if arranged == now.types:
        raise BadEdit("the error types are in this order already")
    return _save(store, now, arranged, "order changed", author)


def write_to_folder(taxonomy: Taxonomy, folder: Path) -> None:
    """Writes the taxonomy into a job's folder: its child goes by it, whatever is edited while it runs."""
    content = {"version": taxonomy.version, "types": [asdict(type_) for type_ in taxonomy.types], "aliases": dict(taxonomy.aliases)}
    (folder / FILE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def read_from_folder(folder: Path) -> Taxonomy:
    """The taxonomy of a job; jobs of earlier versions have none, and go by the program's."""
    path = folder / FILE
    if not path.is_file():
        return DEFAULT
    content = json.loads(path.read_text(encoding="utf-8"))
    return Taxonomy(content["version"], tuple(ErrorType(**fields) for fields in content["types"]), content["aliases"])


def _save(
    store: "Store",
    now: Taxonomy,
    types: tuple[ErrorType, ...],
    text: str,
    author: str,
    aliases: Mapping[str, str] | None = None,
    moved: Mapping[str, str] | None = None,
) -> Edited:
    """Writes a version; `moved` are names whose bearers get another, in the same transaction."""
    before = usage(store)
    carried = _sum(before[name] for name in moved or {} if name in before)
    version = now.version + 1
    with store.write() as write:
        latest = write.column("taxonomy_version", int)[0]
        if latest != now.version:
            raise BadEdit("the taxonomy was edited meanwhile; reload and try again")
        if latest == 1 and not store.rows("taxonomy_latest"):
            write.insert("taxonomy", [_row(1, now.types, "the error types that the program comes with", "shipped")])
        write.insert("taxonomy", [_row(version, types, text, author)])
        if aliases is not None:
            write.run("error_type_aliases_clear")
            write.insert("error_type_alias", [{"name": name, "current": to} for name, to in aliases.items()])
            follow(write)
            write.touch_all()
    return Edited(version, f"{text}; {carried.text} carried along" if moved else text, carried)


def follow(write: "Transaction") -> None:
    """Brings what jobs wrote under names that are gone to the present ones; for jobs that began before an edit too."""
    for query in ("kinds_follow_types", "clusters_follow_types", "assignments_follow_types"):
        write.run(query)
    write.touch_failures()


def _row(version: int, types: Sequence[ErrorType], text: str, author: str) -> dict[str, Any]:
    error_types = json.dumps([asdict(type_) for type_ in types], ensure_ascii=False)
    return {"version": version, "error_types": error_types, "change": json.dumps({"text": text}), "author": author}


def _aliased(now: Taxonomy, names: Sequence[str], to: str) -> dict[str, str]:
    """Aliases after names became `to`: what led to them leads there at once, and no present name is one."""
    old = {name: to if current in names else current for name, current in now.aliases.items()}
    return {name: current for name, current in {**old, **dict.fromkeys(names, to)}.items() if name != to}


def _types(row: _Row) -> tuple[ErrorType, ...]:
    return tuple(ErrorType(**fields) for fields in json.loads(row.error_types))


def _put(now: Taxonomy, name: str, new: ErrorType) -> tuple[ErrorType, ...]:
    return tuple(new if type_.name == name else type_ for type_ in now.types)


def _found(now: Taxonomy, name: str) -> ErrorType:
    error_type = next((type_ for type_ in now.types if type_.name == name), None)
    if error_type is None:
        now_called = f"; {name!r} is called {now.aliases[name]!r} now" if name in now.aliases else ""
        raise BadEdit(f"there is no error type {name!r}{now_called}; there are: {', '.join(type_.name for type_ in now.types)}")
    return error_type


def _not_fixed(name: str) -> None:
    if name in FIXED:
        raise BadEdit(
            f"{name} tells what is no error of the model, which the program goes by: its name stays; its texts and colour may change"
        )


def _checked(made: ErrorType, old: ErrorType | None = None) -> ErrorType:
    """The error type with tidy texts. Raises BadEdit."""
    made = replace(made, definition=made.definition.strip(), example=made.example.strip().rstrip("."), colour=made.colour.strip().lower())
    if old is None and (not _NAME.fullmatch(made.name) or len(made.name) > LONGEST):
        raise BadEdit(
            f"{made.name!r} can't be a name: small letters, digits and single hyphens, {LONGEST} characters at most, as in text-reading"
        )
    if made.name in RESERVED:
        raise BadEdit(f"{made.name!r} is what the program calls examples without an error type; choose another name")
    for what, text in (("a definition", made.definition), ("an example", made.example)):
        if not text or len(text) > LONGEST_TEXT or "\n" in text:
            raise BadEdit(f"{made.name}: give {what} in one line, of 1 to {LONGEST_TEXT} characters (got {len(text)})")
    if not _COLOUR.fullmatch(made.colour):
        raise BadEdit(f"{made.name}: {made.colour!r} is no colour; give it as #rrggbb, as in #efb118")
    return made


def _sum(counts: Iterable[Carried]) -> Carried:
    rows = list(counts)
    return Carried(*(sum(getattr(row, name) for row in rows) for name in ("failures", "corrections", "samples", "clusters")))
