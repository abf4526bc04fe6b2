"""The author names of a resource become links to authors. What somebody decided by hand stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from service.authors.events import AuthorsNormalized, AuthorsStale
from service.authors.matching import Candidate, choose
from service.authors.names import Name, compatible, folded, parse
from service.database import ReadSession, Session
from service.outbox import emit

MOST = 5000  # authors of one resource
CROWD = 100  # authors, beyond which a paper does not tell who knows whom
WRITTEN = 1000  # characters of a name that are kept
CANDIDATES = 20_000  # names that are compared, of all authors of a resource together

# Runs and hand decisions follow one another: two resources of one new author make one.
TURN = text("SELECT pg_advisory_xact_lock(7262033)")

AUTHORS_INPUT = "md5(ROW('authors/1'::text, r.authors, r.subjects, r.private, r.owner_id)::text)"
_DRAFT = text(
    f"""SELECT r.authors, r.subjects, r.private, r.owner_id, {AUTHORS_INPUT} AS input_hash FROM resources r
    WHERE r.id = :id AND NOT EXISTS (
        SELECT FROM author_readings a WHERE a.resource_id = r.id AND a.input_hash = {AUTHORS_INPUT})"""  # noqa: S608
)
_CLAIM = text(
    f"""INSERT INTO author_readings AS a (resource_id, input_hash)
    SELECT r.id, {AUTHORS_INPUT} FROM resources r
    WHERE r.id = :id AND {AUTHORS_INPUT} = :input_hash FOR KEY SHARE
    ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash, read_at = clock_timestamp()
    WHERE a.input_hash <> excluded.input_hash
    RETURNING a.resource_id"""  # noqa: S608
)
_PRESENT = text(
    """SELECT l.heading, l.author_id, l.basis, EXISTS (
        SELECT FROM author_links o WHERE o.author_id = l.author_id AND o.resource_id <> :id) AS elsewhere
    FROM author_links l WHERE l.resource_id = :id ORDER BY l.position"""
)
_APART = text(
    """SELECT one_id, other_id FROM author_distinctions
    WHERE one_id = ANY(CAST(:ids AS uuid[])) OR other_id = ANY(CAST(:ids AS uuid[]))"""
)
# What is private moves nothing that others see: it counts for what the same owner keeps private, too.
_COUNTS = "(NOT r.private OR (:private AND r.owner_id = :owner))"
_NAMES = text(
    """SELECT v.author_id, v.key, v.written FROM author_variants v
    WHERE v.key = ANY(CAST(:keys AS text[])) ORDER BY v.key, v.author_id LIMIT :most"""
)
_ORCIDS = text(
    """SELECT DISTINCT l.author_id, l.orcid FROM author_links l
    WHERE l.orcid IS NOT NULL AND l.resource_id <> :id
        AND (l.author_id = ANY(CAST(:ids AS uuid[])) OR l.orcid = ANY(CAST(:orcids AS text[])))"""
)
_COAUTHORS = text(
    f"""SELECT DISTINCT l.author_id, o.written FROM author_links l
    JOIN resources r ON r.id = l.resource_id AND cardinality(r.authors) <= {CROWD}
    JOIN author_links o ON o.resource_id = l.resource_id AND o.author_id <> l.author_id AND o.key <> l.key
    WHERE l.author_id = ANY(CAST(:ids AS uuid[])) AND l.resource_id <> :id
        AND o.key = ANY(CAST(:keys AS text[])) AND {_COUNTS}"""  # noqa: S608
)
_SUBJECTS = text(
    f"""SELECT l.author_id, count(DISTINCT lower(subject)) AS shared FROM author_links l
    JOIN resources r ON r.id = l.resource_id, unnest(r.subjects) AS subject
    WHERE l.author_id = ANY(CAST(:ids AS uuid[])) AND l.resource_id <> :id
        AND lower(subject) = ANY(CAST(:subjects AS text[])) AND {_COUNTS} GROUP BY l.author_id"""  # noqa: S608
)
_ADD_AUTHORS = text(
    """INSERT INTO authors (id, name, sort_name, key, kind)
    SELECT id, '', '', key, kind
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:kinds AS text[])) AS given(id, key, kind)"""
)
_DROP_LINKS = text("DELETE FROM author_links WHERE resource_id = :id")
_ADD_LINKS = text(
    """INSERT INTO author_links (resource_id, position, author_id, written, name, sort_name, folded, heading, key,
        fullness, orcid, basis)
    SELECT CAST(:id AS uuid), place - 1, author_id, written, name, sort_name, folded, heading, key, fullness, orcid,
        basis
    FROM unnest(CAST(:authors AS uuid[]),
        CAST(:written AS text[]), CAST(:names AS text[]), CAST(:sort_names AS text[]), CAST(:folded AS text[]),
        CAST(:headings AS text[]), CAST(:keys AS text[]), CAST(:fullness AS int[]), CAST(:orcids AS text[]),
        CAST(:bases AS text[]))
        WITH ORDINALITY
        AS given(author_id, written, name, sort_name, folded, heading, key, fullness, orcid, basis, place)"""
)
_RENAME = text(
    """UPDATE authors a SET name = best.name, sort_name = best.sort_name, key = best.key
    FROM (SELECT DISTINCT ON (l.author_id) l.author_id, l.name, l.sort_name, l.key
        FROM author_links l JOIN resources r ON r.id = l.resource_id
        WHERE l.author_id = ANY(CAST(:ids AS uuid[]))
        ORDER BY l.author_id, r.private, l.fullness DESC, l.name) best
    WHERE a.id = best.author_id
        AND (a.name, a.sort_name, a.key) IS DISTINCT FROM (best.name, best.sort_name, best.key)"""
)
_DROP_VARIANTS = text(
    """DELETE FROM author_variants v WHERE v.author_id = ANY(CAST(:ids AS uuid[])) AND NOT EXISTS (
        SELECT FROM author_links l WHERE l.author_id = v.author_id AND l.heading = v.heading)"""
)
_ADD_VARIANTS = text(
    """INSERT INTO author_variants (author_id, heading, key, written)
    SELECT DISTINCT ON (l.author_id, l.heading) l.author_id, l.heading, l.key, l.written FROM author_links l
    WHERE l.author_id = ANY(CAST(:ids AS uuid[])) ORDER BY l.author_id, l.heading, l.written
    ON CONFLICT (author_id, heading) DO UPDATE SET written = excluded.written
    WHERE author_variants.written <> excluded.written"""
)
_DROP_UNUSED = text(
    """DELETE FROM authors a WHERE a.id = ANY(CAST(:ids AS uuid[]))
        AND NOT EXISTS (SELECT FROM author_links l WHERE l.author_id = a.id)"""
)
_STALE = text(
    f"""SELECT r.id, CASE WHEN r.private THEN r.owner_id END AS audience
    FROM resources r LEFT JOIN author_readings a ON a.resource_id = r.id
    WHERE coalesce(a.input_hash <> {AUTHORS_INPUT}, cardinality(r.authors) > 0)
        AND r.updated_at < now() - make_interval(secs => :age) LIMIT :most"""  # noqa: S608
)
_SWEEP = text(
    """DELETE FROM authors WHERE id IN (
        SELECT a.id FROM authors a WHERE NOT EXISTS (SELECT FROM author_links l WHERE l.author_id = a.id) LIMIT :most)
    RETURNING id"""
)


@dataclass(frozen=True, slots=True)
class Draft:
    """The names of a resource as they were read, and what may tell who they are."""

    resource_id: UUID
    written: list[str]
    subjects: list[str]
    private: bool
    owner_id: UUID
    input_hash: str


@dataclass(slots=True)
class Link:
    """A name on its way to an author."""

    written: str
    name: Name
    author_id: UUID | None = None
    basis: str = "new"


async def drafted(session: ReadSession, resource_id: UUID) -> Draft | None:
    """Read the names of a resource; None where that is done, or there is no such resource any more."""
    row = (await session.execute(_DRAFT, {"id": resource_id})).one_or_none()
    return None if row is None else Draft(resource_id, *row)


def named(written: Sequence[str]) -> list[Link]:
    """Read names, in their order: who names nobody, or was named before, is left out."""
    links: dict[str, Link] = {}
    for one in written[:MOST]:
        if name := parse(one):
            links.setdefault(name.heading, Link(" ".join(one.split())[:WRITTEN], name))
    return list(links.values())


async def normalize(session: Session, draft: Draft, links: list[Link]) -> bool:
    """Link a resource to its authors; False where that is done, or it was changed or deleted meanwhile."""
    await session.execute(TURN)
    id = draft.resource_id
    if not (await session.execute(_CLAIM, {"id": id, "input_hash": draft.input_hash})).first():
        return False
    present = {row.heading: row for row in await session.execute(_PRESENT, {"id": id})}
    for link in links:
        known = present.get(link.name.heading)
        said = link.name.orcid is not None and known is not None and known.basis != "identifier"
        if known is not None and (known.basis == "hand" or (known.elsewhere and not said)):
            link.author_id, link.basis = known.author_id, known.basis
    now = {link.name.heading: present[link.name.heading].author_id for link in links if link.name.heading in present}
    await _match(session, draft, links, now)
    for link in links:
        if link.author_id is None and (known := present.get(link.name.heading)):
            link.author_id, link.basis = known.author_id, known.basis
    await _write(session, id, links, [row.author_id for row in present.values()])
    audience = draft.owner_id if draft.private else None
    emit(session, AuthorsNormalized(resource_id=id, count=len(links)), audience=audience)
    return True


async def _match(session: Session, draft: Draft, links: list[Link], now: dict[str, UUID]) -> None:
    """Give each name that has no author yet a known one, where there is no doubt; no author is there twice.

    `now` are authors of their own, by heading: who was told apart from them is not meant.
    """
    apart = {pair for row in await session.execute(_APART, {"ids": sorted(set(now.values()))}) for pair in
             ((row.one_id, row.other_id), (row.other_id, row.one_id))}  # fmt: skip
    used = {link.author_id for link in links}
    waiting = [link for link in links if link.author_id is None]
    candidates = await _candidates(session, draft, [link.name for link in links]) if waiting else {}
    for link in waiting:
        free = [one for one in candidates.get(link.name.key, ()) if one.id not in used]
        if link.name.orcid:
            free += [one for one in candidates.get(link.name.orcid, ()) if one.id not in used]
        own = now.get(link.name.heading)
        free = [one for one in free if own is None or (own, one.id) not in apart]
        if chosen := choose(link.name, free):
            link.author_id, link.basis = chosen
            used.add(link.author_id)


async def _candidates(session: Session, draft: Draft, names: list[Name]) -> dict[str, list[Candidate]]:
    """Return known authors by key, and by identifier, with what speaks for each."""
    keys = sorted({name.key for name in names})
    orcids = sorted({name.orcid for name in names if name.orcid})
    found: dict[tuple[UUID, str], Candidate] = {}
    for row in await session.execute(_NAMES, {"keys": keys, "most": CANDIDATES}):
        if name := parse(row.written):
            found.setdefault((row.author_id, row.key), Candidate(row.author_id)).names.append(name)
    who = {"id": draft.resource_id, "ids": sorted({id for id, _ in found}), "private": draft.private}
    who |= {"owner": draft.owner_id, "keys": keys, "subjects": sorted({one.lower() for one in draft.subjects})}
    of: dict[UUID, list[Candidate]] = {}
    for (id, _), candidate in found.items():
        of.setdefault(id, []).append(candidate)
    by: dict[str, list[Candidate]] = {}
    for row in await session.execute(_ORCIDS, who | {"orcids": orcids}):
        for candidate in of.setdefault(row.author_id, [Candidate(row.author_id)]):
            candidate.orcids.add(row.orcid)
            by.setdefault(row.orcid, []).append(candidate)
    if len(names) <= CROWD:
        beside: dict[str, list[Name]] = {}
        for name in names:
            beside.setdefault(name.key, []).append(name)
        for row in await session.execute(_COAUTHORS, who):
            other = parse(row.written)
            if other and any(compatible(other, name) for name in beside.get(other.key, ())):
                for candidate in of[row.author_id]:
                    candidate.coauthors += 1
    for row in await session.execute(_SUBJECTS, who):
        for candidate in of[row.author_id]:
            candidate.subjects = row.shared
    for (_, key), candidate in found.items():
        by.setdefault(key, []).append(candidate)
    return by


async def _write(session: Session, resource_id: UUID, links: list[Link], before: Sequence[UUID]) -> None:
    fresh = [link for link in links if link.author_id is None]
    for link in fresh:
        link.author_id = uuid4()
    if fresh:
        columns = {"ids": [link.author_id for link in fresh], "keys": [link.name.key for link in fresh]}
        await session.execute(_ADD_AUTHORS, columns | {"kinds": [link.name.kind for link in fresh]})
    await session.execute(_DROP_LINKS, {"id": resource_id})
    if links:
        await session.execute(_ADD_LINKS, {"id": resource_id} | _columns(links))
    await refresh(session, [*before, *(link.author_id for link in links if link.author_id)])


def _columns(links: list[Link]) -> dict[str, list[Any]]:
    names = [link.name for link in links]
    return {
        "authors": [link.author_id for link in links],
        "written": [link.written for link in links],
        "names": [name.display for name in names],
        "sort_names": [name.sort_name for name in names],
        "folded": [folded(name.display) for name in names],
        "headings": [name.heading for name in names],
        "keys": [name.key for name in names],
        "fullness": [name.fullness for name in names],
        "orcids": [name.orcid for name in names],
        "bases": [link.basis for link in links],
    }  # fmt: skip


async def refresh(session: Session, author_ids: Sequence[UUID]) -> None:
    """Bring the names of authors in step with their links; who has none any more goes."""
    ids = {"ids": sorted(set(author_ids))}
    for statement in (_RENAME, _DROP_VARIANTS, _ADD_VARIANTS, _DROP_UNUSED):
        await session.execute(statement, ids)


async def announce_stale(session: Session, limit: int = 500, age: float = 360) -> int:
    """Ask again for resources, unchanged for `age` seconds, whose names were not read as they are; returns how many.

    Authors of whom nothing is left are removed.
    """
    rows = (await session.execute(_STALE, {"most": limit, "age": age})).all()
    for row in rows:
        emit(session, AuthorsStale(resource_id=row.id), audience=row.audience)
    await session.execute(_SWEEP, {"most": limit})
    return len(rows)
