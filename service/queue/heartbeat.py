"""The heartbeat: a thread of its own, so that neither a busy loop nor a full worker looks dead."""

import threading
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from service.queue.link import BrokerAway, blocking_client
from service.queue.scripting import Call, execute_blocking, script

log = structlog.get_logger(__name__)

BEAT = 2.0  # seconds between beats
AGAIN = 0.5  # seconds until the next try, while Redis is away
DEAD = 10.0  # seconds without a beat after which a worker's messages are given to others


class Heartbeat(threading.Thread):
    """Tells Redis, by Redis's clock, that a worker lives and what it does."""

    def __init__(self, worker: str, profile: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._worker, self._profile = worker, profile
        self._stopped = threading.Event()

    def run(self) -> None:
        redis = blocking_client()
        pause = 0.0
        while not self._stopped.wait(pause):
            try:
                execute_blocking(redis, Call(script("beat"), [self._worker, orjson.dumps(self._profile())]))
                pause = BEAT
            except BrokerAway as error:
                if pause != AGAIN:
                    log.warning("no heartbeat", worker=self._worker, error=str(error))
                pause = AGAIN
        redis.close()

    def stop(self) -> None:
        """Beat no more; returns when the last beat is over."""
        self._stopped.set()
        self.join()
