"""The loop that everyone writes: AsyncOpenAI, a semaphore, gather; the package's default transport, or its aiohttp one."""

import asyncio
import base64
import sys
from pathlib import Path

import openai
from bulk_job import SYSTEM, Answer, Job, question, timed

AIOHTTP = "aiohttp" in sys.argv[2:]


async def ask_all(job: Job) -> list[tuple[int, str]]:
    places = asyncio.Semaphore(job.slots)
    transport = {"http_client": openai.DefaultAioHttpClient()} if AIOHTTP else {}
    client = openai.AsyncOpenAI(base_url=job.url, api_key="none", **transport)

    async def ask(row: int) -> tuple[int, str]:
        async with places:
            url = "data:image/jpeg;base64," + base64.b64encode(Path(job.picture(row)).read_bytes()).decode()
            content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question(row)}]
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]
            try:
                reply = await client.chat.completions.parse(model="bench", messages=messages, response_format=Answer)
            except Exception:  # whatever it is, this row is lost
                return row, ""
            return row, reply.choices[0].message.parsed.answer

    async with client:
        return await asyncio.gather(*(ask(row) for row in range(job.rows)))


timed(lambda job: asyncio.run(ask_all(job)))
