"""The taxonomy of errors (METHOD.md): names, definitions, examples and the colour each keeps on every page.

A workspace may edit it (curation/taxonomy/); what stands here is what it starts with, version 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ErrorType:
    """`hidden`: not offered to the frontier model or to people any more; what has it keeps it."""

    name: str
    definition: str
    example: str
    colour: str
    hidden: bool = False


ERROR_TYPES = (
    ErrorType("recognition", "An object, scene or its presence is not recognised, or something else is seen.", "calls a hexagon a circle", "#38b2c4"),
    ErrorType("attribute", "The object is right but its colour, size, material or state is not.", "reads orange as yellow", "#6cc5b0"),
    ErrorType("counting", "The number of things is wrong.", "counts three cups as two", "#efb118"),
    ErrorType("negation", "A negated question is answered as if it were not negated.", "“Is there no cat?” is answered like “Is there a cat?”", "#4269d0"),
    ErrorType("spatial", "Where things are, or how they stand to each other, is wrong.", "says top for bottom", "#ff725c"),
    ErrorType("text-reading", "Text in the image is misread or overlooked.", "reads a sign's 8 as 3", "#8c9a3c"),
    ErrorType("chart-or-table", "A chart, table or diagram is read off wrongly.", "takes the value of the neighbouring bar", "#d6679a"),
    ErrorType("comparison", "Things are compared wrongly: larger, lowest, most, same.", "names the tallest bar when asked for the shortest", "#97bbf5"),
    ErrorType("external-knowledge", "A fact that is not in the image is missing or wrong.", "does not know how many sides a hexagon has", "#3ca951"),
    ErrorType("multi-step-reasoning", "Each fact is seen, but they are combined wrongly.", "adds the wrong two numbers", "#b07aa1"),
    ErrorType("unanswerable", "The image does not suffice, but the model answers anyway, or the reverse.", "names a shape in a blurred photo", "#ff8ab7"),
    ErrorType("instruction-or-format", "The task's form is not followed: option letters, wording, units.", "never chooses option C", "#a463f2"),
    ErrorType("label-error", "The gold answer is wrong.", "gold says two where three are plain to see", "#9c6b4e"),
    ErrorType("scorer-artefact", "The answer is right but in a form that the metric doesn't take.", "“2 dogs” where gold is “two”", "#8d8d86"),
)
UNKNOWN_COLOUR = "#b9b8b0"


@dataclass(frozen=True)
class Taxonomy:
    """The error types of a workspace in their order, and what names that are gone are called now."""

    version: int = 1
    types: tuple[ErrorType, ...] = ERROR_TYPES
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are offered: not the hidden ones."""
        return tuple(type_.name for type_ in self.types if not type_.hidden)

    def find(self, name: str | None) -> ErrorType | None:
        """The error type that a name stands for, hidden or not, by its present name or one that is gone."""
        wanted = self.aliases.get(name or "", name)
        return next((type_ for type_ in self.types if type_.name == wanted), None)

    def of_kind(self, kind: str | None) -> str | None:
        """The error type that a dataset's kind of question belongs to: "counting/3" is counting; None if it names none."""
        error_type = self.find((kind or "").partition("/")[0])
        return error_type.name if error_type else None

    def glossary(self) -> str:
        """One line an error type, as it is given to the frontier model."""
        return "\n".join(f"- {type_.name}: {type_.definition} Example: {type_.example}." for type_ in self.types if not type_.hidden)


DEFAULT = Taxonomy()
BY_NAME = {error_type.name: error_type for error_type in ERROR_TYPES}


def of_kind(kind: str | None) -> str | None:
    """As `Taxonomy.of_kind`, of the taxonomy that the program comes with."""
    return DEFAULT.of_kind(kind)


def glossary() -> str:
    """As `Taxonomy.glossary`, of the taxonomy that the program comes with."""
    return DEFAULT.glossary()
