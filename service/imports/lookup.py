"""What doi.org and arXiv say of a paper: fills what is empty, and is asked for only where the settings allow it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.imports.entry import Entry
from service.imports.extraction import read_file
from service.imports.references import people, plain
from service.imports.tables import Bibliography
from service.ingestion.identifiers import registered
from service.ingestion.tables import Ingestion
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.egress import Egress, HttpBusy, HttpRefused, Limits
from service.settings import settings

LARGEST = 2_000_000  # bytes of an answer
LIMITS = Limits(total=20, page=LARGEST, file=LARGEST)
LONGEST_WAIT = 3600  # seconds that a server may ask for
CSL_JSON = "application/vnd.citationstyles.csl+json"

# What of a record is kept: registers add funders, licences and whole lists of references.
KEPT = (
    "type", "title", "author", "editor", "issued", "container-title", "collection-title", "event-title", "publisher",
    "publisher-place", "volume", "issue", "number", "page", "edition", "DOI", "ISBN", "ISSN", "language", "abstract",
)  # fmt: skip
SAID = {"published_at": "issued", "language": "language", "description": "abstract"}  # the resource's own go first


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource of which something is missing, and by which identifier it is asked for."""

    resource_id: UUID
    identifier: str  # doi:10.1000/182


async def wanted(session: ReadSession, resource_id: UUID) -> Wanted | None:
    """Return what to ask for; None where that is not allowed, nothing is missing, or nothing names the resource."""
    resource = await session.get(Resource, resource_id)
    if not settings().metadata_lookup or resource is None:
        return None
    named = _named(resource)
    known = await session.scalar(select(Bibliography.csl).where(Bibliography.resource_id == resource_id))
    full = known is not None and {"container-title", "publisher"} & set(known)
    if named is None or (full and not _missing(resource, await _filename(session, resource_id))):
        return None
    return Wanted(resource_id, named)


async def look_up(wanted: Wanted) -> Entry | None:
    """Ask the register; None where it does not know the identifier (raises BadUrl, FetchError, ParserAway)."""
    kind, _, value = wanted.identifier.partition(":")
    if kind == "doi":
        url, accept = f"{settings().doi_url.rstrip('/')}/{quote(value, safe='/')}", CSL_JSON
    else:
        url = f"{settings().arxiv_url}?id_list={quote(value, safe='/')}&max_results=1"
        accept = "application/atom+xml"
    try:
        async with Egress(limits=LIMITS) as egress:
            fetched = await egress.fetch(url, max_bytes=LARGEST, headers={"Accept": accept})
    except HttpBusy as error:
        error.context["retry_after"] = min(error.context["wait"] or 0, LONGEST_WAIT)
        raise
    except HttpRefused:
        return None
    body, form = (b"[%b]" % fetched.body, "csl") if kind == "doi" else (fetched.body, "arxiv")
    found = next((one for one in (await read_file(body, form)).found() if isinstance(one, Entry)), None)
    return found if found is not None and wanted.identifier in found.identifiers else None


async def keep(session: Session, wanted: Wanted, found: Entry) -> list[str]:
    """Fill what is empty, and return the names of the fields; nothing where the resource is another one meanwhile."""
    resource = await session.get(Resource, wanted.resource_id, with_for_update=True)
    if resource is None or _named(resource) != wanted.identifier:
        return []
    csl = {name: value for name in KEPT if (value := _single((found.csl or {}).get(name)))}
    said = {"title": plain(csl.get("title")), "authors": people(csl), "published_at": found.published_at}
    missing = _missing(resource, await _filename(session, resource.id))
    for column, name in SAID.items():
        if getattr(resource, column):
            csl.pop(name, None)
    fields = {name: said[name] for name in missing if said[name]}
    await resources.apply(session, resource, fields, None)
    row = insert(Bibliography).values(resource_id=resource.id, csl=csl)
    both = row.excluded.csl.op("||")(Bibliography.csl)  # of two that say something, the one that was here
    await session.execute(row.on_conflict_do_update(index_elements=["resource_id"], set_={"csl": both}))
    return list(fields)


def _single(value: Any) -> Any:
    """Return the first where there are several texts, as Crossref has titles."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else value


def _named(resource: Resource) -> str | None:
    return registered(resource.identifiers, (resource.url, resource.canonical_url))


def _missing(resource: Resource, filename: str | None) -> list[str]:
    """Return which fields nobody has said anything for; a title that is only an address or a name of a file is none."""
    named = (_named(resource) or "").partition(":")[2]
    nothing = {"", "Untitled", resource.url, resource.canonical_url, filename, named}
    untitled = resource.title in nothing or resource.title.lower() == named
    empty: dict[str, Any] = {"title": untitled, "authors": not resource.authors}
    empty["published_at"] = resource.published_at is None
    return [name for name, is_empty in empty.items() if is_empty]


async def _filename(session: ReadSession, resource_id: UUID) -> str | None:
    return await session.scalar(select(Ingestion.filename).where(Ingestion.resource_id == resource_id))
