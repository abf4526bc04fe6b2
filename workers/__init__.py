"""The actors, and the entry point of `dramatiq workers`.

    <slice>.py     actors: each opens a session and calls one action; maintenance.py: those of the timetable
    inline.py      the same actors without a queue, in the process that asks for them
    inference/     the model server
    supervisor/    starts and restarts everything

What a worker needs is imported when one starts, not with this package: the model server and the supervisor live in it
too, and stay small.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module

from service.queue.broker import broker_of_process
from service.queue.worker import EngineBoot

ACTORS = (
    "ingestion documents search quality taxonomy graph authors collections annotations recommendations "
    "batches imports quizzes reviews notifications digests webhooks feeds cache monitoring backups trash maintenance"
).split()


def load() -> None:
    """Import the actors."""
    from service import logs

    logs.configure()
    for name in ACTORS:
        import_module(f"workers.{name}")


@asynccontextmanager
async def resources() -> AsyncGenerator[None]:
    """Open the database and carry what the tasks emit, while they run."""
    from service import database, inference
    from service.broadcast.forwarding import forwarding
    from service.bus import bus
    from service.cache import cache
    from service.connections import WORKER_KEPT, WORKER_OVERFLOW
    from service.hooks import TABLE
    from service.live.bell import ring
    from service.outbox import Relay
    from service.queue.ledger import send_on
    from service.settings import settings

    async with database.connected("worker", min(settings().worker_concurrency, WORKER_KEPT), WORKER_OVERFLOW):
        TABLE.listen(bus)
        async with (
            inference.connected(),
            cache.connected(),
            forwarding(ring) as announce,
            Relay(bus, TABLE.route, send_on, announce).running(),
        ):
            yield


broker_of_process().add_middleware(EngineBoot(load, resources))
