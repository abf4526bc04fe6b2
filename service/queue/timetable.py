"""What the processes that keep the timetable share in Redis: who leads, and which slots are done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from service.queue.link import NAMESPACE, client
from service.queue.scripting import Call, execute, script

LEASE = 10_000  # ms for which a leader leads without saying so again

EPOCH, SENT = f"{NAMESPACE}:__epoch__", f"{NAMESPACE}:__sent__"
LINES = f"{NAMESPACE}:__lines__"  # task -> what the timetable says of it, as JSON
SILENT = 15.0  # seconds without a look of the leader at its clock, after which it counts as stopped
GRACE = timedelta(minutes=1)  # after its time, within which a slot is not yet late
LOOKED = f"{NAMESPACE}:__timetable__"  # when the leader last looked at its clock, ms


@dataclass(frozen=True, slots=True)
class Lead:
    """What a leader sees: Redis's time, whether Redis was emptied, and the last slot that was sent, by task."""

    at: datetime
    emptied: bool
    sent: dict[str, datetime]


async def lead(token: UUID) -> Lead | None:
    """Lead, or go on leading, for `LEASE`; None while another does."""
    [reply] = await execute(Call(script("lead"), [str(token), LEASE]))
    if reply is None:
        return None
    now, emptied, flat = reply
    words = [word.decode() for word in flat]
    sent = {name: datetime.fromisoformat(slot) for name, slot in zip(words[::2], words[1::2], strict=True)}
    return Lead(datetime.fromtimestamp(now / 1000, UTC), bool(emptied), sent)


async def resign(token: UUID) -> None:
    """Let another lead at once."""
    await execute(Call(script("resign"), [str(token)]))


async def mark_sent(task: str, slot: datetime) -> None:
    """Remember the last slot of a task that was sent."""
    await client().read(("HSET", SENT, task, slot.isoformat()))


async def mark_epoch(epoch: UUID) -> None:
    """Remember that Redis was not emptied since now."""
    await client().read(("SET", EPOCH, str(epoch)))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timetable; `next` is its next slot, which is sent at that time."""

    name: str
    cron: str
    queue: str
    next: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A line and how it stands: `waiting`, `late` when its slot is over and not sent, `stopped` when nobody leads."""

    name: str
    cron: str
    queue: str
    last: datetime | None
    next: datetime
    state: str


async def publish_lines(lines: Sequence[Line]) -> None:
    """Say what the timetable holds, in place of what was said before."""
    fields = [part for line in lines for part in (line.name, orjson.dumps(line))]
    await client().read(("DEL", LINES), *([("HSET", LINES, *fields)] if fields else []))


async def schedules() -> list[Schedule]:
    """Return every line of the timetable that last ran, with its last and next slot, by name."""
    lines, sent, clock = await client().read(("HGETALL", LINES), ("HGETALL", SENT), ("TIME",))
    last = {name.decode(): datetime.fromisoformat(slot.decode()) for name, slot in pairs(sent)}
    now, age = datetime.fromtimestamp(int(clock[0]), UTC), await scheduler_age()
    found: list[Schedule] = []
    for _, body in pairs(lines):
        fields = orjson.loads(body)
        following = datetime.fromisoformat(fields["next"])
        state = "stopped" if age is None or age > SILENT else "late" if now > following + GRACE else "waiting"
        found.append(
            Schedule(fields["name"], fields["cron"], fields["queue"], last.get(fields["name"]), following, state)
        )
    return sorted(found, key=lambda schedule: schedule.name)


def pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield field and value of what HGETALL answers."""
    return zip(flat[::2], flat[1::2], strict=True)


async def scheduler_age() -> float | None:
    """Return the seconds since the leader last looked at its clock; None where none ever did."""
    last, (seconds, microseconds) = await client().read(("GET", LOOKED), ("TIME",))
    return None if last is None else max(0.0, int(seconds) + int(microseconds) / 1e6 - int(last) / 1000)
