"""Rate limits: a sliding window over all processes, in Redis (`limits.lua`), per account or per address.

A process takes requests from Redis in portions and hands them out by itself, so that an ordinary request costs no
hop; what a portion holds is gone when its window is over. While Redis is away accounts are not limited, sign-ins are
limited by each process (QUEUE.md, "Redis away").
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from time import monotonic
from typing import Final, cast
from uuid import UUID

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from service.errors import RateLimited
from service.settings import settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds; a process takes a portion of them from Redis in one hop."""

    name: str
    requests: int
    seconds: int
    portion: int = 1


#                            name          requests  in seconds
LOGIN_BY_ADDRESS: Final = Limit("login_by_address", 30, 60)
LOGIN_BY_NAME: Final = Limit("login_by_name", 10, 300)
GUESSES: Final = Limit("guesses", 100, 60)  # different wrong tokens from one address, to one process
INGEST: Final = Limit("ingest", 600, 60, portion=20)
SEARCH: Final = Limit("search", 600, 60, portion=20)
MAIL: Final = Limit("mail", 6, 3600)  # letters that somebody asks for, to any address
WRITE: Final = Limit("write", 3_000, 60, portion=100)
ADMIN: Final = Limit("admin", 300_000, 60, portion=2_000)  # everything an admin does: imports are never slowed

Bucket = tuple[Limit, str | UUID]  # the limit, and the account, name or network that it counts

_PATIENCE = 0.25  # seconds for Redis to answer
_PAUSE = 2.0  # seconds without asking, after it did not
_MOST = 20_000  # buckets that a process remembers


