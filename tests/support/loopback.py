"""An aiohttp application on loopback as a process of its own: it prints {"port": N} and ends with its parent. Whoever starts it, too."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]


async def serve(app) -> None:
    """Serves an `aiohttp.web.Application` on any free port until standard input is closed."""
    from aiohttp import web

    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": site._server.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with its parent


@contextlib.contextmanager
def running(module: str, order: dict) -> Iterator[int]:
    """The port of a server, a module such as tests.support.chaos_server, that was given an order."""
    command = [sys.executable, "-m", module, json.dumps(order)]
    process = subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["port"]
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()
