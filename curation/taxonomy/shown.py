"""The taxonomy as people see it: every error type with what bears it, and the versions before."""

from dataclasses import dataclass
from datetime import datetime

from curation import taxonomy
from curation.taxonomy import Carried
from data.records import Record
from data.store import Store

NOTHING = Carried(0, 0, 0, 0)


@dataclass(frozen=True)
class TypeShown(Record):
    """An error type, and what bears it; `fixed`: the program goes by its name."""

    name: str
    definition: str
    example: str
    colour: str
    hidden: bool
    fixed: bool
    used: Carried


@dataclass(frozen=True)
class VersionShown(Record):
    version: int
    text: str
    author: str
    created_at: datetime


@dataclass(frozen=True)
class TaxonomyShown(Record):
    """Error types in their order, hidden ones too; `aliases` are names that are gone, and what they are called now."""

    version: int
    error_types: list[TypeShown]
    aliases: dict[str, str]
    history: list[VersionShown]


def shown(store: Store) -> TaxonomyShown:
    now, used = taxonomy.current(store), taxonomy.usage(store)
    types = [TypeShown(**vars(type_), fixed=type_.name in taxonomy.FIXED, used=used.get(type_.name, NOTHING)) for type_ in now.types]
    past = [VersionShown(version.version, version.text, version.author, version.created_at) for version in taxonomy.history(store)]
    return TaxonomyShown(now.version, types, dict(now.aliases), past)
