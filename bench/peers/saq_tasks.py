"""SAQ at concurrency 50. Environment: PEER_URL."""

import asyncio
import os
import sys
import time
from typing import Any

import uvloop
from saq import Queue

from bench.peers.flood import drip, flood
from bench.peers.tally import note_lateness, tally

queue = Queue.from_url(os.environ["PEER_URL"])


async def noop(context: dict[str, Any]) -> None:
    """Do nothing."""
    tally.add()


async def stamp(context: dict[str, Any], *, at: float) -> None:
    """Say how late this is."""
    note_lateness(at)


settings = {"queue": queue, "functions": [noop, stamp], "concurrency": 50}


async def main(kind: str, count: int) -> None:
    """Send."""
    await queue.connect()
    if kind == "noop":
        await flood(lambda: queue.enqueue("noop", ttl=-1), count)
    else:
        await drip(lambda: queue.enqueue("stamp", at=time.time(), ttl=-1), count)
    await queue.disconnect()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
