"""The versions of prompts that a workspace has, and which of them is in use. All of it is in the store, and so in backups.

Each saved text is kept for good, under its hash; so are the shipped texts that jobs ran with. Which one is in use is a setting
`prompt <name>`: a version, or null for the text that is shipped.
"""

import difflib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from curation import taxonomy
from curation.prompts.templates import PromptFile, PromptOptions, Prompts, names, shipped, version_of
from curation.prompts.validation import checked
from data.errors import MistakebookError
from data.records import Record
from data.store import Store

SHIPPED_BY = "shipped"  # the author of texts that came with the program


@dataclass(frozen=True)
class PromptVersion:
    version: str  # the hash of the text
    text: str


@dataclass(frozen=True)
class StoredVersion(Record):
    """A saved text of a prompt."""

    version: str
    text: str
    note: str
    author: str
    created_at: datetime


@dataclass(frozen=True)
class ListedVersion(Record):
    """A version of a prompt, and in how many jobs it was used; `created_at` is None for a shipped text that no job used."""

    version: str
    note: str
    author: str
    created_at: datetime | None
    shipped: bool
    in_use: bool
    jobs: int


@dataclass(frozen=True)
class VersionJobs(Record):
    version: str
    jobs: int


@dataclass(frozen=True)
class DiffLine(Record):
    """A line of two texts."""

    kind: Literal["same", "gone", "new"]
    text: str


class UnknownPrompt(MistakebookError, ValueError):  # validators of options raise it, which pydantic takes from a ValueError alone
    """No prompt, or no version of it, has that name."""

    status = 404


def find(name: str) -> PromptFile:
    """The file of a prompt. Raises UnknownPrompt."""
    if name not in names():
        raise UnknownPrompt(f"no prompt {name!r}; there are: {', '.join(names())}")
    return shipped(name)


def in_use(store: Store, name: str) -> str:
    """The version that new jobs ask by."""
    value = store.value("setting_latest", str, name=_setting(name))
    return (value and json.loads(value)) or shipped(name).version


def text_of(store: Store, name: str, version: str) -> str:
    """The text of a version; the first characters of its name are enough, "shipped" is the one that came with the program.

    Raises UnknownPrompt.
    """
    return _row(store, name, version).text


def full_version(store: Store, name: str, version: str) -> str:
    """The whole name of a version, from its first characters. Raises UnknownPrompt."""
    return _row(store, name, version).version


def _row(store: Store, name: str, version: str) -> PromptVersion:
    file = find(name)
    if version in (SHIPPED_BY, file.version):
        return PromptVersion(file.version, file.text)
    rows = store.rows("prompt_versions", StoredVersion, prompt=name)
    fitting = [row for row in rows if version and row.version.startswith(version)]
    if len(fitting) == 1:
        return PromptVersion(fitting[0].version, fitting[0].text)
    known = ", ".join(dict.fromkeys([file.version, *(row.version for row in rows)]))
    raise UnknownPrompt(f"{len(fitting) or 'no'} versions {version!r} of prompt {name}; there are: {known}")


def save(store: Store, name: str, system: str, user: str, note: str, author: str) -> str:
    """Stores an edited text; returns its version. One that is stored already is left as it is. Raises UnknownPrompt, BadPrompt."""
    text = checked(find(name), system, user)
    _keep(store, name, text, note.strip(), author)
    return version_of(text)


def use(store: Store, name: str, version: str, author: str) -> str:
    """From now on jobs ask by this version; returns its whole name. Raises UnknownPrompt."""
    version = full_version(store, name, version)
    value = None if version == shipped(name).version else version
    with store.write() as write:
        write.insert("setting", [{"name": _setting(name), "value": json.dumps(value), "author": author}])
    return version


def prompts_for(store: Store, wanted: tuple[str, ...], versions: dict[str, str] | None = None) -> Prompts:
    """The texts of these prompts, of the versions given, else of those in use, with the workspace's error types. Raises UnknownPrompt."""
    given = versions or {}
    texts = {name: text_of(store, name, given.get(name) or in_use(store, name)) for name in wanted}
    return Prompts(texts, taxonomy.current(store))


def pinned(store: Store, options: BaseModel) -> BaseModel:
    """The options with the versions of all prompts that their stage asks by; their texts are stored for good. Raises UnknownPrompt."""
    if not isinstance(options, PromptOptions):
        return options
    if unknown := sorted(set(options.prompts) - set(options.PROMPTS)):
        raise UnknownPrompt(f"this stage doesn't use prompt {unknown[0]!r}; it uses: {', '.join(options.PROMPTS)}")
    texts = prompts_for(store, options.PROMPTS, options.prompts).texts
    for name, text in texts.items():
        if text == shipped(name).text:
            _keep(store, name, text, "", SHIPPED_BY)
    return options.model_copy(update={"prompts": {name: version_of(text) for name, text in texts.items()}})


def write_texts(store: Store, options: BaseModel, folder: Path) -> None:
    """Puts the texts of pinned options into the job's folder, for its child."""
    if isinstance(options, PromptOptions):
        prompts_for(store, options.PROMPTS, options.prompts).write(folder)


def history(store: Store, name: str) -> list[ListedVersion]:
    """The versions of a prompt, newest first, the shipped one among them."""
    file, now = find(name), in_use(store, name)
    asked = {row.version: row.jobs for row in store.rows("prompt_jobs", VersionJobs, prompt=name)}

    def listed(version: str, note: str, author: str, created_at: datetime | None) -> ListedVersion:
        return ListedVersion(version, note, author, created_at, version == file.version, version == now, asked.get(version, 0))

    rows = store.rows("prompt_versions", StoredVersion, prompt=name)
    versions = [listed(row.version, row.note, row.author, row.created_at) for row in rows]
    missing = file.version not in {row.version for row in rows}
    return versions + [listed(file.version, "", SHIPPED_BY, None)] * missing


def difference(old: str, new: str) -> list[DiffLine]:
    """Lines of two texts, in the order in which a reader goes through them."""
    kinds: dict[str, Literal["same", "gone", "new"]] = {" ": "same", "-": "gone", "+": "new"}
    lines = difflib.ndiff(old.rstrip("\n").split("\n"), new.rstrip("\n").split("\n"))
    return [DiffLine(kinds[line[0]], line[2:]) for line in lines if line[0] in kinds]


def _keep(store: Store, name: str, text: str, note: str, author: str) -> None:
    row = {"prompt": name, "version": version_of(text), "text": text, "note": note, "author": author}
    with store.write() as write:
        write.insert("prompt_version", [row])


def _setting(name: str) -> str:
    return f"prompt {name}"
