"""The client of any OpenAI-compatible endpoint that takes images: OpenAI, Azure, OpenRouter, vLLM, Ollama, ... or pocket-teacher."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field

from models.frontier import pocket_teacher_process
from models.frontier.batch_api.asker import BatchAsker
from models.frontier.batch_api.calls_file import MOST_CALLS, Limits
from models.frontier.batch_api.records import OpenBatches
from models.frontier.batch_api.remote import Remote
from models.frontier.call_cost import CallCost
from models.frontier.capabilities import Capabilities
from models.frontier.chat_call import Call, Parameters
from models.frontier.connection_test import probe, probe_in_words
from models.frontier.cost_estimate import Estimate, estimate
from models.frontier.image_payload import Pictures
from models.frontier.image_tokens import useful_pixels
from models.frontier.purchase import Asker
from models.frontier.requests import Outcome, Request
from models.frontier.run import Run, Stop, Then
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.journal import Journal
from models.paid_calls.keys import find_key
from models.paid_calls.ledger import Find
from models.paid_calls.orders import RunState
from models.paid_calls.prices import Price, load_prices, table_beside, unpriced
from models.paid_calls.rate_limits import RateLimiter
from models.paid_calls.records import FrontierStopped


class OpenAICompatible:
    """Client of one endpoint and model: asks many requests at once, writes each reply down before it is read, buys none twice."""

    class Options(BaseModel):
        endpoint: str = Field(
            "pocket-teacher",
            description="Base URL ending in /v1 (Azure: with ?api-version=...), or 'pocket-teacher' for the built-in local one.",
        )
        model: str = Field("pocket-teacher", description="The model's name as the endpoint knows it.")
        api_key_env: str = Field(
            "OPENAI_API_KEY", description="Name of the environment variable (or entry of keys.json) that holds the key."
        )
        concurrency: int = Field(
            16, ge=1, le=1000, description="The most calls in flight at once; fewer while the endpoint turns calls away."
        )
        requests_per_minute: int | None = Field(
            None, ge=1, description="The most calls to send in a minute; empty: as the endpoint allows."
        )
        tokens_per_minute: int | None = Field(
            None, ge=1, description="The most tokens, in and out, to use in a minute; empty: as the endpoint allows."
        )
        timeout_s: float = Field(300, gt=0, description="Seconds to wait for a reply. Too few buy replies and throw them away.")
        hedge_after_s: float | None = Field(
            None,
            gt=0,
            description="Ask a second time where a reply takes longer than so many seconds and a slot is free; the first reply counts, "
            "and the other call may be billed too. Empty: never.",
        )
        attempts: int = Field(10, ge=1, le=100, description="HTTP calls for one reply before its row is marked as failed.")
        max_tokens: int = Field(1500, ge=1, description="The most tokens a reply may have.")
        temperature: float | None = Field(None, ge=0, le=2, description="Sampling temperature; empty: the endpoint's own.")
        detail: Literal["low", "high", "auto"] | None = Field(
            None, description="How closely images are looked at, where the endpoint knows it."
        )
        max_pixels: int | None = Field(
            None, ge=1024, description="Larger images are scaled down to so many pixels; empty: what the model is known to make use of."
        )
        budget_usd: float | None = Field(
            None, ge=0, description="Hard cap on spend, with the cost reserved for calls in flight; empty: none."
        )
        budget_scope: str = Field("", description="What the cap counts: spend under this name (a job's), or empty: all of the journal.")
        batch: bool = Field(
            False, description="Ask by the endpoint's Batch API: files of calls, answered within a day for less (half price at OpenAI)."
        )
        prices: Path | None = Field(None, description="Price table; empty: prices.json beside the journal if there, else the shipped one.")

    def __init__(self, options: Options):
        self.options = options
        self.batch_limits = Limits()
        self.say: Callable[[str], None] = lambda text: None  # reports how far remote batches are
        self.key_withheld = ""  # why the key is not to be sent to this endpoint; "": it is
        self._journal: Journal | None = None
        self._teacher: pocket_teacher_process.PocketTeacher | None = None
        self._temporary: tempfile.TemporaryDirectory | None = None
        self._rate_limiter = RateLimiter(options.requests_per_minute, options.tokens_per_minute)
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """The endpoint as it stands in keys and reports."""
        return self.options.endpoint.rstrip("/")

    @property
    def _max_pixels(self) -> int:
        return self.options.max_pixels or useful_pixels(self.options.model)

    @property
    def journal(self) -> Journal:
        if self._journal is None:
            raise ValueError("open(journal_path) comes first: replies need a place before they are bought")
        return self._journal

    def open(self, journal_path: Path | None) -> Self:
        """Where replies are kept; keys.json and prices.json are looked for beside it. None: a journal that close() deletes."""
        if journal_path is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="mistakebook-")
            journal_path = Path(self._temporary.name) / "journal.sqlite"
        self._journal = Journal(Path(journal_path))
        return self

    def close(self) -> None:
        """Closes the journal and stops pocket-teacher if it was started."""
        with self._lock:
            if self._teacher:
                self._teacher.close()
            if self._journal:
                self._journal.close()
            if self._temporary:
                self._temporary.cleanup()
            self._teacher = self._journal = self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def price(self) -> Price | None:
        """The model's price, that of a batch where batches are asked; None if it has none. Raises ValueError if the table is broken."""
        price = self._full_price()
        return price.in_batch() if price and self.options.batch else price

    def _full_price(self) -> Price | None:
        return load_prices(self.options.prices or table_beside(self.journal.path)).get(self.options.model)

    def ask_all(
        self,
        requests: Iterable[Request],
        should_stop: Stop = lambda: False,
        then: Then = lambda outcome: None,
    ) -> Iterator[Outcome]:
        """An Outcome for each request, as they finish. Memory is bounded: requests are drawn as places get free, in the caller's thread.

        `then` is called with each outcome before it is handed over; a request that it gives is asked next, so that what follows from a
        reply waits for no other.
        When should_stop() turns true, calls in flight get 1.5 seconds, then the iterator ends; rows without an outcome resume later.
        With `batch` outcomes take hours. A stop leaves remote batches running, and the next run of the same endpoint and model collects
        them; where should_stop() says "cancel", they are cancelled too.
        Raises FrontierStopped, after the outcomes that could still be had, when the whole job has to stop.
        """
        yield from self._run(requests, should_stop, then, self.options)

    def _run(self, requests: Iterable[Request], should_stop: Stop, then: Then, options: Options, pinned: bool = False) -> Iterator[Outcome]:
        full_price = self._full_price()
        if options.budget_usd is not None and full_price is None:
            raise unpriced(options.model, self.journal.path, "per million tokens; 0 if it is free")
        connection = self._connection(options, pinned)
        capabilities = self._capabilities()
        (left,) = self.journal.apply([OpenBatches(self.endpoint, options.model)])

        def asker(journal: GroupCommit, state: RunState) -> Asker:
            cost = CallCost(full_price, options.budget_usd, options.budget_scope, at_once=2 if options.hedge_after_s else 1)
            pictures = Pictures(self._max_pixels)
            return Asker(
                connection, self._parameters(), cost, pictures, capabilities, self._rate_limiter, options.concurrency, journal, state
            )

        def batch_asker(journal: GroupCommit, state: RunState) -> BatchAsker:
            cost = CallCost(full_price and full_price.in_batch(), options.budget_usd, options.budget_scope)
            folder, live = self.journal.path.with_name("batches"), not options.batch
            remote = Remote(connection)
            return BatchAsker(asker(journal, state), remote, cost, folder, self.batch_limits, self.say, live, journal, state)

        window = MOST_CALLS if options.batch else 4 * options.concurrency + 64
        yield from Run(batch_asker if options.batch or left else asker, self.journal, window).outcomes(requests, should_stop, then)

    def _capabilities(self) -> Capabilities:
        return Capabilities.load(self.journal.capabilities(self.endpoint, self.options.model))

    def _parameters(self) -> Parameters:
        options = self.options
        return Parameters(self.endpoint, options.model, options.max_tokens, options.temperature, options.detail, self._max_pixels)

    def _connection(self, options: Options, pinned: bool) -> EndpointConnection:
        name, timeout_s, attempts = options.api_key_env, options.timeout_s, options.attempts
        if self.endpoint == pocket_teacher_process.NAME:
            return EndpointConnection(self._teacher_url(), "pocket", "", timeout_s, attempts, trust_env=False)
        if not self.endpoint.startswith(("http://", "https://")):
            raise FrontierStopped(
                f"endpoint {self.endpoint!r} is neither a URL such as http://localhost:8000/v1 nor 'pocket-teacher'; "
                "correct it in Data & models",
                resumable=False,
            )
        key = find_key(name, self.journal.path.with_name("keys.json"))
        if key and self.key_withheld:
            key, name = None, self.key_withheld
        return EndpointConnection(self.endpoint, key, name, timeout_s, attempts, True, options.model, options.hedge_after_s, pinned)

    def _teacher_url(self) -> str:
        with self._lock:
            if self._teacher is None or not self._teacher.is_running():
                self._teacher = pocket_teacher_process.PocketTeacher(self.journal.path.with_name("pocket-teacher.log"))
            return self._teacher.base_url

    def test(self) -> str:
        """One tiny call with a picture; says in words what came of it, also when it failed. Its cost is in the journal if one is open."""
        if self._journal is None:
            self.open(None)
        quick = self.options.model_copy(
            update={"attempts": 3, "timeout_s": min(60.0, self.options.timeout_s), "concurrency": 1, "batch": False}
        )
        with tempfile.TemporaryDirectory(prefix="mistakebook-") as folder:
            began = time.monotonic()
            try:
                (outcome,) = self._run([probe(Path(folder))], lambda: False, lambda _: None, quick, pinned=True)
            except (FrontierStopped, ValueError) as error:
                return f"Failed: {error}"
        stored = self.journal.apply([Find(key) for key in outcome.replies])
        replies = [reply for reply in stored if reply is not None]
        return probe_in_words(outcome, replies, self.options.model, self.endpoint, self._capabilities().level, time.monotonic() - began)

    def estimate(self, sample: Iterable[Request], count: int) -> Estimate:
        """(calls, low_usd, high_usd) for `count` requests like those of the sample; USD None if the model has no price.

        Requests of the sample that the journal already has cost nothing; their share is taken for the whole.
        """
        pictures = Pictures(self._max_pixels)
        calls = [Call(request, self._parameters(), tuple(pictures.describe(path) for path in request.images)) for request in sample]
        return estimate(calls, count, self.journal, self.price())
