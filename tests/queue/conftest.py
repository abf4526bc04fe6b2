"""A broker of its own for each test, and an engine that runs in the test's process."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
import redis.asyncio
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware
from sqlalchemy import select

import workers
from service import logs
from service.database import reading
from service.queue import Dispatch, Queue, Task, connected
from service.queue.broker import PharosBroker
from service.queue.engine import Engine
from service.queue.tables import DeadLetter
from service.settings import Settings

URGENT = Queue("urgent", 9)
NORMAL = Queue("default", 5)
BACKGROUND = Queue("batch", 3)
SOMEBODY = UUID(int=1)

Work = Callable[..., AbstractAsyncContextManager[Engine]]


@pytest.fixture
async def broker(pharos: Settings) -> AsyncIterator[PharosBroker]:
    """The process's broker, without actors."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    async with connected():
        yield broker
    broker.close()
    dramatiq.broker.global_broker = before


@pytest.fixture
async def store(pharos: Settings) -> AsyncIterator[redis.asyncio.Redis]:
    """A client that looks at what the queue keeps in Redis."""
    assert pharos.broker_url is not None
    async with redis.asyncio.Redis.from_url(pharos.broker_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def working(broker: PharosBroker) -> Work:
    """Runs an engine while its context is open; by default it stops at once, as after a second signal."""

    @asynccontextmanager
    async def work(
        concurrency: int = 8, grace: float = 0.0, queues: Collection[str] | None = None
    ) -> AsyncIterator[Engine]:
        engine = Engine(broker, concurrency=concurrency, grace=grace, queues=queues)
        running = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            engine.stop()
            await running

    return work


Elapse = Callable[[float], Awaitable[None]]


@pytest.fixture
def elapse(store: redis.asyncio.Redis) -> Elapse:
    """Lets time pass for what is scheduled, since the clock is Redis's own: everything is due that much sooner."""

    async def pass_by(seconds: float) -> None:
        past = -round(seconds * 1000)
        async with store.pipeline() as pipeline:
            async for due in store.scan_iter("dramatiq:*:due"):
                for id in await store.zrange(due, 0, -1):
                    pipeline.zadd(due, {id: past}, xx=True, incr=True)  # it may be gone by then
                    if await store.hexists(f"dramatiq:task:{id}", "l"):
                        pipeline.hincrby(f"dramatiq:task:{id}", "l", past)
            await pipeline.execute()

    return pass_by


async def until(condition: Callable[[], Any | Awaitable[Any]], seconds: float = 10) -> Any:
    """Wait until `condition` holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if isinstance(result, Awaitable):
            result = await result
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        await asyncio.sleep(0.01)


FIELDS = ("after", "at_most", "bulk", "correlation_id", "batch")


def dispatch(task: Task, event_id: UUID | None = None, /, **fields: Any) -> Dispatch:
    """Ask for a task; fields of `Dispatch` may be given, everything else is an argument."""
    given = {name: fields.pop(name) for name in FIELDS if name in fields}
    return Dispatch(task, fields, event_id or uuid4(), **given)


async def letters() -> list[DeadLetter]:
    """Return the dead letters, oldest first."""
    async with reading() as session:
        return list(await session.scalars(select(DeadLetter).order_by(DeadLetter.failed_at)))


@pytest.fixture
def actors(broker: PharosBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The workers' actors on this test's broker; gives the names of what ran."""
    ran: list[str] = []

    class Record(Middleware):
        def after_process_message(
            self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
        ) -> None:
            ran.append(message.actor_name)

    monkeypatch.setattr(logs, "configure", lambda: None)
    names = [f"workers.{name}" for name in workers.ACTORS]
    before = {name: sys.modules.pop(name, None) for name in names}
    for name in names:
        import_module(name)
    broker.add_middleware(Record())
    yield ran
    for name, module in before.items():
        if module is not None:
            sys.modules[name] = module
