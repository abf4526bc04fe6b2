"""Cancelling: what waits ends in Redis, at once; what runs is cancelled by its worker, which looks for that."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

import structlog

from service.queue.delivery import Run
from service.queue.link import NAMESPACE, BrokerAway, client
from service.queue.scripting import Call, execute, script

log = structlog.get_logger(__name__)

LOOK = 0.4  # seconds between looks for what is to be cancelled here
GRACE = 5.0  # seconds that a cancelled task gets to clean up, before it is called stuck


async def cancel(task_id: UUID, queue: str, name: str) -> tuple[str, UUID | None]:
    """Cancel a task and return its status: `cancelled`, `running` where it is yet to end, or how it had ended before.

    `merged` comes with the id of the task that it coalesced into, and changes nothing. Raises BrokerAway.
    """
    [(status, into)] = await execute(Call(script("cancel"), [str(task_id), queue, name]))
    return status.decode(), UUID(into.decode()) if into else None


async def heed(worker: str, running: Mapping[bytes, Run]) -> None:
    """Cancel what runs here and somebody wants cancelled, until this is cancelled itself."""
    while True:
        await asyncio.sleep(LOOK)
        if not running:
            continue
        try:
            [wanted] = await client().read(("SMEMBERS", f"{NAMESPACE}:cancels:{worker}"))
        except BrokerAway:
            continue  # the exchange says so
        for id in wanted:
            if (run := running.get(id)) is not None:
                _cancel(run)


def _cancel(run: Run) -> None:
    now = time.monotonic()
    if run.cancelled is None and not run.over and run.task is not None:
        run.cancelled = now
        run.task.cancel()
    elif run.cancelled is not None and now - run.cancelled > GRACE and not run.stuck:
        run.stuck = True
        log.warning("task was cancelled and does not end", task=run.name, id=run.claim.id.decode())
