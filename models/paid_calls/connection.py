"""The connection to an endpoint: its address, key and time-outs, and the openai package's client for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from models.paid_calls import reach
from models.paid_calls.records import FrontierStopped

if TYPE_CHECKING:
    import openai

_AZURE = (".azure.com", ".azure.us", ".azure.cn")


@dataclass(frozen=True)
class EndpointConnection:
    """An endpoint and how patient to be with it."""

    base_url: str
    api_key: str | None
    key_env: str
    timeout_s: float
    attempts: int
    trust_env: bool  # whether proxies of the environment count
    model: str = ""
    hedge_after_s: float | None = None  # a second call where the first takes longer
    pinned: bool = False  # the name is resolved once; what it resolves to must be no address of a cloud's own (models/paid_calls/reach.py)


def address(connection: EndpointConnection) -> tuple[str, dict[str, str]]:
    """(base URL, query of every call) of an endpoint as people write it.

    Azure's may be `https://NAME.openai.azure.com?api-version=2024-10-21` (the deployment is the model's name), its full form
    `.../openai/deployments/NAME?api-version=2024-10-21`, or the newer one without a version, `https://NAME.openai.azure.com/openai/v1`.
    """
    parts = urlsplit(connection.base_url)
    query = dict(parse_qsl(parts.query))
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    if path in ("", "/openai"):
        if "api-version" in query:
            path = f"/openai/deployments/{connection.model}"
        elif (parts.hostname or "").endswith(_AZURE):
            path = "/openai/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), query


def connect(connection: EndpointConnection) -> openai.AsyncOpenAI:
    """The client, over its aiohttp transport; it never tries again by itself. To be closed in the event loop that uses it.

    Raises FrontierStopped if the address holds a password: addresses stand in the journal, in reports and on pages.
    """
    import openai

    if "@" in urlsplit(connection.base_url).netloc:
        raise FrontierStopped(
            f"the endpoint's address contains a user name or password; remove them and give the key in {connection.key_env}",
            resumable=False,
        )
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs each URL, and a URL may hold a key
    base_url, query = address(connection)
    api_key, timeout = connection.api_key or "none", connection.timeout_s
    # a redirect could lead the key, or the call, to an address that nobody has named
    http_client = openai.DefaultAioHttpClient(trust_env=connection.trust_env, follow_redirects=False)
    if connection.pinned:
        reach.pin(http_client, base_url)
    if version := query.get("api-version"):  # the key goes into Azure's own header then
        return openai.AsyncAzureOpenAI(
            api_version=version,
            api_key=api_key,
            base_url=base_url,
            default_query=query,
            http_client=http_client,
            max_retries=0,
            timeout=timeout,
        )
    return openai.AsyncOpenAI(
        api_key=api_key, base_url=base_url, default_query=query, http_client=http_client, max_retries=0, timeout=timeout
    )
