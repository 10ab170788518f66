"""The base of every exception that this project defines.

It lies in `data`, the lowest package, for `models` and `curation` derive from it as well and imports run one way.
"""

import errno
import os
import shutil
import sqlite3


class MistakebookError(Exception):
    """A fault that is known by name: its text says what failed, on which input, and what to do.

    `status` is the HTTP status that a route answers with where the exception leaves it, with the text as `error`. It is 409 (what was
    asked does not fit what is there) unless the class says otherwise: 404 for what does not exist, 507 for a full disk. 500 marks a fault
    of the program: its text goes to the log and not to the client.
    """

    status: int = 409


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk is why an exception was raised: itself, or one that it was raised from, says so."""
    while error is not None:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return True
        if isinstance(error, shutil.Error) and os.strerror(errno.ENOSPC) in str(error):  # of copytree, which keeps texts alone
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
