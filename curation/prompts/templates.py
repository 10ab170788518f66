"""Prompts are files: prompts/<name>.md says what it is for, which fields it has and what it asks; then come a system and a user part.

A prompt's text is Markdown under "# system" and "# user" with Jinja fields. Its version is the hash of that text, so that a changed
prompt is a different request. What a workspace uses instead of the shipped text is kept by curation/prompts/versions.py.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, Field

from curation import taxonomy
from curation.error_types import DEFAULT, Taxonomy
from curation.prompts import reply_schemas

FOLDER = Path(__file__).parent
ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_FIELD = re.compile(r"^- (?P<name>\w+)(?P<optional> \(optional\))?: (?P<about>.+)$")


@dataclass(frozen=True)
class Prompt:
    """A prompt filled in."""

    system: str
    user: str
    version: str


@dataclass(frozen=True)
class PromptField:
    name: str
    about: str
    required: bool  # False: a prompt may leave it out


@dataclass(frozen=True)
class PromptFile:
    """A file of prompts/: what the prompt is for, its fields, its text."""

    name: str
    title: str
    used_by: tuple[str, ...]  # stages and filters
    reply: type[BaseModel]
    fields: tuple[PromptField, ...]
    text: str  # from "# system" on

    @property
    def version(self) -> str:
        return version_of(self.text)


class PromptOptions(BaseModel):
    """Part of the Options of every stage that asks by prompts; PROMPTS names them."""

    PROMPTS: ClassVar[tuple[str, ...]] = ()
    prompts: dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]] = Field(
        default_factory=dict, description="Versions of prompts, by the prompt's name; those in use if left out."
    )


@dataclass(frozen=True)
class Prompts:
    """The texts that a job asks by, where it has none of its own, the shipped ones; and the error types that they name."""

    texts: Mapping[str, str] = field(default_factory=dict)
    taxonomy: Taxonomy = DEFAULT

    def render(self, name: str, /, **fields: object) -> Prompt:
        """The prompt filled in. Raises jinja2.UndefinedError if a field is missing."""
        text = self.texts.get(name) or shipped(name).text
        system, user = parts(text)
        return Prompt(_filled(system, fields), _filled(user, fields), version_of(text))

    @classmethod
    def of_job(cls, folder: Path) -> "Prompts":
        """Those that `write` has put into a job's folder."""
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "prompts").glob("*.md"))}
        return cls(texts, taxonomy.read_from_folder(folder))

    def write(self, folder: Path) -> None:
        """Puts texts and error types into a job's folder: its child asks by these, whatever is in use when it is resumed."""
        taxonomy.write_to_folder(self.taxonomy, folder)
        for name, text in self.texts.items():
            path = folder / "prompts" / f"{name}.md"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")


SHIPPED = Prompts()


def render(name: str, /, **fields: object) -> Prompt:
    """The shipped prompt filled in."""
    return SHIPPED.render(name, **fields)


def names() -> list[str]:
    """All prompts there are, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


@cache
def shipped(name: str) -> PromptFile:
    """The file prompts/<name>.md. Raises FileNotFoundError."""
    head, _, body = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("# system\n")
    head_lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line and not line.startswith("- "))
    fields = [match for line in head.splitlines() if (match := _FIELD.match(line))]
    return PromptFile(
        name=name,
        title=head_lines["Title"],
        used_by=tuple(head_lines["Used by"].split(", ")) if "Used by" in head_lines else (),
        reply=getattr(reply_schemas, head_lines["Reply"]),
        fields=tuple(PromptField(match["name"], match["about"], not match["optional"]) for match in fields),
        text=joined(*parts(f"# system\n{body}")),
    )


def version_of(text: str) -> str:
    """First 12 hexadecimal digits of the SHA-256 of a prompt's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parts(text: str) -> tuple[str, str]:
    """System and user part of a prompt's text.

    >>> parts(joined("Be brief.", "Question: {{ question }}"))
    ('Be brief.', 'Question: {{ question }}')
    """
    system, _, user = text.removeprefix("# system\n").partition("\n# user\n")
    return system.strip(), user.strip()


def joined(system: str, user: str) -> str:
    """The text that has these parts: `parts` the other way round."""
    return f"# system\n{_plain(system)}\n\n# user\n{_plain(user)}\n"


def _plain(part: str) -> str:
    return "\n".join(line.rstrip() for line in part.replace("\r\n", "\n").strip().split("\n"))


@cache
def _template(part: str) -> Template:
    return ENVIRONMENT.from_string(part)


def _filled(part: str, fields: Mapping[str, object]) -> str:
    return _template(part).render(fields)
