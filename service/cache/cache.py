"""Reading through the cache.

    look      one MGET: the entry, the lease, the present generations; valid where the entry was sealed by these
    lease     one process computes a value; the others wait for it, those of one process share one computation
    keep      the value is stored only where none of its generations ended since the lease: whoever computes slowly,
              and began before something was forgotten, stores nothing

A reader joins a computation only where that began under the generations that the reader saw, or has not begun: so no
answer is older than what was forgotten before the question.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

from service.bus import bus
from service.cache import keys, statistics
from service.cache.events import CacheHit, CacheInvalidated, CacheMiss
from service.cache.keys import Place
from service.cache.local import local
from service.cache.server import CacheAway, Server
from service.cache.shared import Fresh, Shared
from service.events import Envelope, Event
from service.settings import settings

WAITS = (0.002, 0.02)  # seconds between two looks for what another process computes: the first, and the longest
FLUSH = 0.5  # seconds between two sums of statistics
STATISTICS = b"pharos:cache:statistics"


class Answer(NamedTuple):
    """A value, to be read only: others may hold it, too. `cached`: nobody computed it for this question."""

    value: Any
    stamp: str
    cached: bool


Compute = Callable[[], Awaitable[Fresh]]
Valid = Callable[[Any], Awaitable[bool]]


@dataclass(slots=True)
class _Flight:
    """A computation of this process; no seal before it has begun."""

    result: "asyncio.Future[Fresh]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    seal: bytes | None = None


class Cache:
    """The cache as one process uses it; without a connection everything is computed."""

    def __init__(self) -> None:
        self.statistics = statistics.Statistics()
        self.shared = Shared(self.statistics)
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._flushing: asyncio.Task[None] | None = None

    async def connect(self, url: str) -> None:
        """Use the Redis at `url` from now on."""
        self.shared.server = Server(url)
        await self.shared.server.start()
        self._flushing = asyncio.create_task(self._flush_on(), name="cache statistics")

    async def disconnect(self) -> None:
        """Tell what was counted, and close the connection."""
        server, flushing = self.shared.server, self._flushing
        if server is None:
            return
        if flushing is not None:
            flushing.cancel()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, *([flushing] if flushing else []), return_exceptions=True)
        await self.flush()
        self.shared.server = self._flushing = None
        await server.stop()

    async def get(self, key: str) -> Any:
        """Return a value; None where there is none, or the cache is away."""
        began, place = perf_counter(), keys.place(key)
        try:
            entry = await self.shared.opened(place, await self.shared.look(place))
        except CacheAway:
            return None
        if entry is None:
            self._missed(place)
            return None
        self._hit(place, began)
        return entry.value

    async def set(self, key: str, value: Any, ttl: float | None = None, tags: Iterable[str] = ()) -> None:
        """Keep a value, bytes or what JSON holds, for `ttl` seconds; its default where none is given."""
        place = keys.place(key, tags)
        try:
            _, seal, token = await self.shared.lease(place)
            await self.shared.keep(place, Fresh(value), seal, token, ttl)
        except CacheAway:
            return

    async def delete(self, key: str) -> None:
        """Forget a key and all below it."""
        await self._forget([key], explicit=True)

    async def delete_pattern(self, pattern: str) -> int:
        """Forget all that a pattern (`graph:*`, `user:1:*`) matches, and perhaps more: whole parts of names.

        Returns how many generations ended, which is 1 at most: what they held is not counted, nor looked for.
        """
        return await self._forget([keys.name_of(pattern)], explicit=True) or 0

    @staticmethod
    def get_default_ttl(key: str) -> int:
        """Return how long a value of this key lives that nothing forgets before, seconds."""
        return keys.get_default_ttl(key)

    async def forget(self, names: Iterable[str]) -> bool:
        """Forget names and all below them, in one hop; False where it is not known to be done.

        It never fails: what could not be told is made up for as soon as the cache is back.
        """
        return await self._forget(list(dict.fromkeys(names))) is not None

    async def get_or_compute(
        self,
        key: str,
        compute: Compute,
        *,
        ttl: float | None = None,
        tags: Iterable[str] = (),
        stamp: str = "",
        valid: Valid | None = None,
    ) -> Answer:
        """Return a value that was kept under this stamp and is valid, else compute it: once for all who ask now.

        Raises what `compute` raises. It runs in a task of its own: whoever asks holds no session meanwhile.
        """
        began, place = perf_counter(), keys.place(key, tags)
        joinable = True
        try:
            seen = await self.shared.look(place)
            entry = await self.shared.opened(place, seen)
            if entry is not None and entry.stamp == stamp:
                if valid is None or await valid(entry.value):
                    self._hit(place, began)
                    return Answer(entry.value, stamp, True)
                joinable = False  # what is going on may be as old
        except CacheAway:
            fresh = await compute()
            return Answer(fresh.value, fresh.stamp, False)
        self._missed(place)
        flight = self._flights.get((key, stamp))
        if flight is None or not (flight.seal is None or (joinable and flight.seal == seen.seal)):
            flight = self._fly(place, compute, ttl, stamp, valid)
        fresh = await asyncio.shield(flight.result)
        return Answer(fresh.value, fresh.stamp, False)

    def _fly(self, place: Place, compute: Compute, ttl: float | None, stamp: str, valid: Valid | None) -> _Flight:
        flight = self._flights[place.key, stamp] = _Flight()
        flight.result.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait any more
        task = asyncio.create_task(self._run(flight, place, compute, ttl, stamp, valid))
        self._running.add(task)

        def landed(task: "asyncio.Task[None]") -> None:
            self._running.discard(task)
            self._over(flight, place, stamp)
            if not flight.result.done():
                flight.result.cancel()

        task.add_done_callback(landed)
        return flight

    def _over(self, flight: _Flight, place: Place, stamp: str) -> None:
        if self._flights.get((place.key, stamp)) is flight:
            del self._flights[place.key, stamp]

    async def _run(
        self, flight: _Flight, place: Place, compute: Compute, ttl: float | None, stamp: str, valid: Valid | None
    ) -> None:
        seal, token = b"", ""
        try:
            seal, token, known = await self._turn(flight, place, stamp, valid)
            if known is None:
                began = perf_counter()
                known = await compute()
                self.statistics.count("computed", place.prefix)
                self.statistics.count("miss_seconds", place.prefix, perf_counter() - began)
        except Exception as error:
            self._over(flight, place, stamp)  # who asks from now on did not wait for this
            flight.result.set_exception(error)
            known = None
        else:
            flight.result.set_result(known)
        if flight.seal and token:
            try:
                await self.shared.keep(place, known, seal, token, ttl)
            except CacheAway:
                return

    async def _turn(
        self, flight: _Flight, place: Place, stamp: str, valid: Valid | None
    ) -> tuple[bytes, str, Fresh | None]:
        """Wait until this process is to compute, and return the seal and the token; or what another computed."""
        try:
            while True:
                granted, seal, token = await self.shared.lease(place)
                flight.seal = seal
                if granted:
                    return seal, token, None
                pause, longest = WAITS
                while True:
                    await asyncio.sleep(pause)
                    pause = min(1.5 * pause, longest)
                    seen = await self.shared.look(place)
                    entry = await self.shared.opened(place, seen)
                    if entry is not None and entry.stamp == stamp and (valid is None or await valid(entry.value)):
                        return b"", "", Fresh(entry.value, stamp)
                    if seen.seal != flight.seal or seen.lease is None:
                        break
        except CacheAway:
            flight.seal = b""  # nobody knows what was forgotten since: nobody joins
            return b"", "", None

    async def _forget(self, names: list[str], *, explicit: bool = False) -> int | None:
        """Return how many generations ended; None where that is not known."""
        server = self.shared.server
        if server is None:
            return None
        if not names:
            return 0
        replies = await server.forget(*[("DEL", keys.generation(name), keys.entry(name)) for name in names])
        for name, reply in zip(names, replies or [0] * len(names), strict=True):
            if reply or explicit:
                self.statistics.count("invalidations", keys.prefix_of(name))
                if bus.expects(CacheInvalidated):
                    self._tell(CacheInvalidated(key=name))
        return None if replies is None else sum(map(bool, replies))

    def _hit(self, place: Place, began: float) -> None:
        self.statistics.count("hits", place.prefix)
        self.statistics.count("hit_seconds", place.prefix, perf_counter() - began)
        if bus.expects(CacheHit):
            self._tell(CacheHit(key=place.key))

    def _missed(self, place: Place) -> None:
        self.statistics.count("misses", place.prefix)
        if bus.expects(CacheMiss):
            self._tell(CacheMiss(key=place.key))

    def _tell(self, event: Event) -> None:
        """Tell the listeners of this process; such an event goes through no outbox."""
        task = asyncio.create_task(bus.emit(Envelope.of(event)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def flush(self) -> None:
        """Add what this process counted to the sums of all."""
        server = self.shared.server
        for name, by in (("l1_hits", local.hits), ("l1_misses", local.misses)):
            self.statistics.count(name, by=by)
        local.hits = local.misses = 0
        counts = {name: by for name, by in self.statistics.take().items() if by}
        if server is None or not counts:
            self.statistics.give_back(counts)
            return
        counts["outages:"] = server.outages
        taken, server.outages = server.outages, 0
        try:
            await server.ask(*statistics.commands(STATISTICS, counts), patience=1.0)
        except CacheAway:
            server.outages += taken
            del counts["outages:"]
            self.statistics.give_back(counts)

    async def _flush_on(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            await self.flush()

    async def read_statistics(self) -> dict[str, Any]:
        """Return the figures of all processes; raises CacheAway."""
        await self.flush()
        (rows,) = await self.shared.usable().ask(("HGETALL", STATISTICS), patience=1.0)
        return statistics.summed(rows)


cache = Cache()


@asynccontextmanager
async def connected() -> AsyncGenerator[None]:
    """Use the cache until the block ends; where no address is given, or a block around does, nothing changes."""
    url = settings().cache_url
    if url is None or cache.shared.server is not None:
        yield
        return
    await cache.connect(url)
    try:
        yield
    finally:
        await cache.disconnect()
