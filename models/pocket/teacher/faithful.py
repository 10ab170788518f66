"""Is a picture what its prompt says? The prompt is read by rules, the picture by the eye; nothing more may be there either."""

import re
from dataclasses import dataclass
from itertools import permutations

from PIL import Image

from models.pocket.teacher import words as w
from models.pocket.teacher.answers import DOUBTFUL, stands
from models.pocket.teacher.eyes import Object, Seen, see

_RELATION = re.compile(r"\b(left of|right of|above|below)\b")


@dataclass(frozen=True)
class Wanted:
    """What a prompt fixes: (size, color, shape) of each thing, how the first stands to the second, and whether it is blurred."""

    things: tuple[tuple[str | None, str, str], ...]
    relation: str | None
    blurred: bool


def read_prompt(prompt: str) -> Wanted | None:
    """What the prompt fixes, or None if it names no thing with color and shape.

    >>> read_prompt("a large red circle left of a small blue square, plain light background")
    Wanted(things=(('large', 'red', 'circle'), ('small', 'blue', 'square')), relation='left', blurred=False)
    """
    relation = _RELATION.search(prompt.lower())
    things: list[tuple[str | None, str, str]] = []
    looks: dict[str, str] = {}
    for word in w.tokens(prompt):
        if size := w.size_of(word):
            looks = {"size": size}
        elif colour := w.colour_of(word):
            looks["colour"] = colour
        elif (shape := w.shape_of(word)) and "colour" in looks:
            things.append((looks.get("size"), looks["colour"], shape))
            looks = {}
    if not things:
        return None
    return Wanted(
        tuple(things), relation[1].split()[0] if relation and len(things) == 2 else None, bool(re.search(r"\bblur", prompt.lower()))
    )


def faithful(image: Image.Image, prompt: str) -> bool:
    """Whether all things of the prompt are seen, right in shape, color, size and relation, and nothing else.

    Of a blurred picture only the colors can be told. Raises ValueError if the prompt names no thing.
    """
    wanted = read_prompt(prompt)
    if wanted is None:
        raise ValueError(f"no colored shape in the prompt {prompt!r}; expected words such as 'a large red circle'")
    return fits(see(image), wanted)


def fits(seen: Seen, wanted: Wanted) -> bool:
    if seen.bars or seen.blurred != wanted.blurred or (not seen.blurred and len(seen.things) != len(wanted.things)):
        return False
    if seen.blurred:
        return {thing.colour for thing in seen.things} == {colour for _, colour, _ in wanted.things}
    return any(_each_fits(order, wanted) for order in _orders(seen.things))


def _orders(things: tuple[Object, ...]):
    return permutations(things) if len(things) <= 4 else [things]


def _each_fits(things: tuple[Object, ...], wanted: Wanted) -> bool:
    alike = all(
        thing.colour == colour and thing.colour_confidence >= DOUBTFUL and thing.shape == shape and size in (None, thing.size)
        for thing, (size, colour, shape) in zip(things, wanted.things)
    )
    return alike and (wanted.relation is None or stands(things[0], wanted.relation, things[1]))
