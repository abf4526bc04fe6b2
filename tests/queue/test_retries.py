"""Another try or the dead letters."""

import socket
from typing import Any

import asyncpg
import httpx
import pydantic
import pytest
import redis.exceptions
import sqlalchemy.exc
from dramatiq import Retry

from service import database
from service.errors import Invalid, PharosError, RateLimited, Unavailable
from service.pool import PoolExhausted
from service.queue import BrokerAway, Task, actor, send, task_state
from service.queue.reasons import Reason
from service.queue.retries import GiveUp, Policy, TryAgain, judge, pause
from tests.queue.conftest import NORMAL, Elapse, Work, dispatch, letters, until

POLICY = Policy(retries=3, backoff=5)


class TransientError(PharosError):
    """It may work later."""

    transient = True


def invalid() -> pydantic.ValidationError:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("x")
    return caught.value


def wrapped(error: Exception, *, invalidated: bool = False) -> sqlalchemy.exc.DBAPIError:
    """Wrap what asyncpg raises as SQLAlchemy does."""
    translated = Exception(str(error))
    translated.__cause__ = error
    return sqlalchemy.exc.DBAPIError("SELECT 1", {}, translated, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "error",
    [
        redis.exceptions.ConnectionError(),
        redis.exceptions.BusyLoadingError(),
        redis.exceptions.TimeoutError(),
        BrokerAway(reason="x"),
        database.DatabaseClosed(),
        PoolExhausted(most=60),
        wrapped(asyncpg.ConnectionDoesNotExistError("gone")),
        wrapped(asyncpg.CannotConnectNowError("starting")),
        wrapped(asyncpg.TooManyConnectionsError("full")),
        wrapped(asyncpg.InterfaceError("closed"), invalidated=True),
    ],
    ids=repr,
)
def test_an_outage_uses_up_no_attempt(error: Exception) -> None:
    verdict = judge(error, POLICY, failed=99, outages=0)
    assert isinstance(verdict, TryAgain)
    assert not verdict.counts


@pytest.mark.parametrize("server", ["nobody", "silent"])
async def test_a_database_that_cannot_be_reached_is_an_outage(server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if server == "silent" else 1
        with pytest.raises(OSError) as caught:  # a refusal, or a TimeoutError
            await asyncpg.connect(f"postgresql://nobody@127.0.0.1:{port}/nothing", timeout=0.1, ssl=False)
    verdict = judge(caught.value, POLICY, failed=99, outages=0)
    assert isinstance(verdict, TryAgain)
    assert not verdict.counts


@pytest.mark.parametrize("error", [Invalid("no"), PharosError(), invalid()], ids=repr)
def test_what_will_not_get_better_is_given_up_at_once(error: Exception) -> None:
    assert judge(error, POLICY, failed=0, outages=0) == GiveUp(Reason.PERMANENT)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        ConnectionRefusedError(),  # of a page's server, or whoever
        TimeoutError(),
        httpx.ConnectTimeout("slow"),
        TransientError(),
        Unavailable(),
        KeyError("a bug"),
        wrapped(asyncpg.DataError("a bug, though asyncpg counts it among its interface errors")),
        wrapped(asyncpg.DeadlockDetectedError("again")),
    ],
    ids=repr,
)
def test_everything_else_is_tried_as_often_as_the_task_says(error: Exception) -> None:
    verdict = judge(error, POLICY, failed=2, outages=0)
    assert isinstance(verdict, TryAgain)
    assert verdict.counts
    assert judge(error, POLICY, failed=3, outages=0) == GiveUp(Reason.EXHAUSTED)


def test_pauses_double_up_to_a_cap_with_jitter() -> None:
    for failed, most in enumerate([60, 120, 240, 480, 600, 600]):
        pauses = [pause(60, failed, 600) for _ in range(200)]
        assert most * 0.8 <= min(pauses) < max(pauses) <= most
        assert len(set(pauses)) > 100
    assert pause(60, 10_000, 600) <= 600


def test_a_pause_that_is_asked_for_is_kept() -> None:
    limited = RateLimited(retry_after=42)
    limited.transient = True  # pyright: ignore[reportAttributeAccessIssue]
    assert judge(limited, POLICY, failed=0, outages=0) == TryAgain(42, counts=True)
    assert judge(Retry(delay=1500), POLICY, failed=0, outages=0) == TryAgain(1.5, counts=True)


async def test_a_task_that_works_later_works(working: Work) -> None:
    flaky, runs = Task("flaky", NORMAL, retries=3, backoff=0.02), 0

    @actor(flaky)
    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise TransientError

    sent = dispatch(flaky)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.attempts, runs) == ("succeeded", 4, 4)
    assert await letters() == []


