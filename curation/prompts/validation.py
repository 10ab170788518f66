"""Is an edited prompt one that can be sent? Each flaw names its part and line, and what to do.

Fields are texts, so a prompt needs no loops, no arithmetic and no attributes: what a template may hold is a short list, and
none of it can run long, grow large or reach into the program.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from curation.prompts.templates import ENVIRONMENT, PromptFile, joined, parts
from data.errors import MistakebookError

LONGEST = 20_000  # characters of a part
FILTERS = ("capitalize", "lower", "title", "trim", "upper")
ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Filter),
    *(nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand),
)
CAN = "{{ field }}, {% if field %} … {% else %} … {% endif %} and {# comment #}"


@dataclass(frozen=True)
class Flaw:
    part: str  # system or user
    line: int  # from 1
    problem: str

    def __str__(self) -> str:
        return f"{self.part} part, line {self.line}: {self.problem}"


class BadPrompt(MistakebookError):
    """A text that can't be used as a prompt; `flaws` says where and why."""

    def __init__(self, name: str, flaws: list[Flaw]):
        super().__init__(f"prompt {name}: " + "; ".join(map(str, flaws)))
        self.flaws = [asdict(flaw) for flaw in flaws]


def checked(file: PromptFile, system: str, user: str) -> str:
    """The text of an edited prompt. Raises BadPrompt with all its flaws."""
    text = joined(system, user)
    found = flaws(file, text)
    if found:
        raise BadPrompt(file.name, found)
    return text


def flaws(file: PromptFile, text: str) -> list[Flaw]:
    """What is wrong with a prompt's text, in the order of its lines; empty if it can be sent."""
    found: list[Flaw] = []
    there = [field.name for field in file.fields]
    named: set[str] = set()
    for part, source in zip(("system", "user"), parts(text)):
        before = len(found)
        if len(source) > LONGEST:
            found.append(Flaw(part, 1, f"{len(source):,} characters; at most {LONGEST:,} are sent"))
            continue
        if not source:
            found.append(Flaw(part, 1, "is empty"))
        found += [Flaw(part, i, "a line “# user” divides the two parts; word it otherwise") for i in _dividers(source)]
        try:
            tree = ENVIRONMENT.parse(source)
        except TemplateSyntaxError as error:
            found.append(Flaw(part, error.lineno, f"{(error.message or '').rstrip('.')}. A prompt may hold {CAN}"))
            continue
        for node in _walk(tree):
            found += _of_node(part, node, there)
        named |= {node.name for node in tree.find_all(nodes.Name)}
        if len(found) == before:
            found += _when_filled(part, source, there)
    last = len(parts(text)[1].split("\n"))
    for field in file.fields:
        if field.required and field.name not in named and not any("syntax" in flaw.problem for flaw in found):
            found.append(Flaw("user", last, f"{{{{ {field.name} }}}} is missing: the reply needs {field.about}"))
    return found


def _of_node(part: str, node: nodes.Node, there: list[str]) -> Iterator[Flaw]:
    if not isinstance(node, ALLOWED):
        yield Flaw(part, node.lineno, f"{type(node).__name__.lower()} is not possible here. A prompt may hold {CAN}")
    elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield Flaw(part, node.lineno, f"unknown filter “{node.name}”; there are: {', '.join(FILTERS)}")
    elif isinstance(node, nodes.Name) and node.name not in there:
        yield Flaw(part, node.lineno, f"unknown field “{node.name}”; there are: {', '.join(there)}")


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """A template's nodes in reading order; what stands within one that isn't allowed is left out."""
    yield node
    if isinstance(node, ALLOWED):
        for child in node.iter_child_nodes():
            yield from _walk(child)


def _when_filled(part: str, source: str, there: list[str]) -> Iterator[Flaw]:
    """What only shows when the fields are filled in: once all of them, once all empty."""
    for value in ("a text", ""):
        try:
            ENVIRONMENT.from_string(source).render(dict.fromkeys(there, value))
        except (TemplateError, TypeError, ValueError) as error:
            yield Flaw(part, 1, f"can't be filled in: {error}")
            return


def _dividers(source: str) -> list[int]:
    return [i for i, line in enumerate(source.split("\n"), 1) if re.fullmatch(r"# (system|user)\s*", line)]
