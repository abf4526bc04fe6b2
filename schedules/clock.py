"""The clock behind periodiq's command: one leader among any number of processes, no slot twice, none skipped silently.

periodiq's own loop ends when Redis is away, drops what is picked up late, and knows neither leader nor memory.
"""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import structlog
from croniter import croniter
from periodiq import CronSpec

from service.queue import BrokerAway, Dispatch, Task, connected, send
from service.queue.timetable import Lead, Line, lead, mark_epoch, mark_sent, publish_lines, resign

log = structlog.get_logger(__name__)

TICK = 1.0  # seconds between looks at the clock
REPLAYED = timedelta(minutes=10)  # each slot missed within this time runs late; of older ones, the last
SLOTS = UUID("5f5fd9b4-3d0a-4b1e-9a57-0d6f3a2b9e10")  # the namespace of the ids of slots


def slot_before(spec: CronSpec, now: datetime) -> datetime:
    """Return the last time that `spec` names, `now` included. By croniter: periodiq is a week late for Sundays."""
    return croniter(str(spec), now + timedelta(microseconds=1)).get_prev(datetime)


def slot_after(spec: CronSpec, now: datetime) -> datetime:
    """Return the first time that `spec` names after `now`."""
    return croniter(str(spec), now).get_next(datetime)


def slots_between(spec: CronSpec, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the times that `spec` names after `after`, up to and with `until`."""
    times = croniter(str(spec), after)
    while (slot := times.get_next(datetime)) <= until:
        yield slot


class Clock:
    """Takes the place of `periodiq.Scheduler`."""

    def __init__(
        self, timetable: Sequence[tuple[CronSpec, Task]], at_once: Sequence[Task], actors: Sequence[Any] = ()
    ) -> None:
        self._timetable, self._at_once = timetable, at_once
        self._token = uuid4()
        self._started = False
        self._sent: dict[str, datetime] = {}
        self._published: list[Line] = []
        self._over = asyncio.Event()

    def schedule(self) -> None:
        """Nothing: periodiq calls this before `loop()`."""

    def loop(self) -> None:
        """Keep the timetable until a SIGTERM."""
        asyncio.run(self._until_signal())

    async def _until_signal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        await self.run()

    async def run(self) -> None:
        """Keep the timetable until `stop()`; survives any outage of Redis."""
        away = False
        async with connected():
            while not self._over.is_set():
                try:
                    await self.tick()
                    away = False
                except BrokerAway as error:
                    if not away:
                        log.warning("the timetable waits for Redis", error=str(error))
                    away = True
                await self._pause()
            with suppress(BrokerAway):
                await resign(self._token)

    def stop(self) -> None:
        """Stop, and let another lead."""
        self._over.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(TICK):
                await self._over.wait()
        except TimeoutError:
            return

    async def tick(self) -> None:
        """Send what is due, if this process leads; raises BrokerAway, and then the next tick repeats it."""
        now = await lead(self._token)
        if now is None:
            return
        if not self._started or now.emptied:
            await self._send_at_once(now)
        for spec, task in self._timetable:
            await self._send_due(spec, task, now)
        lines = [
            Line(task.name, str(spec), task.queue.name, slot_after(spec, now.at)) for spec, task in self._timetable
        ]
        if lines != self._published or now.emptied:
            await publish_lines(lines)
            self._published = lines

    async def _send_at_once(self, now: Lead) -> None:
        event_id = uuid5(SLOTS, f"{self._token} {now.at.isoformat()}")
        await send([Dispatch(task, {}, event_id) for task in self._at_once])
        await mark_epoch(event_id)
        self._started = True
        log.info("the timetable has started", emptied=now.emptied)

    async def _send_due(self, spec: CronSpec, task: Task, now: Lead) -> None:
        slot = slot_before(spec, now.at)
        known = [last for last in (self._sent.get(task.name), now.sent.get(task.name)) if last is not None]
        # A new line, or one of an emptied Redis that nobody remembers, begins with its next slot.
        missed = list(slots_between(spec, max(known), slot)) if known else []
        if missed:
            due = [late for late in missed if late > now.at - REPLAYED] or missed[-1:]
            if len(missed) > 1:
                log.warning("the timetable is late", task=task.name, missed=len(missed), sent=len(due))
            await send([Dispatch(task, {}, uuid5(SLOTS, f"{task.name} {late.isoformat()}")) for late in due])
        if now.sent.get(task.name) != slot:
            await mark_sent(task.name, slot)
        self._sent[task.name] = slot
