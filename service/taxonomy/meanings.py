"""What categories mean before anybody used them: the vectors of their names and descriptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession, Session
from service.inference import MODEL, Vector
from service.outbox import emit
from service.search.vectors import to_text
from service.taxonomy.events import TaxonomyStale
from service.taxonomy.state import advance

STEP = 200  # categories that are read and written at a time

_INPUT = f"md5(ROW('{MODEL}'::text, 'meaning/1'::text, c.names, c.description)::text)"
_DRAFTS = text(
    f"""SELECT c.id, c.names, c.description, {_INPUT} AS input_hash FROM categories c
    WHERE c.prior_hash IS DISTINCT FROM {_INPUT} ORDER BY c.id LIMIT :most"""  # noqa: S608
)
_WRITE = text(
    f"""UPDATE categories c SET prior = CAST(made.vector AS vector), prior_hash = made.input_hash, revision = :version
    FROM unnest(CAST(:ids AS uuid[]), CAST(:vectors AS text[]), CAST(:hashes AS text[])) AS made(id, vector, input_hash)
    WHERE c.id = made.id AND {_INPUT} = made.input_hash AND c.prior_hash IS DISTINCT FROM made.input_hash
    RETURNING c.id"""  # noqa: S608
)
_NEW_MEANINGS = text("UPDATE taxonomy_state SET meanings = version")
_STALE = text(f"SELECT c.id FROM categories c WHERE c.prior_hash IS DISTINCT FROM {_INPUT} ORDER BY c.id LIMIT 1")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Meaning:
    """A category whose vector is missing or made from something else: what is to be embedded, and its hash."""

    category_id: UUID
    title: str
    text: str
    input_hash: str


async def drafted(session: ReadSession, most: int = STEP) -> list[Meaning]:
    """Read the next categories that are to be embedded; [] where all are."""
    rows = await session.execute(_DRAFTS, {"most": most})
    return [Meaning(row.id, *said(row.names, row.description), row.input_hash) for row in rows]


def said(names: Sequence[str], description: str | None) -> tuple[str, str]:
    """Return title and text of a category, as the model reads it, from the names that lead to it."""
    return names[-1], ". ".join(part for part in (description, " > ".join(names) if len(names) > 1 else None) if part)


async def keep(session: Session, made: Sequence[tuple[Meaning, Vector | None]]) -> int:
    """Write vectors (None: there is nothing to read) of categories that are still as embedded; returns how many."""
    version = await advance(session)
    rows = await session.execute(
        _WRITE,
        {
            "ids": [meaning.category_id for meaning, _ in made],
            "vectors": [None if vector is None else to_text(vector) for _, vector in made],
            "hashes": [meaning.input_hash for meaning, _ in made],
            "version": version,
        },
    )
    written = len(rows.all())
    if written:
        await session.execute(_NEW_MEANINGS)  # every prediction of before is stale
    return written


async def announce_stale(session: Session) -> int:
    """Ask again for the vectors of categories, where any is missing or made from something else."""
    found = await session.scalar(_STALE)
    if found is not None:
        emit(session, TaxonomyStale(category_id=found), audience=None)
    return int(found is not None)
