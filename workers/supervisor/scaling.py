"""How many workers the work needs: a rule, and the loop that goes by it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.queue.status import Backlog

LOOK = 2.0  # seconds between looks
LATE = 2.0  # seconds that a task may wait before there are too few workers
DEEP = 50  # tasks that may wait for each worker, however short they wait
IDLE = 300.0  # seconds of having more workers than needed, after which one retires
FULL = 0.5  # of their concurrency, up to which the workers that would be left may be filled


@dataclass(frozen=True, slots=True)
class Range:
    """From how many to how many workers."""

    least: int
    most: int

    def clamp(self, number: int) -> int:
        """Return the number, or the end of the range that it is beyond."""
        return max(self.least, min(number, self.most))


def wanted(waiting: int, oldest_age_s: float, workers: int, idle_s: float, allowed: Range) -> int:
    """Return how many workers there should be: twice as many at once while work piles up, one fewer when idle."""
    if waiting and (oldest_age_s > LATE or waiting > DEEP * workers):
        return allowed.clamp(workers * 2)
    return allowed.clamp(workers - 1 if idle_s >= IDLE else workers)


def is_idle(waiting: int, running: int, workers: int, concurrency: int) -> bool:
    """Tell whether one worker fewer would do."""
    return waiting == 0 and running <= (workers - 1) * concurrency * FULL


class Scaler:
    """Looks at the queue again and again and sets the number of workers."""

    def __init__(
        self,
        allowed: Range,
        concurrency: int,
        look: "Callable[[], Awaitable[Backlog]]",
        count: Callable[[], int],
        scale: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:
        self._allowed, self._concurrency = allowed, concurrency
        self._look, self._count, self._scale, self._say = look, count, scale, say
        self._needed = time.monotonic()  # when the present number was last needed

    async def run(self) -> None:
        """Scale until cancelled; while Redis is away, nothing changes."""
        from service.queue import BrokerAway

        while True:
            await asyncio.sleep(LOOK)
            try:
                self._step(await self._look())
            except BrokerAway as error:
                self._say(f"does not scale: {error}")

    def _step(self, backlog: "Backlog") -> None:
        now, workers = time.monotonic(), self._count()
        if not is_idle(backlog.waiting, backlog.running, workers, self._concurrency):
            self._needed = now
        number = wanted(backlog.waiting, backlog.oldest_age_s, workers, now - self._needed, self._allowed)
        if number != workers:
            self._needed = now
            self._say(
                f"{workers} -> {number} workers: {backlog.waiting} tasks wait, {backlog.oldest_age_s:.0f} s at most"
            )
            self._scale(number)
