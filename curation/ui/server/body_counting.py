"""No request's body is read further than its route takes (route_table.py): its header tells, else it is counted while it comes."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from curation.ui.server.route_table import Rule


def announced_too_large(rule: Rule, headers: dict[str, str]) -> str | None:
    """What is wrong with the size that a request says it has."""
    size = headers.get("content-length", "0")
    return _words(rule) if not size.isdecimal() or len(size) > 15 or int(size) > rule.body else None


def counted(rule: Rule, receive: Receive) -> Receive:
    """`receive` that raises HTTPException (413) at the first byte too many."""
    read = 0

    async def received() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > rule.body:
            raise HTTPException(413, _words(rule), headers={"Connection": "close"})
        return message

    return received


def _words(rule: Rule) -> str:
    most = f"{rule.body / 2**20:,.0f} MB" if rule.body >= 2**20 else f"{rule.body:,} bytes"
    return f"the request is larger than {most}, the most that {rule.route.partition(' ')[2]} takes"
