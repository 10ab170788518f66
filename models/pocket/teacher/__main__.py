"""`python -m models.pocket.teacher --port 0`: serve until stopped; the first line printed is {"port": N}."""

import argparse
import json
import socket
from pathlib import Path

import uvicorn

from models.pocket.teacher.faults import Faults
from models.pocket.teacher.server import application


class _Server(uvicorn.Server):
    """Says where it listens once it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets:
            print(json.dumps({"port": sockets[0].getsockname()[1]}), flush=True)


def main() -> None:
    options = _options()
    names = ("latency", "error_rate", "rate_limit", "malformed", "truncate", "hang", "seed")
    faults = Faults(**{name: getattr(options, name) for name in names})
    # the protocol named: asyncio sends small packets at once only then, else each answer on a kept connection waits 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    config = uvicorn.Config(
        application(faults, options.log), log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1, backlog=1024
    )
    _Server(config).run(sockets=[listener])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.pocket.teacher", description="The built-in frontier model, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="write one JSON line a request to this file")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="wait before each answer")
    for name, what in (
        ("error-rate", "fail with 500 or 503"),
        ("rate-limit", "fail with 429 and Retry-After"),
        ("malformed", "answer with something that fits no schema"),
        ("truncate", "cut the answer off"),
        ("hang", "never answer"),
    ):
        parser.add_argument(f"--{name}", type=_share, default=0.0, metavar="P", help=f"share of requests, 0 to 1, to {what}")
    parser.add_argument("--seed", type=int, help="makes the faults repeatable")
    return parser.parse_args()


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return value


if __name__ == "__main__":
    main()
