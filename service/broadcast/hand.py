"""What one consumer of a group has in hand, as Redis knows it: kept, counted, settled."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from redis.asyncio import Redis

from service.broadcast.names import DEAD_KEPT, OUTSIDE, STREAM, again_of, dead_letters_of
from service.broadcast.subscriptions import Handler

MOST = 500  # entries, most of which wait for another try; then nothing is read

Fields = dict[bytes, bytes]


@dataclass(slots=True)
class Held:
    """An entry that this consumer has in hand."""

    stream: str
    id: bytes
    fields: Fields | None  # None: not read here
    starts: int = 0
    due: float = 0.0
    done: set[Handler] = field(default_factory=set)
    counted: bool = False  # as received
    sure: float = field(default_factory=monotonic)  # when it was known to be this consumer's


class Hand:
    """The entries that a consumer has, by stream and position."""

    def __init__(self, group: str, consumer: str) -> None:
        self.group, self.consumer = group, consumer
        self.streams = (STREAM, OUTSIDE, again_of(group))
        self._held: dict[tuple[str, bytes], Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, held: Held) -> bool:
        return self._held.get((held.stream, held.id)) is held

    def all(self) -> list[Held]:
        """Return what is in hand."""
        return list(self._held.values())

    def take(self, held: Held) -> bool:
        """Add an entry; False where it is in hand already."""
        return self._held.setdefault((held.stream, held.id), held) is held

    def drop(self, held: Held) -> None:
        """Forget an entry."""
        self._held.pop((held.stream, held.id), None)

    async def compare(self, redis: Redis, stream: str) -> dict[bytes, int]:
        """Forget what others have taken over, and return the starts of all that Redis says this consumer has."""
        now = monotonic()
        pending: list[Any] = await redis.xpending_range(
            stream, self.group, "-", "+", 2 * MOST, consumername=self.consumer
        )
        mine: dict[bytes, int] = {one["message_id"]: one["times_delivered"] for one in pending}
        for held in self.all():
            if held.stream == stream and held.id in mine:
                held.sure = now
            elif held.stream == stream and held.sure < now:
                self.drop(held)
        return mine

    async def keep(self, redis: Redis, idle: int = 0) -> None:
        """Show that what is in hand has been silent for `idle` ms only; what others have taken over is theirs."""
        for stream in self.streams:
            if any(held.stream == stream for held in self._held.values()):
                await self.compare(redis, stream)
            ids: list[Any] = [held.id for held in self._held.values() if held.stream == stream]
            if ids:
                await redis.xclaim(stream, self.group, self.consumer, 0, ids, idle=idle, justid=True)

    async def count(self, redis: Redis, held: Held) -> Fields | None:
        """Count a start; None where the entry is settled, or the stream does not keep it any more."""
        held.starts += 1
        if held.starts == 1 and held.fields is not None:  # counted by the reading
            return held.fields
        claimed: Any = await redis.xclaim(held.stream, self.group, self.consumer, 0, [held.id], retrycount=held.starts)
        fields: Fields | None = claimed[0][1] if claimed else None
        if not fields:
            self.drop(held)
        return fields or None

    async def settle(self, redis: Redis, held: Held, letter: dict[Any, Any] | None = None) -> None:
        """Acknowledge an entry, in one step with the dead letter that it becomes."""
        replayed = held.stream not in (STREAM, OUTSIDE)
        if letter is None and not replayed:
            await redis.xack(held.stream, self.group, held.id)
        else:
            async with redis.pipeline() as steps:
                if letter is not None:
                    steps.xadd(dead_letters_of(self.group), letter, maxlen=DEAD_KEPT)
                steps.xack(held.stream, self.group, held.id)
                if replayed:  # nobody else reads it
                    steps.xdel(held.stream, held.id)
                await steps.execute()
        self.drop(held)