class Limiter:
    """Counts requests; one per process, `limiter`. Not connected, it works as while Redis is away."""

    def __init__(self) -> None:
        self._redis: Redis | None = None
        self._script: AsyncScript | None = None
        self._paused_until = 0.0
        self._leases: dict[Bucket, _Lease] = {}
        self.local = LocalWindows()

    def connect(self, url: str) -> None:
        """Count in the Redis at `url` from now on; a connection is made with the first request."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=8,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(Path(__file__).with_name("limits.lua").read_text())
        self._paused_until = 0.0

    async def disconnect(self) -> None:
        """Close the connections to Redis."""
        redis, self._redis, self._script = self._redis, None, None
        if redis is not None:
            await redis.aclose()

    async def take(self, limit: Limit, who: UUID) -> None:
        """Count one request, of the portion this process holds where it can; RateLimited when there is none left."""
        bucket = (limit, who)
        lease = self._leases.get(bucket) or self._new_lease(bucket)
        if lease.left > 0 and monotonic() < lease.until:
            lease.left -= 1
            return
        async with lease.refill:
            if lease.left <= 0 or lease.until <= monotonic():
                await self._renew(lease, bucket)
            lease.left -= 1

    async def attempt(self, *buckets: Bucket) -> None:
        """Count one attempt in all of these buckets, or in none and raise RateLimited."""
        answer = await self._ask(1, buckets)
        if answer is None or answer[0]:  # counted here too: nobody begins anew in the moment when Redis is slow
            here = self.local.take(buckets)
            answer = answer or here
        granted, retry_after = answer
        if not granted:
            raise RateLimited(retry_after=max(1, retry_after))

    async def forget(self, bucket: Bucket) -> None:
        """Start counting from nothing."""
        self.local.forget(bucket)
        if self._redis is not None and monotonic() >= self._paused_until:
            try:
                await self._redis.delete(_key(bucket))
            except (RedisError, OSError) as error:
                self._pause(error)

    def _new_lease(self, bucket: Bucket) -> "_Lease":
        if len(self._leases) >= _MOST:
            now = monotonic()
            self._leases = {bucket: lease for bucket, lease in self._leases.items() if lease.in_use(now)}
        lease = self._leases[bucket] = _Lease()
        return lease

    async def _renew(self, lease: "_Lease", bucket: Bucket) -> None:
        limit, now = bucket[0], monotonic()
        if now < lease.denied_until:
            raise RateLimited(retry_after=math.ceil(lease.denied_until - now))
        answer = await self._ask(limit.portion, [bucket])
        if answer is None:
            lease.left, lease.until = limit.portion, now + _PAUSE
            return
        lease.left, retry_after = answer
        lease.until = now + limit.seconds
        if not lease.left:
            lease.denied_until = now + retry_after
            raise RateLimited(retry_after=max(1, retry_after))

    async def _ask(self, wanted: int, buckets: Sequence[Bucket]) -> tuple[int, int] | None:
        """Return how many Redis grants and the seconds until the next try; None while it is away."""
        if self._script is None or monotonic() < self._paused_until:
            return None
        limits = [number for limit, _ in buckets for number in (limit.requests, limit.seconds)]
        try:
            answer = await self._script(keys=[_key(bucket) for bucket in buckets], args=[wanted, *limits])
        except (RedisError, OSError) as error:
            self._pause(error)
            return None
        granted, retry_after = cast("list[int]", answer)
        return granted, retry_after

    def _pause(self, error: Exception) -> None:
        self._paused_until = monotonic() + _PAUSE
        log.warning("rate limits are kept by this process alone, Redis is away", error=repr(error), seconds=_PAUSE)


@dataclass(slots=True)
class _Lease:
    """What this process may hand out by itself, or until when it need not ask again."""

    left: int = 0
    until: float = 0.0
    denied_until: float = 0.0
    refill: asyncio.Lock = field(default_factory=asyncio.Lock)

    def in_use(self, now: float) -> bool:
        return now < max(self.until, self.denied_until) or self.refill.locked()


class LocalWindows:
    """The windows of `limits.lua` for one process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._windows: dict[Bucket, tuple[int, int, int]] = {}  # number of the window, count in it, count before it

    def take(self, buckets: Sequence[Bucket]) -> tuple[int, int]:
        """Count one in every bucket or in none; return how many were granted, and the seconds until the next try."""
        retry_after = max(self.retry_after(bucket) for bucket in buckets)
        if retry_after:
            return 0, retry_after
        if len(self._windows) >= _MOST:
            self._windows = {bucket: self._window(bucket) for bucket in self._windows if any(self._window(bucket)[1:])}
        for bucket in buckets:
            number, count, before = self._window(bucket)
            self._windows[bucket] = (number, count + 1, before)
        return 1, 0

    def retry_after(self, bucket: Bucket) -> int:
        """Return the seconds until one more fits, 0 where it does now."""
        number, count, before = self._window(bucket)
        return math.ceil(_wait(bucket[0], count, before, self._clock() - number * bucket[0].seconds))

    def forget(self, bucket: Bucket) -> None:
        """Start counting from nothing."""
        self._windows.pop(bucket, None)

    def _window(self, bucket: Bucket) -> tuple[int, int, int]:
        number = int(self._clock() // bucket[0].seconds)
        known, count, before = self._windows.get(bucket, (number, 0, 0))
        if known == number:
            return known, count, before
        return number, 0, count if known == number - 1 else 0


def _wait(limit: Limit, count: int, before: int, elapsed: float) -> float:
    """Return the seconds until one more fits: the window before counts by the part of it that is still in sight."""
    if count + 1 + before * (1 - elapsed / limit.seconds) <= limit.requests:
        return 0.0
    if count < limit.requests:
        return limit.seconds * (1 - (limit.requests - 1 - count) / before) - elapsed
    return limit.seconds - elapsed + limit.seconds * (1 - (limit.requests - 1) / count)


def network(address: str | None) -> str:
    """Return what an address is counted as: itself, or its /64, which is one customer's in IPv6."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or "local"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return address or "local"


def _key(bucket: Bucket) -> str:
    who = blake2b(str(bucket[1]).encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"pharos:limit:{bucket[0].name}:{who}"  # a name that somebody typed may be a password by mistake


limiter = Limiter()


@asynccontextmanager
async def connected() -> AsyncGenerator[None]:
    """Count in the cache's Redis until the block ends."""
    if url := settings().cache_url:
        limiter.connect(url)
    try:
        yield
    finally:
        await limiter.disconnect()
