"""Stock Dramatiq on its own RedisBroker. Environment: PEER_URL."""

import os
import sys
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.flood import drip_blocking, flood_blocking
from bench.peers.tally import note_lateness, tally

dramatiq.set_broker(RedisBroker(url=os.environ["PEER_URL"]))


@dramatiq.actor(actor_name="noop")
def noop() -> None:
    """Do nothing."""
    tally.add()


@dramatiq.actor(actor_name="stamp")
def stamp(at: float) -> None:
    """Say how late this is."""
    note_lateness(at)


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "noop":
        flood_blocking(noop.send, count)
    else:
        drip_blocking(lambda: stamp.send(time.time()), count)
