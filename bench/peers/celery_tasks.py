"""Celery as the seeds set it up, results ignored. Environment: PEER_URL."""

import os
import sys
import time

from celery import Celery

from bench.peers.flood import drip_blocking, flood_blocking
from bench.peers.tally import note_lateness, tally

app = Celery("bench", broker=os.environ["PEER_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=4, broker_pool_limit=60)


@app.task(name="noop")
def noop() -> None:
    """Do nothing."""
    tally.add()


@app.task(name="stamp")
def stamp(at: float) -> None:
    """Say how late this is."""
    note_lateness(at)


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "noop":
        flood_blocking(noop.delay, count)
    else:
        drip_blocking(lambda: stamp.delay(time.time()), count)
