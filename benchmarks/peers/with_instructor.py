"""instructor (structured replies over AsyncOpenAI) on the job of benchmarks/frontier.py: three tries a row, and a semaphore."""

import asyncio

import instructor
import openai
from bulk_job import SYSTEM, Answer, Job, question, timed


async def ask_all(job: Job) -> list[tuple[int, str]]:
    places = asyncio.Semaphore(job.slots)
    client = instructor.from_openai(openai.AsyncOpenAI(base_url=job.url, api_key="none"), mode=instructor.Mode.JSON_SCHEMA)

    async def ask(row: int) -> tuple[int, str]:
        async with places:
            content = [question(row), instructor.Image.from_path(job.picture(row))]
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]
            try:
                reply = await client.create(model="bench", messages=messages, response_model=Answer, max_retries=3)
            except Exception:  # whatever it is, this row is lost
                return row, ""
            return row, reply.answer

    return await asyncio.gather(*(ask(row) for row in range(job.rows)))


timed(lambda job: asyncio.run(ask_all(job)))
