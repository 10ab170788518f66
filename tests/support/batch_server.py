"""An OpenAI-compatible server with files and batches: `python -m tests.support.batch_server
'{"seconds": 0.2, ...}'` prints {"port": N}.

What a batch's calls are answered with comes from tests/support/chaos_server.py; the shapes are those of OpenAI's API
reference ("Files", "Batch").
A batch is "validating", works for `seconds`, then "completed", or what the order says. GET /log tells what it was asked.
"""

import asyncio
import json
import random
import sys
import time

from aiohttp import web

from tests.support import loopback
from tests.support.chaos_server import Chaos, asked, completion

ORDER = {
    "seed": 0,
    "seconds": 0.2,  # that a batch takes
    "limited": 0.0,  # share of a batch's calls with 429, each call drawn anew in a later batch
    "broken": 0.0,  # ... with 500
    "wrong_schema": 0.0,
    "refuses": "",  # a call whose text holds this meets the content policy
    "answers": 1.0,  # share of the calls of the first batch that are answered before it ends as `ends`
    "ends": "completed",  # how the first batch ends
    "slow_create": 0.0,  # seconds between making a batch and saying so
    "no_batches": False,  # 404
    "forgets": False,  # 404 for every batch that is asked for
    "flaky": 0,  # so many calls of every route of files and batches get a 503 first
    "most_calls": 50_000,
    "fits": '{"answer": "ANSWER"}',  # see tests/support/chaos_server.py
}


