"""What an operator does with a consumer group: look at its dead letters, have them tried again, read again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from service.broadcast.names import OUTSIDE, STREAM, address, again_of, dead_letters_of
from service.errors import Invalid, NotFound

if TYPE_CHECKING:
    from redis import Redis

_LAST = 2**64 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadPosition(Invalid):
    """{given!r} is neither a time with its zone nor a position, as `1795802230742-0`."""


class UnknownDeadEvent(NotFound):
    """The group {group} has no dead letter {id}."""


def after(start: str | datetime) -> str:
    """Return the position after which a reader begins: that position, or right before that time; BadPosition."""
    if isinstance(start, datetime):
        if start.tzinfo is None or start < _EPOCH:
            raise BadPosition(given=start)
        return f"{max(0, (start - _EPOCH) // timedelta(milliseconds=1) - 1)}-{_LAST}"
    milliseconds, _, number = start.partition("-")
    if not all(part.isascii() and part.isdigit() and int(part) <= _LAST for part in (milliseconds, number or "0")):
        raise BadPosition(given=start)
    return f"{milliseconds}-{number or 0}"


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """An event that a group could not handle, and why."""

    id: str
    name: str
    event: bytes  # as it came
    reason: str  # failed, lost, malformed, too_large, unknown_type, unknown_version, invalid
    error: str
    attempts: int
    failed_at: datetime


class ConsumerGroup:
    """A group by its name; each call is a trip to Redis."""

    def __init__(self, group: str, redis_url: str | None = None) -> None:
        self.group = group
        self.redis_url = address(redis_url)
        self._client: Redis | None = None

    @property
    def _redis(self) -> "Redis":
        from redis import Redis

        if self._client is None:
            self._client = Redis.from_url(self.redis_url, protocol=2, socket_timeout=5, socket_connect_timeout=5)
        return self._client

    def dead_letters(self, limit: int = 100, after: str | None = None) -> list[DeadEvent]:
        """Return dead letters, oldest first; those after the id `after` where one is given."""
        start = "-" if after is None else f"({after}"
        rows: Any = self._redis.xrange(dead_letters_of(self.group), start, "+", limit)
        return [_dead_event(id, fields) for id, fields in rows]

    def replay_dead_letter(self, id: str) -> None:
        """Have the group try a dead letter again, and drop it; raises UnknownDeadEvent."""
        rows: Any = self._redis.xrange(dead_letters_of(self.group), id, id)
        if not rows:
            raise UnknownDeadEvent(group=self.group, id=id)
        kept: dict[Any, Any] = {
            key: value for key, value in rows[0][1].items() if key in (b"name", b"event", b"outside")
        }
        with self._redis.pipeline() as both:
            both.xadd(again_of(self.group), kept)
            both.xdel(dead_letters_of(self.group), id)
            both.execute()

    def replay_dead_letters(self) -> int:
        """Have the group try all its dead letters again, and return how many there were."""
        count = 0
        while letters := self.dead_letters():
            for letter in letters:
                self.replay_dead_letter(letter.id)
            count += len(letters)
        return count

    def discard_dead_letter(self, id: str) -> None:
        """Drop a dead letter; raises UnknownDeadEvent."""
        if not self._redis.xdel(dead_letters_of(self.group), id):
            raise UnknownDeadEvent(group=self.group, id=id)

    def replay(self, since: str | datetime) -> None:
        """Have the group read everything again that was told from a time on, or after a position; raises BadPosition.

        What is older than the stream keeps is told as a gap.
        """
        for stream in (STREAM, OUTSIDE):
            self._redis.xgroup_setid(stream, self.group, after(since))

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _dead_event(id: bytes, fields: dict[bytes, bytes]) -> DeadEvent:
    def text(name: str) -> str:
        return fields.get(name.encode(), b"").decode("utf-8", "replace")

    return DeadEvent(
        id.decode(),
        text("name"),
        fields.get(b"event", b""),
        text("reason"),
        text("error"),
        int(text("attempts") or 0),
        datetime.fromisoformat(text("failed_at")),
    )
