"""Durable reading: a consumer group of Redis Streams, in which each event is handled by one of its consumers.

    read      XREADGROUP; the group remembers that this consumer has it
    handle    in the order of the stream; what fails is tried again later, with growing pauses
    settle    XACK, or into the dead letters of the group
    beat      what is in hand is claimed anew, so that nobody takes it over while its consumer lives
    take over what a consumer has not beaten for `patience` seconds (XAUTOCLAIM)

An event's starts are counted in Redis, one by one and before each: an event that ends its consumer ends up among the
dead letters, and those that were only read along with it do not.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.broadcast.gaps import Gap, gaps, order
from service.broadcast.hand import MOST, Fields, Hand, Held
from service.broadcast.hearing import AWAY, PAUSE, connect
from service.broadcast.names import OUTSIDE, STREAM
from service.broadcast.subscriptions import Statistics, Subscriptions, call_all
from service.broadcast.wire import BroadcastEvent, Unreadable, decode

log = logging.getLogger(__name__)

COUNT = 16  # entries that are read at a time
BLOCK = 500  # ms that a read waits for news
LOOK = 1.0  # seconds between looks for what lost consumers had
LONGEST = 60.0  # seconds between two tries
IDLE = 3600_000  # ms after which a consumer that has nothing in hand is forgotten


@dataclass(frozen=True, slots=True)
class Policy:
    """How a group handles its events."""

    group: str
    consumer: str
    start: str  # "new", "oldest", or a position, after which a new group begins
    attempts: int
    patience: float
    backoff: float


class Durable:
    """One consumer of a group."""

    def __init__(
        self,
        url: str,
        policy: Policy,
        subscriptions: Subscriptions,
        statistics: Statistics,
        on_gap: Callable[[Gap], object],
    ) -> None:
        self._url, self._policy = url, policy
        self._subscriptions, self._statistics, self._on_gap = subscriptions, statistics, on_gap
        self._hand = Hand(policy.group, policy.consumer)
        self._cursors: dict[str, str] = {}  # the last position that was read here, for a group that Redis has lost
        self._gaps: dict[str, Gap] = {}  # the last one that was told, by stream
        self._stopping = asyncio.Event()

    async def run(self, ready: Callable[[], None], stopping: asyncio.Event) -> None:
        """Read and handle until `stopping` is set; an event that is being handled is seen through."""
        self._stopping, away = stopping, False
        while not stopping.is_set():
            try:
                async with connect(self._url) as redis:
                    redis.set_response_callback("XAUTOCLAIM", _as_it_is)
                    await self._join(redis)
                    if away:
                        log.warning("group %s reads again", self._policy.group)
                    away = False
                    ready()
                    await self._serve(redis)
            except Exception as error:
                if not isinstance(error, AWAY):  # a mistake of ours, but nothing would be read any more
                    log.critical("group %s waits: %r", self._policy.group, error, exc_info=error)
                elif not away:
                    log.warning("group %s waits, and so does what is told meanwhile: %s", self._policy.group, error)
                away = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE):
                        await stopping.wait()

    async def _join(self, redis: Redis) -> None:
        """Make the group where it is missing, and find what this consumer still has in hand."""
        group, me = self._policy.group, self._policy.consumer
        for stream in self._hand.streams:
            await self._create(redis, stream)
            for id, starts in (await self._hand.compare(redis, stream)).items():
                self._hand.take(Held(stream, id, None, starts))
            for one in await redis.xinfo_consumers(stream, group):
                if one["pending"] == 0 and one["idle"] > IDLE and one["name"] != me.encode():
                    await redis.xgroup_delconsumer(stream, group, one["name"])

    async def _create(self, redis: Redis, stream: str) -> None:
        start, read = self._cursors.get(stream) or self._policy.start, None
        if stream not in (STREAM, OUTSIDE):
            start = "0"
        elif start in ("new", "oldest"):  # so many were told before: then the group knows what it has missed
            about: dict[str, Any] = {}
            with suppress(ResponseError):  # no such key
                about = await redis.xinfo_stream(stream)
            told, length = about.get("entries-added", 0), about.get("length", 0)
            if start == "new":
                start, read = about.get("last-generated-id", b"0"), told
            else:
                start, read = "0", told - length
        try:
            await redis.xgroup_create(stream, self._policy.group, start, mkstream=True, entries_read=read)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _serve(self, redis: Redis) -> None:
        beating = asyncio.create_task(self._beat(redis))
        pause, look = min(LOOK, self._policy.patience / 3), 0.0
        try:
            while not self._stopping.is_set():
                if monotonic() >= look:
                    await self._take_over(redis)
                    await self._look_for_gaps(redis)
                    look = monotonic() + pause
                await self._handle_due(redis)
                if await self._read(redis) == COUNT:  # behind: then something may be gone before the next look
                    await self._look_for_gaps(redis)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            if self._stopping.is_set():
                await self._hand_back(redis)

    async def _read(self, redis: Redis) -> int:
        waits = [max(0.0, held.due - monotonic()) for held in self._hand.all()]
        block = max(1, min([BLOCK, *(round(wait * 1000) for wait in waits)]))
        if len(self._hand) >= MOST:
            await asyncio.sleep(block / 1000)
            return 0
        streams: dict[Any, Any] = dict.fromkeys(self._hand.streams, ">")
        answer: Any = await redis.xreadgroup(self._policy.group, self._policy.consumer, streams, COUNT, block)
        most = 0
        for name, entries in answer or ():
            stream, left_out = name.decode(), list[bytes]()
            most = max(most, len(entries))
            for id, fields in entries:
                self._cursors[stream] = id.decode()
                if fields is not None and self._concerns(fields):
                    self._hand.take(Held(stream, id, fields))
                else:
                    left_out.append(id)
            if left_out:
                await redis.xack(stream, self._policy.group, *left_out)
        return most

    def _concerns(self, fields: Fields) -> bool:
        name = fields.get(b"name")
        return name is None or bool(self._subscriptions.of(name.decode("utf-8", "replace")))

    async def _handle_due(self, redis: Redis) -> None:
        now = monotonic()
        due = [held for held in self._hand.all() if held.due <= now]
        for held in sorted(due, key=lambda held: (self._hand.streams.index(held.stream), order(held.id))):
            if self._stopping.is_set():
                return
            if monotonic() - held.sure > self._policy.patience / 2:  # this process or Redis stood still
                await self._hand.compare(redis, held.stream)
            if held in self._hand:
                await self._begin(redis, held)

    async def _begin(self, redis: Redis, held: Held) -> None:
        fields = await self._hand.count(redis, held)
        if fields is None:
            self._statistics.missed += 1
            log.warning("%s of %s is gone before another try", held.id.decode(), held.stream)
        elif held.starts > self._policy.attempts:
            said = f"its consumer ended {held.starts - 1} times while it handled this"
            await self._bury(redis, held, fields, "lost", said)
        else:
            await self._handle(redis, held, fields)

    async def _handle(self, redis: Redis, held: Held, fields: Fields) -> None:
        if not held.counted:
            held.counted = True
            self._statistics.received += 1
        try:
            event = self._event(held, fields)
        except Unreadable as error:
            self._statistics.unreadable[error.reason] += 1
            await self._bury(redis, held, fields, error.reason, error.detail)
            return
        handlers = self._subscriptions.of(event.event_type)
        failed = await call_all([one for one in handlers if one not in held.done], event, self._statistics)
        if not failed:
            await self._hand.settle(redis, held)
        elif held.starts >= self._policy.attempts:
            await self._bury(redis, held, fields, "failed", "; ".join(failed.values()))
        else:
            held.done.update(one for one in handlers if one not in failed)
            held.due = monotonic() + min(LONGEST, self._policy.backoff * 2 ** (held.starts - 1))

    def _event(self, held: Held, fields: Fields) -> BroadcastEvent:
        name, wire = fields.get(b"name"), fields.get(b"event")
        if name is None or wire is None:
            raise Unreadable("malformed", "the entry has no `name` or no `event`")
        outside = held.stream == OUTSIDE or fields.get(b"outside") == b"1"
        event = decode(wire, outside=outside, position=held.id.decode(), attempt=held.starts)
        if event.event_type.encode() != name:
            raise Unreadable("malformed", "the event is of another type than its entry")
        return event

    async def _bury(self, redis: Redis, held: Held, fields: Fields, reason: str, error: str) -> None:
        letter: dict[Any, Any] = {
            **{key: fields[key] for key in (b"name", b"event") if key in fields},
            b"outside": b"1" if held.stream == OUTSIDE else fields.get(b"outside", b"0"),
            b"reason": reason,
            b"error": error[:2000],
            b"attempts": held.starts,
            b"failed_at": datetime.now(UTC).isoformat(),
        }
        await self._hand.settle(redis, held, letter)
        self._statistics.dead += 1
        name = fields.get(b"name", b"?").decode("utf-8", "replace")
        log.error("group %s gives up %s at %s (%s): %s", self._policy.group, name, held.id.decode(), reason, error)

    async def _take_over(self, redis: Redis) -> None:
        group, me, idle = self._policy.group, self._policy.consumer, round(self._policy.patience * 1000)
        for stream in self._hand.streams:
            _, ids, *gone = await redis.xautoclaim(stream, group, me, idle, count=100, justid=True)
            if gone and gone[0]:
                self._statistics.missed += len(gone[0])
                log.warning("%d events of %s are gone that a lost consumer had", len(gone[0]), stream)
            for id in ids:
                pending: list[Any] = await redis.xpending_range(stream, group, id, id, 1)
                if pending and self._hand.take(Held(stream, id, None, pending[0]["times_delivered"])):
                    self._statistics.taken_over += 1

    async def _beat(self, redis: Redis) -> None:
        """Keep what is in hand; what somebody else has taken over meanwhile, since this stood still, is theirs."""
        while True:
            await asyncio.sleep(self._policy.patience / 3)
            with suppress(*AWAY):
                await self._hand.keep(redis)

    async def _hand_back(self, redis: Redis) -> None:
        """Let others take over at once what is not begun or waits for another try."""
        with suppress(*AWAY):
            await self._hand.keep(redis, round(self._policy.patience * 1000))
        for held in self._hand.all():
            self._hand.drop(held)

    async def _look_for_gaps(self, redis: Redis) -> None:
        for gap in await gaps(redis, self._policy.group):
            if self._gaps.get(gap.stream) == gap:
                continue
            known = self._gaps.get(gap.stream)
            again = known is not None and known.after == gap.after  # the same one, and it has grown
            self._gaps[gap.stream] = gap
            if gap.lost is not None:
                self._statistics.missed += gap.lost - (known.lost or 0 if again and known else 0)
            log.warning("events are gone that were not read yet: %s", gap)
            self._on_gap(gap)


def _as_it_is(response: Any, **_: Any) -> Any:
    return response
