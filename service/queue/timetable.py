"""What the processes that keep the timetable share in Redis: who leads, and which slots are done."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from service.queue.link import NAMESPACE, client
from service.queue.scripting import Call, execute, script

LEASE = 10_000  # ms for which a leader leads without saying so again

EPOCH, SENT = f"{NAMESPACE}:__epoch__", f"{NAMESPACE}:__sent__"
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


async def scheduler_age() -> float | None:
    """Return the seconds since the leader last looked at its clock; None where none ever did."""
    last, (seconds, microseconds) = await client().read(("GET", LOOKED), ("TIME",))
    return None if last is None else max(0.0, int(seconds) + int(microseconds) / 1e6 - int(last) / 1000)
