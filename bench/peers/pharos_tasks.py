"""Pharos's engine inside the stock `dramatiq` command, with states, retries, results and heartbeat on."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import uvloop

from bench.peers.flood import drip, flood
from bench.peers.tally import note_lateness, tally
from service.queue import Dispatch, Queue, Task, actor, connected, send
from service.queue.broker import broker_of_process
from service.queue.worker import EngineBoot

QUEUE = Queue("default", 5)
NOOP, NAP, STAMP = Task("noop", QUEUE), Task("nap", QUEUE), Task("stamp", QUEUE)


def declare() -> None:
    """Declare the actors."""

    @actor(NOOP)
    async def noop() -> None:
        tally.add()

    @actor(NAP)
    async def nap(seconds: float) -> None:
        await asyncio.sleep(seconds)
        tally.add()

    @actor(STAMP)
    async def stamp(at: float) -> None:
        note_lateness(at)


@asynccontextmanager
async def resources() -> AsyncGenerator[None]:
    """Open nothing: these tasks need no database."""
    yield


async def main(kind: str, count: int, *rest: str) -> None:
    """Send one kind: noop, nap SECONDS, stamp, silence SECONDS (stamps, and one after it).

    `later` are no-ops an hour from now, `due` stamps within 3 seconds.
    """

    def asked() -> Dispatch:
        match kind:
            case "noop":
                return Dispatch(NOOP, {}, uuid4())
            case "nap":
                return Dispatch(NAP, {"seconds": float(rest[0])}, uuid4())
            case "later":
                return Dispatch(NOOP, {}, uuid4(), after=3600)
            case "due":
                after = random.uniform(1, 3)
                return Dispatch(STAMP, {"at": time.time() + after}, uuid4(), after=after)
            case _:
                return Dispatch(STAMP, {"at": time.time()}, uuid4())

    async with connected():
        await (drip if kind in ("stamp", "silence") else flood)(lambda: send([asked()]), count)
        if kind == "silence":
            await asyncio.sleep(float(rest[0]))
            await send([asked()])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
else:
    broker_of_process().add_middleware(EngineBoot(declare, resources))
