"""An OpenAI-compatible server on loopback that misbehaves to order:
`python -m tests.support.chaos_server '{"seed": 1, ...}'` prints {"port": N}.

Run in a process of its own, so that it survives its clients and doesn't share their event loop. GET /log tells what it was asked.
"""

import asyncio
import base64
import hashlib
import json
import random
import sys
import time

from aiohttp import web

from tests.support import loopback
from tests.support.quirky_endpoints import FAILS, REJECTS, SHAPES, Window, openai_strict

ORDER = {
    "seed": 0,
    "latency_s": 0.0,
    "slots": 0,  # calls served at once, others queue; 0: no limit
    "limited": 0.0,  # share of 429
    "retry_after": None,
    "broken": 0.0,  # share of 500
    "reset": 0.0,
    "truncated": 0.0,
    "wrong_schema": 0.0,
    "hang": 0.0,
    "hang_s": 60.0,
    "storm": None,  # [from, to]: calls that get a 401
    "most_at_once": 0,  # more get a 429 at once; 0: no limit
    "window": None,  # [calls, seconds, kind]: see quirky_endpoints.Window
    "rejects": [],  # names of parameters or response formats that get a 400
    "ignores_schema": False,
    "status": None,  # [status, body] for every call
    "status_after": 0,  # ... from this call on
    "always_bad": "",  # a call whose text holds this gets prose
    "most_after": 0,  # "most" in the log: the most calls at once, from this call on
    "bodies": 20,  # requests kept for the log, by model
    "key": "",  # the key expected, if any
    "fits": '{"answer": "ANSWER"}',  # a reply that fits; ANSWER: what it says
}


