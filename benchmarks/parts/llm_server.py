"""A lean OpenAI-compatible server for benchmarks, in a process of its own: so many slots, a fixed latency, faults to order.

It answers `item <number>` with that number, as JSON in the message or in the arguments of a tool that was offered, and counts what it was
asked. Plain asyncio and no framework, so that it takes as little as can be of the cores that it shares with who is measured.
"""

import asyncio
import collections
import contextlib
import json
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

_ITEM = re.compile(rb"item (\d{6})")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_TOOL = re.compile(rb'"tools": ?\[.*?"name": ?"(\w+)"', re.DOTALL)
REASON = "Of what the picture shows, the number is what the question asks for; nothing else in it bears on the answer. "
FILLING = {"integer": 1, "number": 1, "boolean": False, "array": []}


@dataclass(frozen=True)
class Order:
    slots: int = 64
    latency_s: float = 1.0
    limited: float = 0.0  # share of 429, each with Retry-After: 1
    broken: float = 0.0  # share of 500
    wrong_schema: float = 0.0
    seed: int = 0


class Server:
    def __init__(self, order: Order):
        self.order = order
        self.random = random.Random(order.seed)
        self.free = order.slots
        self.waiting: collections.deque[Connection] = collections.deque()
        self.calls = self.most = 0
        self.first = self.last = 0.0

    def take(self, connection: "Connection") -> None:
        self.calls += 1
        self.first = self.first or time.monotonic()
        if self.free:
            self.start(connection)
        else:
            self.waiting.append(connection)

    def start(self, connection: "Connection") -> None:
        self.free -= 1
        self.most = max(self.most, self.order.slots - self.free)
        asyncio.get_running_loop().call_later(self.order.latency_s, self.answer, connection)

    def answer(self, connection: "Connection") -> None:
        self.free += 1
        self.last = time.monotonic()
        connection.reply(*self.reply(connection.body))
        while self.waiting and self.free:
            self.start(self.waiting.popleft())

    def log(self) -> dict[str, float]:
        """Calls, the most at once, and the share of the slots that were busy from the first call to the last answer."""
        possible = self.order.slots * (self.last - self.first)
        busy = self.order.latency_s * self.calls / possible if possible else 0.0
        return {"calls": self.calls, "most": self.most, "busy": busy}

    def reply(self, body: bytes) -> tuple[str, dict]:
        draw = self.random.random()
        if draw < self.order.limited:
            return "429 Too Many Requests", {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
        draw -= self.order.limited
        if draw < self.order.broken:
            return "500 Internal Server Error", {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
        item = _ITEM.search(body)
        fields = {"answer": item[1].decode(), "confidence": 3, "reason": REASON * 3} if item else _filled(body)
        if draw - self.order.broken < self.order.wrong_schema:
            fields = {"result": fields["answer"]}
        return "200 OK", _completion(json.dumps(fields), _TOOL.search(body))


def _filled(body: bytes) -> dict:
    """Something that fits the flat schema of a call that is no item: what a stage asks, or a tool that tries out an endpoint."""
    wanted = json.loads(body).get("response_format") or {}
    properties = (wanted.get("json_schema") or {}).get("schema", {}).get("properties", {})
    return {name: FILLING.get(about.get("type"), "counting") for name, about in properties.items()}


def _completion(content: str, tool: re.Match[bytes] | None) -> dict:
    message = {"role": "assistant", "content": content}
    if tool:
        call = {"id": "call_1", "type": "function", "function": {"name": tool[1].decode(), "arguments": content}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {
        "id": "bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "finish_reason": "tool_calls" if tool else "stop", "message": message}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, one call at a time."""

    def __init__(self, server: Server):
        self.server, self.buffer, self.head, self.length, self.body = server, bytearray(), 0, 0, b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.head:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = end + 4
            match = _LENGTH.search(self.buffer, 0, end)
            self.length = int(match[1]) if match else 0
        if len(self.buffer) >= self.head + self.length:
            is_log = self.buffer.startswith(b"GET /log")
            self.body = bytes(self.buffer[self.head : self.head + self.length])
            del self.buffer[: self.head + self.length]
            self.head = 0
            if is_log:
                self.reply("200 OK", self.server.log())
            else:
                self.server.take(self)

    def reply(self, status: str, said: dict) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps(said).encode()
        later = "Retry-After: 1\r\n" if status.startswith("429") else ""
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{later}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


@contextlib.contextmanager
def running(order: Order) -> Iterator[tuple[str, "Log"]]:
    """(base URL, its log) of a server in a process of its own."""
    command = [sys.executable, Path(__file__), json.dumps(asdict(order))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(process.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}/v1", Log(port)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Log:
    port: int

    def read(self) -> dict[str, float]:
        """{"calls", "most" at once, "busy": share of the slots} so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/log") as response:
            return json.load(response)


async def _serve(order: Order) -> None:
    loop = asyncio.get_running_loop()
    shared = Server(order)
    listening = await loop.create_server(lambda: Connection(shared), "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # ends with its parent


if __name__ == "__main__":
    asyncio.run(_serve(Order(**json.loads(sys.argv[1]))))
