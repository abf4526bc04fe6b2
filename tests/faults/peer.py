"""The same tasks in stock Dramatiq: `dramatiq tests.faults.peer`, with shortened time-outs.

A worker that does not beat for 10 s counts as dead, as with us, instead of 60 s; and every tenth command does
maintenance, instead of every thousandth, or a row would take an hour.
"""

import os
from typing import Any

import dramatiq
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware

from tests.faults.ledger import EFFECTS, note
from tests.faults.program import FUNCTIONS, QUERY, query_alone

THREADS = 8


class Ready(Middleware):
    """Says when a worker takes messages."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        note("ready", 0)


def broker(url: str) -> RedisBroker:
    """Return a stock broker."""
    made = RedisBroker(url=url, heartbeat_timeout=10_000, maintenance_chance=100_000)
    made.add_middleware(AsyncIO())
    for task in FUNCTIONS:
        made.declare_queue(task.queue.name)
    return made


def message(task: str, queue: str, arguments: dict[str, Any], **options: Any) -> Message[Any]:
    """Return a message as `actor.message()` makes it."""
    return Message(queue_name=queue, actor_name=task, args=(), kwargs=arguments, options=options)


def declare(worker: RedisBroker) -> None:
    """Declare the actors, tried as often as ours."""
    for task, function in FUNCTIONS.items():
        dramatiq.actor(
            query_alone if task is QUERY else function,
            broker=worker,
            actor_name=task.name,
            queue_name=task.queue.name,
            max_retries=task.retries,
            min_backoff=round(task.backoff * 1000),
            priority=9 - task.queue.priority,
        )


if __name__ != "__main__" and os.environ.get("PEER") and EFFECTS in os.environ:
    _worker = broker(os.environ["PHAROS_BROKER_URL"])
    _worker.add_middleware(Ready())
    dramatiq.set_broker(_worker)
    declare(_worker)
