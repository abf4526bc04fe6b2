"""Tasks without a broker: the rules of the queue that hold there as well."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest

from service.database import transaction
from service.errors import Invalid
from service.events import current_origin
from service.queue import Task, actor
from service.queue.broker import PharosBroker
from service.queue.inline import Inline, running
from service.queue.send import MessageTooLarge
from service.settings import Settings, settings
from tests.queue.conftest import NORMAL, dispatch, letters, until

pytestmark = pytest.mark.integration

EMBED = Task("embed", NORMAL, key="resource_id", backoff=0.05)


@pytest.fixture
async def inline(pharos: Settings, monkeypatch: pytest.MonkeyPatch, broker: PharosBroker) -> AsyncIterator[Inline]:
    """Tasks in this process; there is no Redis."""
    monkeypatch.delenv("PHAROS_BROKER_URL")
    settings.cache_clear()
    async with running(broker, concurrency=4, grace=0) as inline:
        yield inline


async def test_a_burst_runs_once_with_the_last_arguments_and_a_repetition_not_at_all(inline: Inline) -> None:
    runs: list[tuple[str, int]] = []

    @actor(EMBED)
    async def embed(resource_id: str, version: int) -> None:
        runs.append((resource_id, version))

    burst = [dispatch(EMBED, resource_id="a", version=n, after=30, at_most=60) for n in range(5)]
    await inline.send(burst)
    await inline.send([dispatch(EMBED, resource_id="b", version=0)])
    await asyncio.wait_for(inline.settled(), 5)
    await inline.send(burst)
    await inline.settled()
    assert sorted(runs) == [("a", 4), ("b", 0)]


async def test_what_comes_while_a_task_runs_is_another_run(inline: Inline) -> None:
    runs: list[int] = []
    may_end = asyncio.Event()

    @actor(EMBED)
    async def embed(resource_id: str, version: int) -> None:
        runs.append(version)
        await may_end.wait()

    await inline.send([dispatch(EMBED, resource_id="a", version=0)])
    await until(lambda: runs == [0])
    await inline.send([dispatch(EMBED, resource_id="a", version=n) for n in (1, 2)])
    await until(lambda: runs == [0, 2])
    may_end.set()
    await inline.settled()
    assert runs == [0, 2]


async def test_a_failure_is_judged_as_in_the_queue(inline: Inline) -> None:
    runs: list[str] = []

    @actor(Task("flaky", NORMAL, retries=2, backoff=0.01))
    async def flaky() -> None:
        runs.append("flaky")
        if runs.count("flaky") < 3:
            raise OSError("not yet")

    @actor(Task("hopeless", NORMAL, retries=2, backoff=0.01))
    async def hopeless(n: int) -> None:
        runs.append("hopeless")
        raise OSError("never")

    @actor(Task("wrong", NORMAL, retries=2))
    async def wrong() -> None:
        raise Invalid("The lamp is out.")

    @actor(Task("endless", NORMAL, retries=0, limit=0.1))
    async def endless() -> None:
        await asyncio.sleep(60)

    hopeless_one = dispatch(Task("hopeless", NORMAL), n=1)
    await inline.send([hopeless_one, *(dispatch(Task(name, NORMAL)) for name in ("flaky", "wrong", "endless", "who"))])
    await asyncio.wait_for(inline.settled(), 10)
    assert (runs.count("flaky"), runs.count("hopeless")) == (3, 3)
    found = {letter.name: (letter.reason, letter.attempts) for letter in await letters()}
    assert found == {
        "hopeless": ("exhausted", 3), "wrong": ("permanent", 1), "endless": ("exhausted", 1),
        "who": ("unknown_task", 0),
    }  # fmt: skip
    [letter] = [letter for letter in await letters() if letter.name == "hopeless"]
    assert (letter.task_id, letter.arguments) == (str(hopeless_one.message_id), {"n": 1})


async def test_a_request_brings_a_pausing_retry_forward(inline: Inline) -> None:
    runs: list[int] = []

    @actor(Task("patient", NORMAL, key="resource_id", backoff=60))
    async def work(resource_id: str, version: int) -> None:
        runs.append(version)
        if version == 0:
            raise OSError("once")

    patient = Task("patient", NORMAL, key="resource_id", backoff=60)
    await inline.send([dispatch(patient, resource_id="a", version=0)])
    await until(lambda: runs == [0])
    await asyncio.sleep(0.05)
    await inline.send([dispatch(patient, resource_id="a", version=1)])
    await asyncio.wait_for(inline.settled(), 5)
    assert runs == [0, 1]


async def test_a_batch_gathers_keys_and_closes_when_it_is_full(inline: Inline) -> None:
    graph = Task("graph", NORMAL, key="resource_id", backoff=0.01)
    runs: list[list[str]] = []

    @actor(graph)
    async def update(resource_id: list[str]) -> None:
        runs.append(resource_id)
        if len(runs) == 1:
            raise OSError("the keys must survive this")

    await inline.send([dispatch(graph, resource_id=name, after=5, batch=3) for name in "abacd"])
    await asyncio.wait_for(inline.settled(), 5)
    assert sorted(runs) == [["a", "b", "c"], ["a", "b", "c"], ["d"]]


async def test_what_a_task_emits_belongs_to_its_event_and_what_it_sends_runs(inline: Inline) -> None:
    seen: list[Any] = []

    @actor(Task("first", NORMAL))
    async def first(number: int) -> int:
        here = current_origin()
        seen.append((here.correlation_id, here.cause, here.bulk))
        return number + 1

    @actor(Task("then", NORMAL))
    async def then(number: int) -> None:
        seen.append(number)

    event_id: UUID = uuid4()
    await inline.send([dispatch(Task("first", NORMAL), event_id, number=0, correlation_id="request 1", bulk=True)])
    dramatiq.pipeline([first.message(1), then.message()]).run()
    await asyncio.to_thread(then.send, 3)
    await until(lambda: len(seen) == 4)
    await inline.settled()
    assert ("request 1", event_id, True) in seen
    assert {2, 3} < {*seen}


async def test_a_stop_interrupts_what_runs_and_too_much_is_refused(pharos: Settings, broker: PharosBroker) -> None:
    seen: list[str] = []

    @actor(EMBED)
    async def embed(resource_id: str) -> None:
        seen.append("begun")
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("cleaned up")

    async with running(broker, concurrency=1, grace=0.05) as inline:
        with pytest.raises(MessageTooLarge):
            await inline.send([dispatch(EMBED, resource_id="a"), dispatch(EMBED, resource_id="x" * 5_000_000)])
        await inline.send([dispatch(EMBED, resource_id=name) for name in "ab"])
        await until(lambda: seen)
    assert seen == ["begun", "cleaned up"]
    assert await letters() == []
    assert not broker.carry([])


async def test_a_database_that_is_away_uses_up_no_attempt(inline: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0

    @actor(Task("writes", NORMAL, retries=0))
    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            monkeypatch.undo()
        async with transaction():
            pass

    monkeypatch.setattr("service.queue.retries.OUTAGE_CAP", 0.05)
    await inline.send([dispatch(Task("writes", NORMAL))])
    monkeypatch.setattr("service.database._engine", None)
    await asyncio.wait_for(inline.settled(), 5)
    assert runs == 3
    assert await letters() == []
