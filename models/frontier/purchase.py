"""The purchase of a chat reply: from the journal, or by the engine for paid calls, which gets from here what to send and how often."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from models.frontier.call_cost import CallCost
from models.frontier.capabilities import Capabilities
from models.frontier.chat_call import Call, Parameters
from models.frontier.chat_http import ChatEndpoint
from models.frontier.image_payload import Pictures
from models.frontier.retries import ChatRetries
from models.paid_calls.buying import Buyer
from models.paid_calls.concurrency import AdaptiveSemaphore
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure
from models.paid_calls.ledger import RecordReply
from models.paid_calls.orders import Abandoned, Order, PaidCall, RunState
from models.paid_calls.rate_limits import RateLimiter
from models.paid_calls.records import Reply

CONNECT_ATTEMPTS = 6  # some 5 seconds of nobody listening
TIMEOUT_ATTEMPTS = 3  # calls of one row that may go without a reply in time: each may be billed


@dataclass(frozen=True)
class Answer:
    """A reply with what it took to get it."""

    reply: Reply
    body: dict[str, Any]  # of the chat completion
    sent: int  # HTTP calls made for it
    bought: bool  # now, by us
    level: str  # of structured output; "" if it was not asked now


class ChatPurchase(PaidCall):
    """One call to a chat endpoint. `level`: of structured output, that the reply was asked at."""

    def __init__(self, call: Call, endpoint: ChatEndpoint, pictures: Pictures):
        self.level = ""
        self._call, self._endpoint, self._pictures = call, endpoint, pictures
        self._urls: list[str] = []

    async def prepare(self) -> None:
        loop = asyncio.get_running_loop()
        self._urls = [await loop.run_in_executor(None, self._pictures.data_url, picture) for picture in self._call.pictures]

    async def send(self, order: Order) -> RecordReply | Failure:
        result = await self._endpoint.send(self._call, order, self._urls)
        if isinstance(result, RecordReply):
            self.level = result.level
        return result


class Asker:
    """Buys replies for the rows of one run, which share all of it. Lives in one event loop."""

    def __init__(
        self,
        connection: EndpointConnection,
        parameters: Parameters,
        cost: CallCost,
        pictures: Pictures,
        capabilities: Capabilities,
        rate_limiter: RateLimiter,
        slots: int,
        journal: GroupCommit,
        state: RunState,
    ):
        self.parameters, self.pictures = parameters, pictures
        self._cost = cost
        policy = ChatRetries(connection.attempts, TIMEOUT_ATTEMPTS, CONNECT_ATTEMPTS)
        self._buyer = Buyer(connection, journal, state, policy, AdaptiveSemaphore(slots), claims_ahead=max(2, slots // 4))
        self._endpoint = ChatEndpoint(self._buyer, parameters, cost, capabilities, rate_limiter)
        self.owner, self.observe = self._buyer.owner, self._endpoint.observe

    @property
    def capabilities(self) -> Capabilities:
        """What the endpoint's model is known to support by now."""
        return self._endpoint.capabilities

    async def close(self) -> None:
        await self._buyer.close()

    async def buy(self, call: Call) -> Answer:
        """The reply to a call. Raises CallFailed, Abandoned, BadImage or FrontierStopped."""
        if self._buyer.state.stopping:
            raise Abandoned
        key = call.key
        known = await self._buyer.find(key)
        if known is None:
            purchase = ChatPurchase(call, self._endpoint, self.pictures)
            order = await self._buyer.buy([self._cost.claim(call, key, self.owner)], purchase, urgent=bool(call.turns))
            if reply := order.bought.get(key):
                return Answer(reply, json.loads(reply.body), order.sent, True, purchase.level)
            known = order.known[key]
        return Answer(known, json.loads(known.body), 0, False, "")