class Batches:
    def __init__(self, order: dict):
        self.order = ORDER | order
        self.random = random.Random(self.order["seed"])
        self.chat = Chaos({"fits": self.order["fits"]})
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict] = {}
        self.answered: dict[str, int] = {}  # with a 200, in batches, by what was asked
        self.flaky: dict[str, int] = {}
        self.tasks: set[asyncio.Task] = set()
        self.deleted = 0

    @web.middleware
    async def guard(self, request: web.Request, handler) -> web.StreamResponse:
        route = f"{request.method} {request.match_info.route.resource.canonical}"
        if "chat" not in route and "log" not in route:
            if self.order["no_batches"]:
                return web.json_response({"error": {"message": "Not Found"}}, status=404)
            self.flaky[route] = self.flaky.get(route, 0) + 1
            if self.flaky[route] <= self.order["flaky"]:
                return web.json_response({"error": {"message": "overloaded"}}, status=503)
        return await handler(request)

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        made = f"file-{len(self.files) + 1}"
        self.files[made] = form["file"].file.read()
        about = {"object": "file", "created_at": 1, "filename": "x.jsonl", "purpose": "batch", "status": "processed"}
        return web.json_response({"id": made, "bytes": len(self.files[made]), **about})

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]], content_type="application/octet-stream")

    async def delete(self, request: web.Request) -> web.Response:
        self.deleted += 1
        return web.json_response({"id": request.match_info["id"], "object": "file", "deleted": True})

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["endpoint"] == "/v1/chat/completions" and body["completion_window"] == "24h"
        calls = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert 0 < len(calls) <= self.order["most_calls"] and len({call["custom_id"] for call in calls}) == len(calls)
        made = {
            "id": f"batch_{len(self.batches) + 1}",
            "object": "batch",
            "endpoint": body["endpoint"],
            "completion_window": "24h",
            "input_file_id": body["input_file_id"],
            "metadata": body.get("metadata"),
            "status": "validating",
            "created_at": int(time.time()),
            "request_counts": {"total": len(calls), "completed": 0, "failed": 0},
        }
        self.batches[made["id"]] = made
        task = asyncio.create_task(self.work(made, calls, first=len(self.batches) == 1))
        self.tasks.add(task)
        await asyncio.sleep(self.order["slow_create"])
        return web.json_response(made)

    async def work(self, batch: dict, calls: list[dict], first: bool) -> None:
        good, bad, step = [], [], max(1, len(calls) // 10)
        batch["status"] = "in_progress"
        share, ends = (self.order["answers"], self.order["ends"]) if first else (1.0, "completed")
        for number, call in enumerate(calls):
            if number % step == 0:
                await asyncio.sleep(self.order["seconds"] / 10)
            if batch["status"] == "cancelling":
                ends = "cancelled"
                break
            if number >= share * len(calls):
                break
            response = self.answer(call)
            (good if response["response"]["status_code"] == 200 else bad).append(response)
            batch["request_counts"]["completed" if response["response"]["status_code"] == 200 else "failed"] += 1
        if ends == "expired":
            error = {"code": "batch_expired", "message": "This request could not be executed before the completion window expired."}
            bad += [{"id": "x", "custom_id": call["custom_id"], "response": None, "error": error} for call in calls[len(good) + len(bad) :]]
        if ends == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
        elif good:
            batch["output_file_id"] = f"out-{batch['id']}"
            self.files[batch["output_file_id"]] = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in reversed(good)).encode()
        if bad and ends != "failed":
            batch["error_file_id"] = f"err-{batch['id']}"
            self.files[batch["error_file_id"]] = "".join(json.dumps(line) + "\n" for line in bad).encode()
        batch["status"] = ends

    def answer(self, call: dict) -> dict:
        body, draw = call["body"], self.random.random()
        text = asked(body)
        status, result = 200, None
        answer = {"id": "r", "custom_id": call["custom_id"], "error": None}
        if self.order["refuses"] and self.order["refuses"] in text:
            status, result = (
                400,
                {"error": {"message": "Your request was rejected by our safety system", "code": "content_policy_violation"}},
            )
        elif draw < self.order["limited"]:
            status, result = 429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}
        elif draw < self.order["limited"] + self.order["broken"]:
            status, result = 500, {"error": {"message": "The server had an error"}}
        elif draw < self.order["limited"] + self.order["broken"] + self.order["wrong_schema"]:
            result = completion(json.dumps({"wrong": True}), body)
        else:
            result = json.loads(self.chat.answer(body).body)
            self.answered[text] = self.answered.get(text, 0) + 1
        return answer | {"response": {"status_code": status, "request_id": "q", "body": result}}

    async def look(self, request: web.Request) -> web.Response:
        if self.order["forgets"]:
            return web.json_response({"error": {"message": "No batch found"}}, status=404)
        return web.json_response(self.batches[request.match_info["id"]])

    async def listed(self, request: web.Request) -> web.Response:
        newest = list(reversed(self.batches.values()))
        after = request.query.get("after")
        start = next((i + 1 for i, batch in enumerate(newest) if batch["id"] == after), 0)
        page = newest[start : start + 2]  # so few that paging is tried
        return web.json_response({"object": "list", "data": page, "has_more": start + 2 < len(newest)})

    async def cancel(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        if batch["status"] in ("validating", "in_progress"):
            batch["status"] = "cancelling"
        return web.json_response(batch)

    async def log(self, request: web.Request) -> web.Response:
        sizes = [self.files[batch["input_file_id"]].count(b"\n") for batch in self.batches.values()]
        return web.json_response(
            {
                "batches": [{**batch, "calls": size} for batch, size in zip(self.batches.values(), sizes, strict=True)],
                "answered": self.answered,
                "live": self.chat.calls,
                "texts": self.chat.texts,
                "uploads": sum(name.startswith("file-") for name in self.files),
                "deleted": self.deleted,
            }
        )


async def serve(order: dict) -> None:
    shared = Batches(order)
    app = web.Application(client_max_size=1 << 28, middlewares=[shared.guard])
    app.add_routes(
        [
            web.post("/v1/chat/completions", shared.chat.chat),
            web.post("/v1/files", shared.upload),
            web.get("/v1/files/{id}/content", shared.content),
            web.delete("/v1/files/{id}", shared.delete),
            web.post("/v1/batches", shared.create),
            web.get("/v1/batches", shared.listed),
            web.get("/v1/batches/{id}", shared.look),
            web.post("/v1/batches/{id}/cancel", shared.cancel),
            web.get("/log", shared.log),
        ]
    )
    await loopback.serve(app)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
