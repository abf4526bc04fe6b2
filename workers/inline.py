"""Tasks in the process that asks for them (`PHAROS_TASKS=inline`): one process and a database, no Redis, no workers.

uvicorn --factory workers.inline:create_app           the web application
async with pharos() as settle: ...                    a notebook; `await settle(60)` runs all that follows
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import workers
from service.queue.broker import broker_of_process

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from service.bus import Sender
    from service.queue.inline import Inline


@asynccontextmanager
async def tasks() -> AsyncGenerator["Inline"]:
    """Run tasks here; first the reconciler, which finds what an earlier process left undone."""
    from uuid import uuid4

    from service.queue import Dispatch
    from service.queue.inline import running
    from service.settings import settings
    from service.tasks import RECONCILE

    workers.load()
    configuration = settings()
    async with running(broker_of_process(), configuration.worker_concurrency, configuration.worker_grace) as inline:
        await inline.send([Dispatch(RECONCILE, {}, uuid4())])
        yield inline


@asynccontextmanager
async def sending() -> AsyncGenerator["Sender"]:
    """Run tasks here, as the web application wants them."""
    async with tasks() as inline:
        yield inline.send


def create_app() -> "Starlette":
    """Build the web application that runs its tasks itself."""
    from service.app import create_app

    return create_app(sending)


@asynccontextmanager
async def pharos() -> AsyncGenerator[Callable[[float], Awaitable[None]]]:
    """Open the database; the function that is given runs what committed events ask for, until nothing follows.

    It takes the seconds after which it raises TimeoutError, since a task may be tried again and again.
    """
    from service import database, inference
    from service.bus import bus
    from service.cache import cache
    from service.connections import WORKER_KEPT, WORKER_OVERFLOW
    from service.hooks import TABLE
    from service.live.bell import ring
    from service.outbox import Relay

    async with (
        database.connected("inline", WORKER_KEPT, WORKER_OVERFLOW),
        inference.connected(),
        cache.connected(),
        tasks() as inline,
    ):
        TABLE.listen(bus)
        relay = Relay(bus, TABLE.route, inline.send, ring)

        async def settle(seconds: float) -> None:
            async with asyncio.timeout(seconds):
                await inline.settled()
                while await relay.drain():
                    await inline.settled()

        yield settle
