"""Entries into the library: each becomes a page to be read, a text, or a reference; what is there is added to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from service import storage
from service.database import Session
from service.errors import PharosError
from service.imports import highlights
from service.imports.entry import Entry
from service.imports.extraction import revived
from service.imports.folders import Folders
from service.imports.known import Known
from service.imports.references import as_text
from service.imports.tables import Bibliography, Import, ImportEntry
from service.imports.vocabulary import FETCHED
from service.ingestion import actions as ingestion
from service.ingestion.canonical import canonical_url
from service.queue.retries import is_outage
from service.resources import actions as resources
from service.resources.shapes import ANYWHERE
from service.resources.tags import retag
from service.security.accounts import Account
from service.security.destinations import check_url, in_ascii


class NothingToAdd(PharosError):
    """It has neither an address nor a text."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry as it was read, and the storage key of its HTML."""

    ordinal: int
    entry: Entry
    original: str | None


async def prepare(rows: Sequence[ImportEntry], tags: Sequence[str]) -> list[Prepared]:
    """Revive entries, and store the HTML in them; no session is open meanwhile."""
    prepared: list[Prepared] = []
    for row in rows:
        entry = revived(row.entry or {"line": row.line})
        entry.tags = [*entry.tags, *(tag for tag in tags if tag not in entry.tags)]
        original = await storage.put(entry.html.encode()) if entry.html else None
        prepared.append(Prepared(row.ordinal, entry, original))
    return prepared


async def add_chunk(session: Session, account: Account, row: Import, chunk: Sequence[Prepared]) -> None:
    """Add some entries of an import whose row is locked; what is wrong with one costs no other."""
    known = Known(account, row.private)
    await known.look(session, [one.entry for one in chunk])
    folders = Folders(account, row.collection_id)
    with_text: list[UUID] = []
    for one in chunk:
        try:
            async with session.begin_nested():
                resource_id, is_new = await _add(session, account, row, one, known)
                await folders.put(session, one.entry.folders, resource_id)
                if one.entry.highlights:
                    await highlights.keep(session, account.id, resource_id, one.entry.highlights)
                    with_text.append(resource_id)
                await _settle(session, row, one, "added" if is_new else "merged", resource_id=resource_id)
        except (PharosError, DBAPIError, ValueError) as error:
            if is_outage(error) or getattr(error, "transient", False):
                raise
            said = error.detail if isinstance(error, PharosError) else f"{type(error).__name__}: {error}"
            await _settle(session, row, one, "failed", reason=said.replace("\0", "")[:1000])
    await folders.fill(session)
    for resource_id in dict.fromkeys(with_text):
        await highlights.place(session, resource_id)


async def _add(session: Session, account: Account, row: Import, one: Prepared, known: Known) -> tuple[UUID, bool]:
    entry = one.entry
    resource_id = known.of(entry)
    if is_new := resource_id is None:
        resource_id = await _create(session, account, row, one)
    elif entry.tags:
        await retag(session, account, resource_id, entry.tags, [])
    await known.remember(session, entry, resource_id)
    if entry.csl:
        kept = insert(Bibliography).values(resource_id=resource_id, csl=entry.csl)
        await session.execute(kept.on_conflict_do_nothing())
    return resource_id, is_new


async def _create(session: Session, account: Account, row: Import, one: Prepared) -> UUID:
    entry = one.entry
    text = entry.text
    if entry.csl and not text and (not entry.url or entry.csl.get("type") not in FETCHED):
        text = as_text(entry.csl)
    if entry.url and not text and one.original is None:
        url = in_ascii(check_url(entry.url), entry.url)
        requested = await ingestion.request_page(
            session, account, url, title=entry.title or None, private=row.private, batch_id=row.id, known=_known(entry)
        )
        return requested.id
    url = entry.url or _resolver(entry)
    url = in_ascii(check_url(url, ANYWHERE), url) if url else None
    canonical = canonical_url(url) if url else None
    title = entry.title or url or text.strip().partition("\n")[0][:200] or "Untitled"
    fields = _known(entry) | {"title": title, "url": url, "canonical_url": canonical, "private": row.private}
    if one.original is not None:
        address = None if canonical is None else ingestion.address_of(account, canonical, private=row.private)
        way = {"source": "content", "original": one.original, "declared_type": "text/html", "url": url}
        way |= {"given_title": entry.title or None, "batch_id": row.id}
        entered, entrance = await ingestion.enter(session, account, {"type": "webpage", **fields}, way, address)
        if entrance == "new":
            await ingestion.restart(session, entered, "extracted", None)
        return entered.resource_id
    if not text.strip():
        raise NothingToAdd
    fields |= {"type": entry.type or ("webpage" if url else "note"), "content": text}
    return (await resources.create(session, account, fields, "content")).id


def _resolver(entry: Entry) -> str | None:
    doi = next((one for one in entry.identifiers if one.startswith("doi:")), None)
    return f"https://doi.org/{doi.removeprefix('doi:')}" if doi else None


def _known(entry: Entry) -> dict[str, Any]:
    """Return the fields of a resource that an entry says something of."""
    said: Mapping[str, Any] = {
        "tags": entry.tags,
        "description": entry.description,
        "authors": entry.authors,
        "subjects": entry.subjects,
        "language": entry.language,
        "published_at": entry.published_at,
        "identifiers": entry.identifiers,
        "created_at": min(entry.created_at, datetime.now(UTC)) if entry.created_at else None,
    }
    return {name: value for name, value in said.items() if value}


async def _settle(session: Session, row: Import, one: Prepared, state: str, **values: Any) -> None:
    if state != "failed":  # a failed one can be tried again
        values["entry"] = None
    await session.execute(
        update(ImportEntry)
        .where(ImportEntry.import_id == row.id, ImportEntry.ordinal == one.ordinal)
        .values(state=state, **{"reason": None} | values)
        .execution_options(synchronize_session=False)
    )


def as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry as a row keeps it: what it says, and nothing else."""
    return orjson.loads(orjson.dumps({name: value for name, value in asdict(entry).items() if value}))
