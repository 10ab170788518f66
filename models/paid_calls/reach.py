"""A client whose endpoint's name is resolved once: the address that was looked at is the one that is called.

Addresses by which a cloud hands out its machines' credentials (link-local ones) are never called. Where a proxy of the environment
is used, it resolves names itself, and nothing of this holds.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from data.errors import MistakebookError
from models.paid_calls.records import FrontierStopped

METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"), ipaddress.ip_network("fd00:ec2::/32"))


class Unreachable(MistakebookError, OSError):
    """An address that is never called."""


def refuse(address: str) -> str | None:
    """What is wrong with an IP address as that of an endpoint."""
    number = ipaddress.ip_address(address.partition("%")[0])
    number = getattr(number, "ipv4_mapped", None) or number
    if any(number in network for network in METADATA if network.version == number.version) or number.is_multicast or number.is_unspecified:
        return f"{address} is an address of the network itself (link-local, where clouds keep credentials), and no endpoint's"
    return None


def pin(http_client: Any, base_url: str) -> None:
    """Lets a client over aiohttp resolve each name once. Raises FrontierStopped where the URL itself names an address that is refused."""
    host = urlsplit(base_url).hostname or ""
    try:
        refusal = refuse(host)
    except ValueError:  # a name
        refusal = None
    if refusal:
        raise FrontierStopped(refusal, resumable=False)
    http_client._transport.client = _session  # what httpx's aiohttp transport calls at its first request


def _session() -> Any:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Pinned(AbstractResolver):
        """Each name is resolved once, by the system."""

        def __init__(self) -> None:
            self._found: dict[tuple[str, int, int], list[ResolveResult]] = {}

        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
            if (host, port, family) not in self._found:
                answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
                addresses = [(kind, str(where[0])) for kind, _, _, _, where in answers]
                for _, address in addresses:
                    if refusal := refuse(address):
                        raise Unreachable(f"{host} resolves to {refusal}")
                self._found[host, port, family] = [
                    ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
                    for kind, address in addresses
                ]
            return self._found[host, port, family]

        async def close(self) -> None:
            pass

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Pinned()))
