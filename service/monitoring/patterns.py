"""A sudden change of what an account asks for: many more tasks, failures, bytes or items than it usually does.

Its last `WINDOW` is compared with the mean of those windows of the last week in which it did something. What a stolen
token, a broken script or a document made to crash parsers does shows here first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.monitoring.tables import Alert

log = structlog.get_logger(__name__)

WINDOW = 600  # seconds
FACTOR = 5  # times what is usual


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted: rows of (account, moment, value); less than `least` in a window is never an alert."""

    rows: str
    least: int
    words: str


MEASURES: Final[dict[str, Measure]] = {
    "tasks": Measure("SELECT owner_id, created_at, 1 FROM tasks", 300, "tasks were asked for"),
    "failures": Measure("SELECT owner_id, ended_at, 1 FROM tasks WHERE status = 'failed'", 50, "tasks failed"),
    "bytes": Measure("SELECT owner_id, created_at, size FROM documents", 2**31, "bytes were uploaded"),
    "items": Measure("SELECT owner_id, created_at, total FROM batches", 20_000, "items were put into batches"),
}
_UNUSUAL = """
WITH rows (account_id, moment, value) AS ({rows}),
windows AS (
    SELECT account_id, ceil(extract(epoch FROM now() - moment) / :window) AS ago, sum(value) AS value
    FROM rows WHERE moment > now() - interval '7 days' GROUP BY 1, 2)
SELECT account_id, found, usual FROM (
    SELECT account_id, coalesce(sum(value) FILTER (WHERE ago <= 1), 0) AS found,
           coalesce(avg(value) FILTER (WHERE ago > 1), 0) AS usual
    FROM windows GROUP BY 1) AS accounts
WHERE found >= :least AND found > :factor * usual AND account_id IN (SELECT id FROM users)
"""


async def watch(session: Session) -> int:
    """Raise an alert for every account whose last window is unusual, end those that are over; return how many last."""
    lasting = 0
    for kind, measure in MEASURES.items():
        unusual = (
            await session.execute(
                text(_UNUSUAL.format(rows=measure.rows)),
                {"window": WINDOW, "least": measure.least, "factor": FACTOR},
            )
        ).all()
        for row in unusual:
            await _raise(session, kind, row.account_id, int(row.found), float(row.usual))
        over = update(Alert).where(Alert.kind == kind, Alert.ended_at.is_(None))
        await session.execute(
            over.where(Alert.account_id.not_in([row.account_id for row in unusual])).values(ended_at=func.now())
        )
        lasting += len(unusual)
    return lasting


async def _raise(session: Session, kind: str, account_id: UUID, found: int, usual: float) -> None:
    new = insert(Alert).values(kind=kind, account_id=account_id, found=found, usual=usual)
    raised = await session.scalar(
        new.on_conflict_do_update(
            index_elements=[Alert.kind, Alert.account_id],
            index_where=Alert.ended_at.is_(None),
            set_={"found": func.greatest(Alert.found, new.excluded.found), "seen_at": func.now()},
        ).returning(text("xmax = 0"))
    )
    if raised:
        log.warning("an account does much more than usual", kind=kind, account_id=str(account_id), found=found)


def words(alert: Alert) -> str:
    """Say what happened, for people."""
    usual = f"{alert.usual:.0f} are usual" if alert.usual else "usually there are none"
    return f"In ten minutes {alert.found} {MEASURES[alert.kind].words} by one account; {usual}."


async def alerts(session: ReadSession, limit: int, offset: int, *, lasting: bool) -> tuple[int, Sequence[Alert]]:
    """Return how many alerts there are, and some of them, newest first."""
    wanted = select(Alert).where(Alert.ended_at.is_(None)) if lasting else select(Alert)
    total = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    rows = await session.scalars(wanted.order_by(Alert.raised_at.desc(), Alert.id).limit(limit).offset(offset))
    return total or 0, rows.all()
