"""The engine for paid calls by itself: calls for several claims, against a server over loopback."""

import asyncio

import pytest

from models.frontier import Journal, Reply
from models.paid_calls.buying import Buyer
from models.paid_calls.claim_owner import new_owner
from models.paid_calls.concurrency import AdaptiveSemaphore
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.group_commit import GroupCommit
from models.paid_calls.http_failures import Failure, FailureKind
from models.paid_calls.ledger import Claim, RecordReply
from models.paid_calls.orders import Abandoned, CallFailed, Order, PaidCall, RunState
from models.paid_calls.retries import RetryPolicy
from tests.support.frontier_world import chaos

BODY = {"model": "m", "messages": [{"role": "user", "content": "question"}]}
ATTEMPTS = 3


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def claims(keys: str, owner: str) -> list[Claim]:
    return [Claim(key, owner, "here", "m", "test", "job", 1.0, None) for key in keys]


class Some(PaidCall):
    """Each response brings the first `each` of the replies that are still wanted."""

    def __init__(self, buyer: Buyer, each: int):
        self.buyer, self.each = buyer, each
        self.asked: list[str] = []

    async def send(self, order: Order) -> Failure | None:
        self.order = order
        self.asked.append("".join(order.open))
        failure = await self.buyer.post(order, "/chat/completions", BODY, self.read)
        return failure or (Failure(FailureKind.BROKEN, "too few", retry_after=0.0) if order.open else None)

    async def read(self, response, seconds: float) -> None:
        for claim in list(self.order.open.values())[: self.each]:
            reply = Reply(claim.key, claim.endpoint, claim.model, claim.purpose, "{}", 1, 1, None, 0.25, 0.1, 1000.0)
            await self.buyer.record(self.order, RecordReply(claim, reply, "", ""))


def bought(journal: Journal, act, **order):
    """What `act`, given a Buyer with one slot, comes to at a server of that order."""

    async def run(url: str):
        commits = GroupCommit(journal)
        connection = EndpointConnection(url, None, "", timeout_s=20, attempts=ATTEMPTS, trust_env=False)
        buyer = Buyer(connection, commits, RunState(), RetryPolicy(ATTEMPTS), AdaptiveSemaphore(1))
        try:
            return await act(buyer)
        finally:
            await buyer.close()
            await commits.close()

    with chaos(**order) as server:
        return asyncio.run(run(server.url))


def test_what_did_not_come_is_asked_for_again_and_nothing_else(journal):
    async def act(buyer):
        call = Some(buyer, 2)
        order = await buyer.buy(claims("abc", buyer.owner), call)
        again = await buyer.buy(claims("cd", buyer.owner), Some(buyer, 1))
        return call.asked, order, again

    asked, order, again = bought(journal, act)
    assert asked == ["abc", "c"] and (set(order.bought), order.sent, order.open) == (set("abc"), 2, {})
    assert (set(again.known), set(again.bought), again.sent) == (set("c"), set("d"), 1), "what the journal has is not asked again"
    assert journal.spent_usd("job") == (pytest.approx(1.0), 0) and journal.lost_calls() == []


def test_an_order_that_is_given_up_keeps_what_came_and_releases_the_rest(journal):
    async def act(buyer):
        call = Some(buyer, 0)
        with pytest.raises(CallFailed, match=f"given up after {ATTEMPTS} calls: too few"):
            await buyer.buy(claims("ab", buyer.owner), call)
        return (await buyer.buy(claims("ab", buyer.owner), Some(buyer, 2))).bought

    assert set(bought(journal, act)) == set("ab"), "neither its claims nor its slot are held"
    assert journal.spent_usd("job") == (pytest.approx(0.5), 0)


def test_what_a_failed_answer_may_have_cost_is_charged_for_each_claim(journal):
    async def act(buyer):
        with pytest.raises(CallFailed, match="given up"):
            await buyer.buy(claims("ab", buyer.owner), Some(buyer, 2))

    bought(journal, act, reset=1.0)
    assert sorted(lost.key for lost in journal.lost_calls()) == sorted("ab" * ATTEMPTS)
    assert journal.spent_usd("job") == (pytest.approx(2.0 * ATTEMPTS), 0)


def test_a_call_cut_off_in_flight_is_counted_as_lost_once_for_each_claim(journal):
    async def act(buyer):
        task = asyncio.create_task(buyer.buy(claims("ab", buyer.owner), Some(buyer, 2)))
        while not journal.spent_usd("job")[1]:
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    bought(journal, act, latency_s=30)
    assert [lost.key for lost in journal.lost_calls()] == ["a", "b"] and journal.spent_usd("job") == (pytest.approx(2.0), 0)


def test_what_another_run_has_in_hand_is_left_to_it(journal):
    async def act(buyer):
        journal.apply(claims("b", new_owner()))
        return await buyer.buy(claims("abc", buyer.owner), Some(buyer, 3))

    order = bought(journal, act)
    assert set(order.bought) == {"a"} and order.known == {}


def test_a_stopping_run_claims_and_sends_nothing(journal):
    async def act(buyer):
        buyer.state.stopping = True
        call = Some(buyer, 1)
        with pytest.raises(Abandoned):
            await buyer.buy(claims("a", buyer.owner), call)
        return call.asked

    assert bought(journal, act) == [] and journal.spent_usd("job") == (0.0, 0)


def test_an_error_of_the_call_gives_claims_and_slot_back(journal):
    class Broken(PaidCall):
        async def send(self, order):
            raise ValueError("of the caller")

    async def act(buyer):
        with pytest.raises(ValueError, match="of the caller"):
            await buyer.buy(claims("a", buyer.owner), Broken())
        return (await buyer.buy(claims("a", buyer.owner), Some(buyer, 1))).bought

    assert set(bought(journal, act)) == {"a"}
