"""A table with a header line, separated by tabs, for any dataset of one's own: as `csv`, whose columns it has."""

from data.datasets._lists import ListOptions
from data.datasets._source import Source
from data.datasets._table import TableFormat


class Tsv(TableFormat):
    """A list of examples as a table separated by tabs."""

    class Options(ListOptions):
        pass

    format, rank = "tsv", 8  # rank: formats of lower numbers are recognised first
    endings = (".tsv", ".tab")
    delimiters = ("\t",)
    expected = "a tab-separated file"

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = source.ending(*cls.endings)
        return f"{', '.join(map(source.named, found[:6]))}: a table separated by tabs" if found else None
