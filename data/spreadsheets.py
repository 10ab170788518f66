"""Cells of tables that spreadsheets open: a text that begins like a formula is kept from being one."""

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # also as full-width characters, which some spreadsheets convert


def plain_cell(value: Any) -> Any:
    """A value for a cell of CSV. A text that a spreadsheet might take for a formula begins with an apostrophe, which it shows as nothing.

    Exports that programs read (JSON lines, Parquet) keep texts as they are. Source: OWASP, "CSV Injection".
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value
