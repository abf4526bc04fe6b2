"""Citations of texts that people give, and change: found as in a page that is read, by a task of their own."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession, Session
from service.graph.actions import replace_citations
from service.ingestion.events import CitationsExtracted, CitationsStale
from service.ingestion.extracted import Citation
from service.ingestion.identifiers import citations_of
from service.outbox import emit
from service.queue.offload import in_process
from service.tasks import CITE

QUICK = 100_000  # characters, in which they are found within milliseconds
CITATIONS_VERSION = "given/1"

# `r` is the row of `resources`. What was read from a page or a file has HTML, and its citations from there.
_GIVEN = "r.content_hash IS NOT NULL AND r.content_html IS NULL"
_INPUT = f"md5('{CITATIONS_VERSION} ' || r.content_hash)"
_DRAFT = text(
    f"""SELECT r.content, {_INPUT} AS input_hash FROM resources r
    LEFT JOIN citation_readings k ON k.resource_id = r.id
    WHERE r.id = :id AND {_GIVEN} AND k.input_hash IS DISTINCT FROM {_INPUT}"""  # noqa: S608
)
_STILL = text(
    f"""SELECT CASE WHEN r.private THEN r.owner_id END AS audience FROM resources r
    WHERE r.id = :id AND {_GIVEN} AND {_INPUT} = :input_hash FOR NO KEY UPDATE"""  # noqa: S608
)
_READ = text(
    """INSERT INTO citation_readings (resource_id, input_hash) VALUES (:id, :input_hash)
    ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash"""
)
_BEFORE = text("SELECT kind, value, text FROM citations WHERE resource_id = :id ORDER BY position")
_STALE = text(
    f"""SELECT r.id, CASE WHEN r.private THEN r.owner_id END AS audience FROM resources r
    LEFT JOIN citation_readings k ON k.resource_id = r.id
    WHERE {_GIVEN} AND r.updated_at < now() - make_interval(secs => :age) AND k.input_hash IS DISTINCT FROM {_INPUT}
        AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > r.updated_at
            AND l.arguments ->> 'resource_id' = CAST(r.id AS text))
    ORDER BY r.updated_at LIMIT :most"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Given:
    """A text that somebody gave, and the hash of it."""

    resource_id: UUID
    text: str
    input_hash: str

    async def citations(self) -> list[Citation]:
        """Find what it refers to; a long text is looked through in another process."""
        if len(self.text) <= QUICK:
            return await asyncio.to_thread(citations_of, self.text)
        return await in_process(citations_of, self.text)


async def drafted(session: ReadSession, resource_id: UUID) -> Given | None:
    """Read a text whose citations are to be found; None where that is done, or nobody gave one."""
    row = (await session.execute(_DRAFT, {"id": resource_id})).one_or_none()
    return None if row is None else Given(resource_id, row.content, row.input_hash)


async def keep(session: Session, given: Given, found: list[Citation]) -> bool:
    """Record what a text refers to, and tell of it where that is something else than before."""
    id = given.resource_id
    still = (await session.execute(_STILL, {"id": id, "input_hash": given.input_hash})).one_or_none()
    if still is None:
        return False
    await session.execute(_READ, {"id": id, "input_hash": given.input_hash})
    before = [tuple(row) for row in await session.execute(_BEFORE, {"id": id})]
    if before == [(one.kind, one.value[:2000], one.text[:4000]) for one in found]:
        return False
    ids = await replace_citations(session, id, found)
    emit(session, CitationsExtracted(resource_id=id, citation_ids=ids, count=len(ids)), audience=still.audience)
    return True


async def announce_stale(session: Session, limit: int = 500, age: float = 120) -> int:
    """Ask again for citations of given texts that were not looked for in what they are now; returns of how many."""
    rows = (await session.execute(_STALE, {"most": limit, "age": age, "task": CITE.name})).all()
    for row in rows:
        emit(session, CitationsStale(resource_id=row.id), audience=row.audience)
    return len(rows)
