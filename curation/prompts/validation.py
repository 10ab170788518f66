"""Is an edited prompt one that can be sent? Each flaw names its part and line, and what to do.

Fields are texts, so a prompt needs no loops, no arithmetic and no attributes: what a template may hold is a short list, and
none of it can run long, grow large or reach into the program.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
        self.flaws = flaws


def checked(file: PromptFile, system: str, user: str) -> str:
    """The text of an edited prompt. Raises BadPrompt with all its flaws."""
    text = joined(system, user)
    if wrong := flaws(file, text):
        raise BadPrompt(file.name, wrong)
    return text


def flaws(file: PromptFile, text: str) -> list[Flaw]:
    """What is wrong with a prompt's text, in the order of its lines; empty if it can be sent."""
    problems: list[Flaw] = []
    names = [field.name for field in file.fields]
    used: set[str] = set()
    for part, source in zip(("system", "user"), parts(text)):
        before = len(problems)
        if len(source) > LONGEST:
            problems.append(Flaw(part, 1, f"{len(source):,} characters; at most {LONGEST:,} are sent"))
            continue
        if not source:
            problems.append(Flaw(part, 1, "is empty"))
        problems += [Flaw(part, i, "a line “# user” divides the two parts; rephrase it") for i in _dividers(source)]
        try:
            tree = ENVIRONMENT.parse(source)
        except TemplateSyntaxError as error:
            problems.append(Flaw(part, error.lineno, f"{(error.message or '').rstrip('.')}. A prompt may hold {CAN}"))
            continue
        for node in _walk(tree):
            problems += _of_node(part, node, names)
        used |= {node.name for node in tree.find_all(nodes.Name)}
        if len(problems) == before:
            problems += _when_filled(part, source, names)
    last = len(parts(text)[1].split("\n"))
    for field in file.fields:
        if field.required and field.name not in used and not any("syntax" in flaw.problem for flaw in problems):
            problems.append(Flaw("user", last, f"{{{{ {field.name} }}}} is missing: the reply needs {field.about}"))
    return problems


def _of_node(part: str, node: nodes.Node, names: list[str]) -> Iterator[Flaw]:
    if not isinstance(node, ALLOWED):
        yield Flaw(part, node.lineno, f"{type(node).__name__.lower()} is not possible here. A prompt may hold {CAN}")
    elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield Flaw(part, node.lineno, f"unknown filter “{node.name}”; there are: {', '.join(FILTERS)}")
    elif isinstance(node, nodes.Name) and node.name not in names:
        yield Flaw(part, node.lineno, f"unknown field “{node.name}”; there are: {', '.join(names)}")


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """A template's nodes in reading order; children of one that isn't allowed are left out."""
    yield node
    if isinstance(node, ALLOWED):
        for child in node.iter_child_nodes():
            yield from _walk(child)


def _when_filled(part: str, source: str, names: list[str]) -> Iterator[Flaw]:
    """What only shows when the fields are filled in: once all of them, once all empty."""
    for value in ("a text", ""):
        try:
            ENVIRONMENT.from_string(source).render(dict.fromkeys(names, value))
        except (TemplateError, TypeError, ValueError) as error:
            yield Flaw(part, 1, f"can't be filled in: {error}")
            return


def _dividers(source: str) -> list[int]:
    return [i for i, line in enumerate(source.split("\n"), 1) if re.fullmatch(r"# (system|user)\s*", line)]