class Chaos:
    def __init__(self, order: dict):
        self.order = ORDER | order
        self.random = random.Random(self.order["seed"])
        self.slots = asyncio.Semaphore(self.order["slots"] or 10_000)
        self.texts: dict[str, int] = {}  # answered with a 200, by what was asked
        self.calls = self.now = self.most = self.limited = 0
        self.sums = [0, 0]  # of calls in flight at each call from most_after on, and how many those were
        self.bodies: dict[str, list[dict]] = {}  # by model
        self.window = Window(*self.order["window"]) if self.order["window"] else None
        self.failed: set[str] = set()  # models of FAILS that have

    async def chat(self, request: web.Request) -> web.StreamResponse:
        order = self.order
        self.calls += 1
        number = self.calls
        body = await request.json()
        bodies = self.bodies.setdefault(body["model"], [])
        if len(bodies) < order["bodies"]:
            bodies.append(body | {"_path": request.path})
        if order["storm"] and order["storm"][0] <= number < order["storm"][1]:
            return web.json_response({"error": {"message": "Your key is being rotated", "code": "invalid_api_key"}}, status=401)
        if order["most_at_once"] and self.now >= order["most_at_once"]:
            return self.limit({})
        passed, headers = self.window.take() if self.window else (True, {})
        if not passed:
            return self.limit(headers)
        self.now += 1
        if number > order["most_after"]:
            self.most = max(self.most, self.now)
            self.sums = [self.sums[0] + self.now, self.sums[1] + 1]
        try:
            async with self.slots:
                await asyncio.sleep(order["latency_s"])
        finally:
            self.now -= 1
        response = await self.respond(request, body, number)
        response.headers.update(headers)
        return response

    def limit(self, headers: dict) -> web.Response:
        self.limited += 1
        return web.json_response({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, status=429, headers=headers)

    async def respond(self, request: web.Request, body: dict, number: int) -> web.StreamResponse:
        order = self.order
        if body["model"] in FAILS and body["model"] not in self.failed:
            status, headers, content, outcome = FAILS[body["model"]]
            if outcome == "retried":
                self.failed.add(body["model"])
            text = content if isinstance(content, str) else json.dumps(content)
            return web.Response(
                text=text, status=status, headers=headers, content_type="text/html" if content is text else "application/json"
            )
        seen = body | {"_query": request.query_string, "_headers": request.headers}
        if rejected := REJECTS.get(body["model"], openai_strict)(seen):
            return web.json_response(rejected[1], status=rejected[0])
        if order["key"] and request.headers.get("Authorization") != f"Bearer {order['key']}":
            message = f"Incorrect API key provided: {request.headers.get('Authorization', '')[7:]}."
            return web.json_response({"error": {"message": message, "code": "invalid_api_key"}}, status=401)
        if order["status"] and number > order["status_after"]:
            status, error_body = order["status"]
            return web.json_response(error_body, status=status)
        for name in order["rejects"]:
            if name in body or (body.get("response_format") or {}).get("type") == name:
                hint = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                message = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
                return web.json_response({"error": {"message": message, "code": "unsupported_parameter"}}, status=400)
        draw = self.random.random()
        for what in ("limited", "broken", "reset", "truncated", "wrong_schema", "hang"):
            if draw < order[what]:
                return await self.misbehave(what, request, body)
            draw -= order[what]
        return self.answer(body)

    async def misbehave(self, what: str, request: web.Request, body: dict) -> web.StreamResponse:
        if what == "hang":
            await asyncio.sleep(self.order["hang_s"])
            return self.answer(body)
        if what == "limited":
            self.limited += 1
            headers = {"Retry-After": str(self.order["retry_after"])} if self.order["retry_after"] is not None else {}
            return web.json_response(
                {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, status=429, headers=headers
            )
        if what == "broken":
            return web.Response(status=500, text="<html>oops</html>")
        if what == "reset":
            request.transport.abort()
            return web.Response()
        if what == "truncated":
            return web.Response(text=json.dumps(completion("{}", body))[:60], content_type="application/json")
        return self.answer(body, json.dumps({"wrong": True}))

    def answer(self, body: dict, content: str | None = None) -> web.Response:
        text = asked(body)
        if content is None:
            self.texts[text] = self.texts.get(text, 0) + 1
            content = self.order["fits"].replace("ANSWER", hashlib.sha256(text.split("|")[0].encode()).hexdigest()[:8])
            has_schema = "JSON schema" in json.dumps(body["messages"]) or body.get("tools")
            if (self.order["ignores_schema"] and not has_schema) or (self.order["always_bad"] and self.order["always_bad"] in text):
                content = "I think the answer is " + content[12:20]
        return web.json_response(completion(content, body))

    async def log(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "calls": self.calls,
                "texts": self.texts,
                "most": self.most,
                "mean": self.sums[0] / max(1, self.sums[1]),
                "limited": self.limited,
                "refused": self.window.refused if self.window else 0,
                "bodies": [body for bodies in self.bodies.values() for body in bodies],
                "by_model": self.bodies,
            }
        )


def asked(body: dict) -> str:
    """The first user message's text, plus the bytes of its images."""
    content = next(message["content"] for message in body["messages"] if message["role"] == "user")
    if isinstance(content, str):
        return content
    text = next(part["text"] for part in content if part["type"] == "text")
    images = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in content if part["type"] == "image_url"]
    return text + "".join(f"|{hashlib.sha256(image).hexdigest()}" for image in images)


def completion(content: str, body: dict) -> dict:
    message = {"role": "assistant", "content": content}
    if body.get("tools") and content.startswith("{"):
        call = {"id": "call", "type": "function", "function": {"name": body["tools"][0]["function"]["name"], "arguments": content}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {
        "id": "chaos",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [SHAPES[body["model"]](content) if body["model"] in SHAPES else choice],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


async def serve(order: dict) -> None:
    chaos = Chaos(order)
    app = web.Application(client_max_size=1 << 26)
    app.add_routes(
        [
            web.post("/v1/chat/completions", chaos.chat),
            web.post("/openai/deployments/{name}/chat/completions", chaos.chat),  # Azure
            web.get("/log", chaos.log),
        ]
    )
    await loopback.serve(app)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