async def test_pauses_are_waited_out_however_long(working: Work, store: Any, elapse: Elapse) -> None:
    slow, runs = Task("slow", NORMAL, retries=3, backoff=60), 0

    @actor(slow)
    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise TransientError

    sent = dispatch(slow, after=3600)
    await send([sent])
    async with working() as engine:
        for run, due in enumerate((3600, 60, 120, 240), 1):
            await until(lambda: store.zcard("dramatiq:default:due"))
            await elapse(due * 0.75)  # a pause is up to a fifth shorter, and this is shorter still
            assert await store.zcard("dramatiq:default:due") == 1
            await elapse(due * 0.25)
            await until(lambda run=run: runs == run)
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.attempts) == ("succeeded", 4)


async def test_a_task_that_never_works_becomes_a_dead_letter_with_everything(working: Work) -> None:
    hopeless, runs = Task("hopeless", NORMAL, retries=2, backoff=0.02), 0

    @actor(hopeless)
    async def work(resource_id: str) -> None:
        nonlocal runs
        runs += 1
        raise LookupError(f"null \0 and lone \ud800 in {resource_id}")

    sent = dispatch(hopeless, resource_id="a \0 b")
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    [letter] = await letters()
    assert runs == 3
    assert (letter.task_id, letter.name, letter.queue, letter.attempts, letter.reason) == (
        str(sent.message_id), "hopeless", "default", 3, "exhausted",
    )  # fmt: skip
    assert letter.arguments == {"resource_id": "a \ufffd b"}
    assert letter.exception.startswith("LookupError: null \ufffd and lone ?")
    assert letter.traceback is not None
    assert "raise LookupError" in letter.traceback
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.status, state.attempts) == ("failed", 3)


async def test_wrong_arguments_are_not_tried_again(working: Work) -> None:
    @actor(Task("strict", NORMAL, retries=5))
    async def work(count: int) -> None: ...

    async with working() as engine:
        strict = Task("strict", NORMAL)
        await send([dispatch(strict, count="many"), dispatch(strict), dispatch(strict, count=1, more=2)])
        await until(lambda: engine.processed == 3)
    assert [(letter.reason, letter.attempts) for letter in await letters()] == [("permanent", 1)] * 3
    assert all(letter.exception.startswith("ValidationError: 1 validation error") for letter in await letters())


async def test_messages_that_nobody_can_run_become_dead_letters(working: Work, store: Any) -> None:
    @actor(Task("known", NORMAL))
    async def work() -> None: ...

    bodies = {
        "broken": b"\xff\xfe not json",
        "list": b"[1, 2]",
        "short": b'{"queue_name":"default"}',
        "odd": b'{"queue_name":"default","actor_name":7,"args":[],"kwargs":{},"options":{},"message_id":"x"}',
    }
    for name, body in bodies.items():
        await store.hset("dramatiq:default.msgs", name, body)
        await store.rpush("dramatiq:default", name)
    await send([dispatch(Task("unknown", NORMAL), n=1), dispatch(Task("known", NORMAL))])
    async with working() as engine:
        await until(lambda: engine.processed == 6)
    found = {letter.name if letter.name != "?" else letter.task_id: letter for letter in await letters()}
    assert {name: letter.reason for name, letter in found.items()} == {
        **dict.fromkeys(bodies, "permanent"), "unknown": "unknown_task",
    }  # fmt: skip
    assert found["broken"].arguments == {"body": "\ufffd\ufffd not json"}
    assert found["unknown"].arguments == {"n": 1}
    assert await store.exists("dramatiq:default.msgs") == 0


async def test_a_message_stays_while_its_dead_letter_cannot_be_written(
    working: Work, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    @actor(Task("doomed", NORMAL, retries=0))
    async def work() -> None:
        nonlocal tries
        tries += 1
        raise Invalid("no")

    sent = dispatch(Task("doomed", NORMAL))
    monkeypatch.setattr("service.queue.retries.OUTAGE_CAP", 0.05)
    monkeypatch.setattr("service.queue.runner.OUTAGE_CAP", 0.05)
    connected = database._engine  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr("service.database._engine", None)
    async with working() as engine:
        await send([sent])
        await until(lambda: tries >= 2)
        assert await store.hlen("dramatiq:default.msgs") == 1
        monkeypatch.setattr("service.database._engine", connected)
        await until(lambda: engine.processed == 1)
    [letter] = await letters()
    assert (letter.task_id, letter.attempts, letter.reason) == (str(sent.message_id), 1, "permanent")
