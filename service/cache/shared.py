"""L2: entries, leases and generations in Redis.

A value belongs to the generations of all names that it is below, and of its tags. Whatever forgets a name deletes one
small key, its generation; the next lease begins another, under a random token. So it costs the same for one value and
for a million, and a generation that was evicted or lost is over, too.
"""

import asyncio
from dataclasses import dataclass
from random import uniform
from secrets import token_hex
from typing import Any, NamedTuple

import structlog

from service.cache import keys
from service.cache.entries import Damaged, Entry, TooLargeToKeep, pack, unpack
from service.cache.keys import Place
from service.cache.server import CacheAway, Server
from service.cache.statistics import Statistics

log = structlog.get_logger(__name__)

LEASE = 2.0  # seconds; who computes for longer is not waited for
GENERATION = 2 * max(keys.TTLS.values())  # seconds that a generation outlives its last lease
JITTER = 0.1  # of a life that may be cut off, so that what came together does not go together
LARGE = 64 * 2**10  # bytes that are packed and unpacked in a thread


class Fresh(NamedTuple):
    """What was computed: of what state of its source it tells, and whether it is worth keeping."""

    value: Any
    stamp: str = ""
    keep: bool = True


@dataclass(slots=True)
class Seen:
    """What stood in Redis at one moment; no seal where a generation was missing."""

    data: bytes | None
    lease: bytes | None
    seal: bytes


class Shared:
    """The values of all processes."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.server: Server | None = None

    def usable(self) -> Server:
        """Return the server; raises CacheAway where there is none."""
        if self.server is None:
            raise CacheAway(reason="this process has no connection to it")
        return self.server

    async def look(self, place: Place) -> Seen:
        """Return what stands there now, at one moment."""
        server = self.usable()
        identity = server.identity
        ((data, lease, *generations),) = await server.ask(("MGET", place.entry, place.lease, *place.generations))
        seal = b"" if None in generations else b"|".join((identity, *generations))
        return Seen(data, lease, seal)

    async def opened(self, place: Place, seen: Seen) -> Entry | None:
        """Return the entry that was seen, where it belongs to the generations that were seen."""
        if seen.data is None or not seen.seal:
            return None
        try:
            if len(seen.data) > LARGE:
                entry = await asyncio.to_thread(unpack, place.key, seen.data)
            else:
                entry = unpack(place.key, seen.data)
        except Damaged as error:
            self.statistics.count("damaged")
            log.warning("damaged entry", error=error.detail)
            return None
        if entry.seal != seen.seal:
            return None
        self.statistics.count("read_bytes", place.prefix, len(seen.data))
        return entry

    async def lease(self, place: Place) -> tuple[bool, bytes, str]:
        """Ask to compute a value: whether nobody else does, the seal that it is computed under, and a token."""
        server, token = self.usable(), token_hex(8)
        identity = server.identity
        granted, seal = await server.run(
            "lease", [place.lease, *place.generations], token, round(1000 * LEASE), GENERATION
        )
        return bool(granted), identity + b"|" + seal, token

    async def keep(self, place: Place, fresh: Fresh | None, seal: bytes, token: str, ttl: float | None) -> None:
        """End a lease, and keep what was computed under it, if that is worth it and can be kept."""
        server, data = self.usable(), b""
        if fresh is not None and fresh.keep:
            try:
                large = isinstance(fresh.value, bytes) and len(fresh.value) > LARGE
                packed = (place.key, fresh.value, seal, fresh.stamp)
                data = await asyncio.to_thread(pack, *packed) if large else pack(*packed)
            except TooLargeToKeep as error:
                self.statistics.count("too_large")
                log.info("not kept", error=error.detail)
        life = 1000 * (keys.get_default_ttl(place.key) if ttl is None else ttl) * uniform(1 - JITTER, 1)
        generations = seal.partition(b"|")[2]
        await server.run(
            "keep", [place.entry, place.lease, *place.generations], generations, token, max(1, round(life)), data
        )
