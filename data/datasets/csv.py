"""A table with a header line, for any dataset of one's own: separated by commas, semicolons or tabs. The columns are those of `_lists.py`.

Several answers or choices stand in one cell, with | between them; or choices have a column each, A, B, C …

id,image,question,answers,choices,split,kind
7,photos/7.jpg,What color is the bus?,red|red|dark red,,eval,attribute/colour
"""

from data.datasets._lists import ListOptions
from data.datasets._source import Source
from data.datasets._table import TableFormat


class Csv(TableFormat):
    """A list of examples as a table in text."""

    class Options(ListOptions):
        pass

    format, rank = "csv", 7  # rank: formats of lower numbers are recognised first
    endings = (".csv",)
    expected = "a comma-separated file"

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = source.ending(*cls.endings)
        return f"{', '.join(map(source.named, found[:6]))}: a table with a header line" if found else None
