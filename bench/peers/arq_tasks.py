"""arq, results not kept. Environment: PEER_URL."""

import asyncio
import os
import sys
import time
from typing import Any

import uvloop
from arq import create_pool
from arq.connections import RedisSettings

from bench.peers.flood import drip, flood
from bench.peers.tally import note_lateness, tally


async def noop(context: dict[str, Any]) -> None:
    """Do nothing."""
    tally.add()


async def stamp(context: dict[str, Any], at: float) -> None:
    """Say how late this is."""
    note_lateness(at)


class WorkerSettings:
    """What `arq` reads."""

    functions = [noop, stamp]  # noqa: RUF012
    redis_settings = RedisSettings.from_dsn(os.environ["PEER_URL"])
    max_jobs = 100
    keep_result = 0
    poll_delay = 0.01


async def main(kind: str, count: int) -> None:
    """Send."""
    pool = await create_pool(WorkerSettings.redis_settings)
    if kind == "noop":
        await flood(lambda: pool.enqueue_job("noop"), count)
    else:
        await drip(lambda: pool.enqueue_job("stamp", time.time()), count)
    await pool.aclose()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
