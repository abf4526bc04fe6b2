"""How many connections to PostgreSQL the processes of this host may open, and how many it takes."""

from dataclasses import dataclass

from service.database import Statement, fetch
from service.errors import PharosError
from service.settings import Settings

WORKER_KEPT = 16  # connections, at most: a task holds one only while it reads or writes
WORKER_OVERFLOW = 4  # connections beyond those that a worker keeps open


class TooFewConnections(PharosError):
    """PostgreSQL takes {allowed} connections from Pharos, and its processes here keep {kept} open ({how}).
    Raise `max_connections` in PostgreSQL, or lower PHAROS_POOL_SIZE, PHAROS_WORKERS or PHAROS_WORKER_CONCURRENCY."""


@dataclass(frozen=True, slots=True)
class Need:
    """Connections that a host's processes keep open, and have at most, in all; `how` tells the sum."""

    kept: int
    most: int
    how: str


def need(settings: Settings) -> Need:
    """Return what the web server and as many workers as there may be will ask for; the timetable asks for none."""
    workers = max(settings.workers, settings.workers_max or 0)
    each = min(settings.worker_concurrency, WORKER_KEPT)
    kept = settings.pool_size + workers * each
    how = f"web {settings.pool_size} + {settings.pool_overflow}, {workers} workers of {each} + {WORKER_OVERFLOW}"
    return Need(kept, kept + settings.pool_overflow + workers * WORKER_OVERFLOW, how)


_ALLOWED = Statement(
    """
    SELECT current_setting('max_connections')::int AS server, nullif(rolconnlimit, -1) AS role,
        nullif(datconnlimit, -1) AS database,
        CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
            + coalesce(current_setting('reserved_connections', true)::int, 0) END AS reserved
    FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
    """
)


async def allowed() -> int:
    """Return how many connections PostgreSQL takes from this role, to this database."""
    [row] = await fetch(_ALLOWED)
    return min(limit for limit in (row["server"] - row["reserved"], row["role"], row["database"]) if limit is not None)


async def check(settings: Settings) -> str | None:
    """Raise TooFewConnections where what is kept open does not fit; return words where only what is beyond does not."""
    there, asked = await allowed(), need(settings)
    if asked.kept > there:
        raise TooFewConnections(allowed=there, kept=asked.kept, how=asked.how)
    if asked.most <= there:
        return None
    return (
        f"PostgreSQL takes {there} connections from Pharos, and its processes here may open {asked.most} in a rush"
        f" ({asked.how}): then some requests get 503. Raise `max_connections`, or lower PHAROS_POOL_OVERFLOW."
    )
