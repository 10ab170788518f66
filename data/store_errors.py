"""How the store fails. Each text says what to do."""

from data.errors import MistakebookError


class StoreError(MistakebookError):
    """The store can't be opened or doesn't fit; the text says what to do."""


class StoreInUse(StoreError):
    """Another process has the file open (DuckDB allows one)."""


class StoreForbidden(StoreError):
    """This user may not read or write the file, its log or their folder."""


class StoreNewer(StoreError):
    """A newer version wrote the file."""


class StoreMissing(StoreError):
    """The file is gone, but its log or the journal of decisions is there."""


class StoreDamaged(StoreError):
    """The file itself can't be read; file and log are as they were."""


class DiskFull(StoreError):
    """The disk that holds the store is full: the transaction is undone."""

    status = 507


class QueryFailed(StoreError):
    """A named query raised: a fault of ours, not of the user."""

    status = 500


class KeyTaken(QueryFailed):
    """A row's key is in its table already; the transaction is undone."""


class BadValue(StoreError):
    """A value that no table can hold was given; the text names its field."""

    status = 422
