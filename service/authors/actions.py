"""What people see of authors, and decide by hand. Names and counts are of what the account may see, nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import TextClause, text

from service.authors.events import AuthorsMerged, AuthorsSplit
from service.authors.names import Name, compatible, folded, parse
from service.authors.normalization import TURN, refresh
from service.database import ReadSession, Session
from service.errors import Conflict, Invalid, NotFound
from service.outbox import emit
from service.security.accounts import Account

SHOWN = 100  # resources and co-authors of one author
COMPARED = 500  # names of others, for suggestions

_VISIBLE = "(NOT r.private OR r.owner_id = :account)"
_BEST = """(array_agg(l.name ORDER BY l.fullness DESC, l.name))[1] AS name,
    (array_agg(l.sort_name ORDER BY l.fullness DESC, l.name))[1] AS sort_name"""
_LINKS = f"author_links l JOIN resources r ON r.id = l.resource_id AND {_VISIBLE}"
# As `_LINKS`, read from indexes alone: what others keep to themselves is little, and is left out.
_COUNTED = """author_links l WHERE NOT EXISTS (
    SELECT FROM resources r WHERE r.id = l.resource_id AND r.private AND r.owner_id <> :account)"""
_NAMED = f"""{_COUNTED} AND l.author_id IN (
    SELECT l.author_id FROM {_LINKS} WHERE l.folded LIKE :q)"""  # noqa: S608


def _browsing(links: str) -> tuple[TextClause, TextClause]:
    """Return how authors of these links are counted, and one page of them: only those of the page are looked at."""
    page = f"""WITH page AS MATERIALIZED (
        SELECT l.author_id AS id, count(DISTINCT l.resource_id) AS resource_count, min(l.sort_name) AS place
        FROM {links} GROUP BY l.author_id ORDER BY resource_count DESC, place, id LIMIT :limit OFFSET :offset)
    SELECT a.id, best.name, best.sort_name, a.kind, page.resource_count
    FROM page JOIN authors a USING (id) CROSS JOIN LATERAL (
        SELECT l.name, l.sort_name FROM {_LINKS} WHERE l.author_id = page.id
        ORDER BY l.fullness DESC, l.name LIMIT 1) best
    ORDER BY page.resource_count DESC, page.place, page.id"""  # noqa: S608
    return text(f"SELECT count(DISTINCT l.author_id) FROM {links}"), text(page)  # noqa: S608


_ALL_AUTHORS, _NAMED_AUTHORS = _browsing(_COUNTED), _browsing(_NAMED)
_ONE = text(
    f"""SELECT a.id, {_BEST}, a.kind, max(l.orcid) AS orcid, count(DISTINCT l.resource_id) AS resource_count
    FROM {_LINKS} JOIN authors a ON a.id = l.author_id WHERE a.id = :id GROUP BY a.id"""  # noqa: S608
)
_RESOURCES = text(
    f"""SELECT r.id, r.title, l.written, l.basis FROM {_LINKS} WHERE l.author_id = :id
    ORDER BY r.created_at DESC, r.id, l.position LIMIT {SHOWN}"""  # noqa: S608
)
_VARIANTS = text(
    f"""SELECT l.written AS name, count(*) AS count FROM {_LINKS} WHERE l.author_id = :id
    GROUP BY l.written ORDER BY count(*) DESC, l.written LIMIT {SHOWN}"""  # noqa: S608
)
_COAUTHORS = text(
    f"""SELECT l.author_id AS id, {_BEST}, count(DISTINCT l.resource_id) AS count FROM {_LINKS}
    WHERE l.author_id <> :id AND l.resource_id IN (SELECT resource_id FROM author_links WHERE author_id = :id)
    GROUP BY l.author_id ORDER BY count(DISTINCT l.resource_id) DESC, 3, l.author_id LIMIT {SHOWN}"""  # noqa: S608
)
_OWN_NAMES = text(f"SELECT DISTINCT l.key, l.written FROM {_LINKS} WHERE l.author_id = :id LIMIT {COMPARED}")  # noqa: S608
_OTHERS = text(
    f"""SELECT DISTINCT l.author_id, l.written FROM {_LINKS}
    WHERE l.key = ANY(CAST(:keys AS text[])) AND l.author_id <> :id AND NOT EXISTS (
        SELECT FROM author_distinctions d
        WHERE d.one_id = least(l.author_id, :id) AND d.other_id = greatest(l.author_id, :id))
    ORDER BY l.author_id, l.written LIMIT {COMPARED}"""  # noqa: S608
)
_MOVED = text(
    f"""SELECT l.resource_id, l.position, l.heading FROM {_LINKS} WHERE l.author_id = :id
    ORDER BY l.resource_id, l.position"""  # noqa: S608
)
_ALL = text("SELECT count(*) FROM author_links WHERE author_id = :id")
_MOVE_ALL = text("UPDATE author_links SET author_id = :into, basis = 'hand' WHERE author_id = :id")
_MOVE = text(
    """UPDATE author_links l SET author_id = :into, basis = 'hand'
    FROM unnest(CAST(:resources AS uuid[]), CAST(:positions AS int[])) AS given(resource_id, position)
    WHERE l.resource_id = given.resource_id AND l.position = given.position"""
)
_INHERIT = text(
    """INSERT INTO author_distinctions (one_id, other_id)
    SELECT least(other, :into), greatest(other, :into) FROM (
        SELECT CASE WHEN one_id = :id THEN other_id ELSE one_id END AS other
        FROM author_distinctions WHERE :id IN (one_id, other_id)) known
    WHERE other <> :into ON CONFLICT DO NOTHING"""
)
_PAIR = "least(CAST(:id AS uuid), :into), greatest(CAST(:id AS uuid), :into)"
_DISTINGUISH = text(f"INSERT INTO author_distinctions (one_id, other_id) VALUES ({_PAIR})")  # noqa: S608
_TOGETHER = text(f"DELETE FROM author_distinctions WHERE (one_id, other_id) = ({_PAIR})")  # noqa: S608
_ADD = text(
    """INSERT INTO authors (id, name, sort_name, key, kind)
    SELECT CAST(:into AS uuid), '', '', key, kind FROM authors WHERE id = :id"""
)


class SameAuthor(Conflict):
    """An author cannot be merged into itself."""


class NothingLeft(Conflict):
    """All that this author has would move: there is nothing to split."""


class NothingToSplit(Invalid):
    """This author has none of these resources, or no name that is written so."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An author in a list."""

    id: UUID
    name: str
    sort_name: str
    kind: str
    resource_count: int


