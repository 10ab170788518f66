"""Values that no table can hold: numbers beyond 64 bits, and halves of characters, which JSON can say and UTF-8 can't."""

from collections.abc import Mapping

from data.store_errors import BadValue

BITS = 63


def check_values(values: Mapping[str, object], cause: Exception) -> None:
    """Raises BadValue with the field's name if one of the values (or of what is in it) was the cause why the store took none."""
    for name, value in values.items():
        if flaw := _flaw(value):
            raise BadValue(f"{name}: {flaw}") from cause


def _flaw(value: object) -> str | None:
    if isinstance(value, int) and not -(2**BITS) <= value < 2**BITS:
        return "a number of more than 64 bits, expected a smaller one"
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        return "half of a character (a lone surrogate), expected text that UTF-8 can say"
    if isinstance(value, Mapping):
        return next(filter(None, map(_flaw, (*value.keys(), *value.values()))), None)
    if isinstance(value, list | tuple | set | frozenset):
        return next(filter(None, map(_flaw, value)), None)
    return None
