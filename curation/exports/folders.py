"""Where exports go unless a folder is named."""

import re


def folder_name(name: str) -> str:
    """A name that people gave, as that of a folder: no separators, no leading dot, never empty.

    >>> folder_name("org/model v1"), folder_name("../../etc"), folder_name("é?")
    ('org-model v1', 'etc', 'é')
    """
    return re.sub(r"[^\w .()+-]+", "-", name).strip(" .-")[:120] or "unnamed"
