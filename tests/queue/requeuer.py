"""A process that sends every dead letter again, one by one, and can be killed at any moment."""

import asyncio

from sqlalchemy import select

from service import database, outbox, queue
from service.bus import EventBus
from service.database import reading, transaction
from service.hooks import TABLE
from service.queue.dead_letters import Which, retry
from service.queue.tables import DeadLetter
from service.tasks import REQUEUE
from tests.queue.conftest import SOMEBODY


async def nobody_listens() -> None: ...


async def main() -> None:
    """Retry, each letter in a transaction of its own, while the relay carries what was committed."""
    outbox.GATHER = 0.001
    relay = outbox.Relay(EventBus(), TABLE.route, queue.send, nobody_listens)
    async with database.connected("test", 3, 0), queue.connected(), relay.running():
        async with reading() as session:
            ids = list(await session.scalars(select(DeadLetter.id)))
        print(len(ids), flush=True)
        for id in ids:
            async with transaction() as session:
                await retry(session, Which(ids=[id]), REQUEUE, (), SOMEBODY)


if __name__ == "__main__":
    asyncio.run(main())
