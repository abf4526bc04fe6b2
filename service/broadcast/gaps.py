"""What a group was too late for: the stream keeps so many events and no more, and says so where some are gone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.broadcast.names import OUTSIDE, STREAM

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that a group will not see, between two positions; `lost` is None where they cannot be counted."""

    stream: str
    after: str
    before: str
    lost: int | None


def order(position: str | bytes) -> tuple[int, int]:
    """Return a position as what it sorts by: milliseconds since 1970, and a number within."""
    milliseconds, _, number = (position.decode() if isinstance(position, bytes) else position).partition("-")
    return int(milliseconds), int(number or 0)


async def gaps(redis: "Redis", group: str) -> list[Gap]:
    """Return what is gone from the streams that the group has not read yet."""
    found: list[Gap] = []
    for stream in (STREAM, OUTSIDE):
        async with redis.pipeline() as both:
            both.xinfo_stream(stream)
            both.xinfo_groups(stream)
            about, groups = await both.execute()
        mine = next((one for one in groups if one["name"] == group.encode()), None)
        if mine is not None and (gap := _gap(stream, about, mine)):
            found.append(gap)
    return found


def _gap(stream: str, about: dict[str, Any], mine: dict[str, Any]) -> Gap | None:
    gone = about["entries-added"] - about["length"]
    cursor, read = mine["last-delivered-id"].decode(), mine["entries-read"]
    first = about["first-entry"]
    before = first[0].decode() if first else about["last-generated-id"].decode()
    if gone <= 0 or order(cursor) >= order(before):
        return None
    if read is None:
        return Gap(stream, cursor, before, None)
    return Gap(stream, cursor, before, gone - read) if gone > read else None
