"""taskiq with taskiq-redis. Environment: PEER_URL, TASKIQ_BROKER (`stream` or `list`)."""

import asyncio
import os
import sys
import time

import uvloop
from taskiq_redis import ListQueueBroker, RedisStreamBroker

from bench.peers.flood import drip, flood
from bench.peers.tally import note_lateness, tally

broker = {"stream": RedisStreamBroker, "list": ListQueueBroker}[os.environ["TASKIQ_BROKER"]](os.environ["PEER_URL"])


@broker.task(task_name="noop")
async def noop() -> None:
    """Do nothing."""
    tally.add()


@broker.task(task_name="nap")
async def nap(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)
    tally.add()


@broker.task(task_name="stamp")
async def stamp(at: float) -> None:
    """Say how late this is."""
    note_lateness(at)


async def main(kind: str, count: int) -> None:
    """Send."""
    await broker.startup()
    if kind == "noop":
        await flood(noop.kiq, count)
    else:
        await drip(lambda: stamp.kiq(time.time()), count)
    await broker.shutdown()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