@dataclass(frozen=True, slots=True)
class Profile:
    """An author: resources with how and why, variants and co-authors with counts, who may be the same."""

    id: UUID
    name: str
    sort_name: str
    kind: str
    orcid: str | None
    resource_count: int
    resources: list[dict[str, Any]]
    variants: list[dict[str, Any]]
    coauthors: list[dict[str, Any]]
    suggestions: list[Listed]


async def browse(
    session: ReadSession, account: Account, q: str | None, limit: int, offset: int
) -> tuple[int, Sequence[Listed]]:
    """Return how many authors have `q` in a name, and one page of them, who has most resources first."""
    pattern = None if q is None or not q.strip() else f"%{folded(q)}%"
    if pattern == "%%":
        return 0, []
    count, chosen = _ALL_AUTHORS if pattern is None else _NAMED_AUTHORS
    values: dict[str, Any] = {"account": account.id} | ({} if pattern is None else {"q": pattern})
    total = await session.scalar(count, values)
    rows = await session.execute(chosen, values | {"limit": limit, "offset": offset})
    return total or 0, [Listed(*row) for row in rows]


async def read(session: ReadSession, account: Account, author_id: UUID) -> Profile:
    """Return an author of something that the account may see; NotFound otherwise."""
    values = {"id": author_id, "account": account.id}
    one = (await session.execute(_ONE, values)).mappings().one_or_none()
    if one is None:
        raise NotFound(what="author", id=author_id)

    async def all(statement: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in (await session.execute(statement, values)).mappings()]

    resources, variants, coauthors = await all(_RESOURCES), await all(_VARIANTS), await all(_COAUTHORS)
    return Profile(**one, resources=resources, variants=variants, coauthors=coauthors,
                   suggestions=await _suggestions(session, values))  # fmt: skip


async def _suggestions(session: ReadSession, values: dict[str, Any]) -> list[Listed]:
    """Return who has a name of the same key, and none that does not fit, and was not told apart by hand."""
    own: dict[str, list[Name]] = {}
    for row in await session.execute(_OWN_NAMES, values):
        if name := parse(row.written):
            own.setdefault(row.key, []).append(name)
    others: dict[UUID, list[Name]] = {}
    for row in await session.execute(_OTHERS, values | {"keys": list(own)}):
        if name := parse(row.written):
            others.setdefault(row.author_id, []).append(name)
    fitting = [
        id
        for id, names in others.items()
        if all(compatible(name, mine) for name in names for mine in own.get(name.key, ()))
    ]
    found = list[Listed]()
    for id in fitting[:10]:
        row = (await session.execute(_ONE, values | {"id": id})).mappings().one()
        found.append(Listed(id, row["name"], row["sort_name"], row["kind"], row["resource_count"]))
    return sorted(found, key=lambda one: (-one.resource_count, one.sort_name, one.id))


async def merge(session: Session, account: Account, author_id: UUID, into: UUID) -> Profile:
    """Make two authors one, for good; returns it. Raises NotFound or SameAuthor."""
    await session.execute(TURN)
    await read(session, account, author_id)
    await read(session, account, into)
    if author_id == into:
        raise SameAuthor
    both = {"id": author_id, "into": into}
    for statement in (_MOVE_ALL, _TOGETHER, _INHERIT):
        await session.execute(statement, both)
    await refresh(session, [author_id, into])
    merged = AuthorsMerged(author_id=author_id, into_id=into, user_id=account.id)
    emit(session, merged, audience=account.id)
    return await read(session, account, into)


async def split(
    session: Session,
    account: Account,
    author_id: UUID,
    resource_ids: Sequence[UUID] = (),
    variant: str | None = None,
) -> Profile:
    """Give some resources of an author, or all with one variant of the name, to a new one, for good; returns that.

    Raises NotFound, NothingToSplit or NothingLeft.
    """
    await session.execute(TURN)
    await read(session, account, author_id)
    name = parse(variant) if variant is not None else None
    chosen = [
        row
        for row in await session.execute(_MOVED, {"id": author_id, "account": account.id})
        if row.resource_id in set(resource_ids) or (name is not None and row.heading == name.heading)
    ]
    if not chosen:
        raise NothingToSplit
    if len(chosen) == await session.scalar(_ALL, {"id": author_id}):
        raise NothingLeft
    both = {"id": author_id, "into": uuid4()}
    await session.execute(_ADD, both)
    places = {"resources": [row.resource_id for row in chosen], "positions": [row.position for row in chosen]}
    await session.execute(_MOVE, both | places)
    await session.execute(_DISTINGUISH, both)
    await refresh(session, [author_id, both["into"]])
    emit(session, AuthorsSplit(author_id=author_id, new_id=both["into"], user_id=account.id), audience=account.id)
    return await read(session, account, both["into"])
