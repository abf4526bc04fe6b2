"""Verbs of the way in: ask for a page, claim an ingestion, move it step by step, end it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.errors import NotFound, PharosError, Unavailable
from service.events import current_origin
from service.graph.actions import replace_citations
from service.ingestion.canonical import canonical_url
from service.ingestion.events import (
    AuthorsExtracted,
    CitationsExtracted,
    IngestionCompleted,
    IngestionFailed,
    IngestionProgressed,
    IngestionStalled,
    IngestionStarted,
)
from service.ingestion.extraction import Extracted
from service.ingestion.near_duplicates import closest
from service.ingestion.tables import Ingestion, IngestionStep, Signature
from service.outbox import emit
from service.queue.ledger import accept, was_cancelled
from service.queue.tables import AcceptedTask
from service.queue.task import Dispatch, Task
from service.resources import actions as resources
from service.resources.tables import Resource, visible
from service.security.accounts import Account
from service.tasks import INGEST, PROCESS

LEASE = timedelta(seconds=300)  # longer than any one step, its turn in the sandbox included
LONGEST_PAUSE = timedelta(minutes=12)  # between two tries of a task, and some more
STEPS = ("fetched", "extracted", "stored")
Entrance = Literal["new", "known", "restored"]  # how something came in


class IngestionBusy(Unavailable):
    """Another task is reading resource {resource_id} now."""


class Unforeseen(PharosError):
    """Reading it failed in a way that nobody foresaw: {error}."""

    transient = True


@dataclass(frozen=True, slots=True)
class Requested:
    """The answer to a request for a page: the resource, its task, whether it was known, whether it is done."""

    id: UUID
    task_id: UUID | None
    status: str
    duplicate: bool


def address_of(account: Account, key: str, *, private: bool) -> str:
    """Return what makes a thing unique: its key over the whole library, or per owner where it is private."""
    return f"{account.id} {key}" if private else key


def task_id(task: Task, event_id: UUID, resource_id: UUID) -> UUID:
    """Return the id of the task that an event starts for a resource."""
    return Dispatch(task, {"resource_id": str(resource_id)}, event_id).message_id


async def enter(
    session: Session, account: Account, fields: Mapping[str, Any], way: Mapping[str, Any], address: str | None
) -> tuple[Ingestion, Entrance]:
    """Make an empty resource and its ingestion, or return the one that has the address: in the library, or restored.

    What was deleted and is added again comes back from the trash with all that people made of it.
    """
    if address is not None:
        if known := await _by_address(session, address):
            return known, "known"
        if await resources.restore_address(session, account, address) and (back := await _by_address(session, address)):
            return back, "restored"
    source: str = way["source"]
    resource = await resources.create(session, account, fields, source, status="pending")
    row = insert(Ingestion).values(resource_id=resource.id, address=address, **way).on_conflict_do_nothing()
    if not (await session.execute(row.returning(Ingestion.resource_id))).first():  # somebody was faster
        await session.delete(resource)
        await session.flush()
        known = await _by_address(session, address or "")
        assert known is not None
        return known, "known"
    entered = await session.get(Ingestion, resource.id)
    assert entered is not None
    return entered, "new"


async def _by_address(session: Session, address: str) -> Ingestion | None:
    return await session.scalar(select(Ingestion).where(Ingestion.address == address).with_for_update())


async def request_page(
    session: Session,
    account: Account,
    url: str,
    *,
    title: str | None = None,
    private: bool = False,
    force: bool = False,
    batch_id: UUID | None = None,
    known: Mapping[str, Any] | None = None,
) -> Requested:
    """Ask for a web page: made once, read again only with `force`, after a failure, or when it comes from the trash.

    `known` are fields of a new resource that somebody knows beforehand.
    """
    canonical = canonical_url(url)
    own = address_of(account, canonical, private=True)
    entered = None if private else await _by_address(session, own)  # one's own private copy is a duplicate, too
    entrance: Entrance = "known"
    if entered is None:
        entered, entrance = await enter(
            session,
            account,
            {
                **(known or {}),
                "title": title or url,
                "url": url,
                "canonical_url": canonical,
                "type": "webpage",
                "private": private,
            },
            {"source": "url", "url": url, "given_title": title, "batch_id": batch_id},
            own if private else canonical,
        )
    is_known = entrance == "known"
    if not is_known or force or entered.state == "failed" or await was_cancelled(session, entered.task_id):
        started = await restart(session, entered, "fetched", account.id if is_known else None)
        await accept(session, account.id, INGEST, started)
    return Requested(entered.resource_id, entered.task_id, entered.state, is_known)


async def page_of(session: ReadSession, account: Account, url: str) -> Resource | None:
    """Return the web page that a request for this address would find, where the account may see it."""
    canonical = canonical_url(url)
    return await session.scalar(
        select(Resource)
        .join(Ingestion, Ingestion.resource_id == Resource.id)
        .where(
            Ingestion.address.in_((canonical, address_of(account, canonical, private=True))),
            Ingestion.state != "failed",
            visible(account),
        )
        .limit(1)
    )


async def restart(session: Session, entered: Ingestion, step: str, user_id: UUID | None) -> UUID:
    """Start an ingestion, or start it again from a step; returns the id of its task."""
    audience = await _audience(session, entered.resource_id)
    event_id = emit(session, IngestionStarted(resource_id=entered.resource_id, url=entered.url), audience=audience)
    started = entered.task_id = task_id(INGEST, event_id, entered.resource_id)
    entered.state, entered.from_step, entered.attempts = "pending", step, 0
    entered.error = entered.error_type = entered.leased_by = entered.leased_until = entered.finished_at = None
    await session.flush()
    await session.execute(
        delete(IngestionStep).where(
            IngestionStep.resource_id == entered.resource_id, IngestionStep.name.in_(STEPS[STEPS.index(step) :])
        )
    )
    await resources.set_status(session, entered.resource_id, "pending")
    return started


async def _audience(session: ReadSession, resource_id: UUID) -> UUID | None:
    row = (
        await session.execute(select(Resource.private, Resource.owner_id).where(Resource.id == resource_id))
    ).one_or_none()
    if row is None:
        raise NotFound(what="resource", id=resource_id)
    return row.owner_id if row.private else None


async def claim(session: Session, resource_id: UUID) -> Ingestion | None:
    """Take an ingestion for `LEASE`; None where there is nothing to do any more.

    A repeated delivery of the same task takes over at once; IngestionBusy while a different one holds it.
    """
    holder = current_origin().cause
    taken = await session.scalar(
        update(Ingestion)
        .where(
            Ingestion.resource_id == resource_id,
            Ingestion.state.in_(("pending", "processing")),
            or_(Ingestion.leased_until.is_(None), Ingestion.leased_until < func.now(), Ingestion.leased_by == holder),
        )
        .values(
            state="processing",
            leased_by=holder,
            leased_until=func.now() + LEASE,
            started_at=func.coalesce(Ingestion.started_at, func.now()),
        )
        .returning(Ingestion)
    )
    if taken is None:
        state = await session.scalar(select(Ingestion.state).where(Ingestion.resource_id == resource_id))
        if state in ("pending", "processing"):
            raise IngestionBusy(resource_id=resource_id, retry_after=LEASE.seconds // 3)
        return None
    await resources.set_status(session, resource_id, "processing")
    return taken


async def advance(session: Session, resource_id: UUID, *, done: str | None, begins: str | None, **kept: Any) -> None:
    """End one step and begin the next; `kept` are columns of the ingestion that the ended step found out."""
    now = datetime.now(UTC)
    await session.execute(
        update(Ingestion)
        .where(Ingestion.resource_id == resource_id)
        .values(leased_until=now + LEASE, **kept)
        .execution_options(synchronize_session=False)
    )
    if done is not None:
        await _mark(session, resource_id, done, "completed", finished_at=now)
    if begins is not None:
        await _mark(session, resource_id, begins, "running", started_at=now)
    progressed = IngestionProgressed(
        resource_id=resource_id, step=begins or done or "", state="running" if begins else "completed"
    )
    emit(session, progressed, audience=await _audience(session, resource_id))


async def _mark(session: Session, resource_id: UUID, name: str, state: str, **values: Any) -> None:
    fresh = {"started_at": datetime.now(UTC), "finished_at": None, "error": None} | values
    changed = {"state": state, "error": fresh["error"], "finished_at": fresh["finished_at"]}
    if "started_at" in values:
        changed["started_at"] = values["started_at"]
    await session.execute(
        insert(IngestionStep)
        .values(resource_id=resource_id, name=name, state=state, **fresh)
        .on_conflict_do_update(index_elements=["resource_id", "name"], set_=changed)
    )


async def store(session: Session, resource_id: UUID, extracted: Extracted) -> None:
    """Write what was read into the resource and tell everyone; the last step of an ingestion.

    Nothing happens where the ingestion ended meanwhile (a repeated delivery) or the resource is gone.
    """
    entered = await session.get(Ingestion, resource_id, with_for_update=True)
    resource = await session.get(Resource, resource_id, with_for_update=True)
    if entered is None or resource is None or entered.state != "processing":
        return
    audience = resource.audience
    citation_ids = await replace_citations(session, resource_id, extracted.citations)
    emit(
        session,
        CitationsExtracted(resource_id=resource_id, citation_ids=citation_ids, count=len(citation_ids)),
        audience=audience,
    )
    names = extracted.authors
    emit(session, AuthorsExtracted(resource_id=resource_id, author_names=names, count=len(names)), audience=audience)
    fields = await _fields(session, entered, resource, extracted)
    entered.as_read = {name: _written(value) for name, value in _metadata(entered, extracted).items()}
    await resources.fill(session, resource, fields, entered.source)
    now = datetime.now(UTC)
    await _mark(session, resource_id, "stored", "completed", finished_at=now)
    entered.state, entered.finished_at, entered.leased_until = "completed", now, None
    entered.error = entered.error_type = None
    completed = IngestionCompleted(
        resource_id=resource_id,
        status="completed",
        success=True,
        duration_seconds=round((now - (entered.started_at or now)).total_seconds(), 3),
    )
    emit(session, completed, audience=audience)


async def _fields(session: Session, entered: Ingestion, resource: Resource, extracted: Extracted) -> dict[str, Any]:
    """Return what the resource takes over: its text always, its metadata unless people said something else."""
    read, before = _metadata(entered, extracted), entered.as_read
    said = {name: getattr(resource, name) for name in read}
    if resource.content_hash is None:  # its title is an address or the name of a file
        said["title"] = entered.given_title
    metadata = {
        name: value if value and _written(value) != before.get(name) else read[name] or value
        for name, value in said.items()
    }
    merged = [one for one in resource.identifiers if one.startswith("url:")]  # addresses of what was merged into it
    return {
        **metadata,
        "title": metadata["title"] or resource.title,
        "canonical_url": extracted.canonical_url or resource.canonical_url,
        "site": extracted.site or resource.site,
        "type": extracted.type,
        "media_type": extracted.media_type,
        "identifiers": [*extracted.identifiers, *merged] if extracted.identifiers else resource.identifiers,
        "content": extracted.text,
        "content_html": extracted.html,
        "near_duplicate_of": await _near_duplicate(session, resource, extracted.signature),
    }


def _metadata(entered: Ingestion, extracted: Extracted) -> dict[str, Any]:
    """Return what a page or a document says about itself."""
    return {
        "title": extracted.title or entered.filename,
        "description": extracted.description,
        "language": extracted.language,
        "authors": extracted.authors,
        "published_at": extracted.published_at,
    }


def _written(value: Any) -> Any:
    """Return a value of metadata as JSON keeps it."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


async def _near_duplicate(session: Session, resource: Resource, signature: Sequence[int]) -> UUID | None:
    """Keep a text's signature and return the closest other resource that its owner may see."""
    await session.execute(delete(Signature).where(Signature.resource_id == resource.id))
    if not signature:  # too short to compare
        return None
    one, two, three, four = signature
    row = {"band0": one, "band1": two, "band2": three, "band3": four}
    await session.execute(insert(Signature).values(resource_id=resource.id, **row))
    candidates = await session.execute(
        select(Signature.resource_id, Signature.band0, Signature.band1, Signature.band2, Signature.band3)
        .join(Resource, Resource.id == Signature.resource_id)
        .where(
            or_(*(getattr(Signature, name) == value for name, value in row.items())),
            Signature.resource_id != resource.id,
            or_(Resource.private.is_(False), Resource.owner_id == resource.owner_id),
        )
        .order_by(Resource.created_at)
        .limit(200)
    )
    return closest((one, two, three, four), {id: (a, b, c, d) for id, a, b, c, d in candidates})


async def fail(session: Session, resource_id: UUID, step: str, error: PharosError) -> bool:
    """Record that a step failed; True where the ingestion is over, False where the task is to try again."""
    entered = await session.get(Ingestion, resource_id, with_for_update=True)
    if entered is None or entered.state != "processing":
        return True
    entered.attempts += 1
    task = INGEST if entered.source == "url" else PROCESS
    over = not error.transient or entered.attempts > task.retries
    entered.error, entered.error_type = error.detail, type(error).__name__
    entered.leased_until = None
    await _mark(
        session,
        resource_id,
        step,
        "failed" if over else "retrying",
        error=error.detail,
        finished_at=datetime.now(UTC) if over else None,
    )
    audience = await _audience(session, resource_id)
    if over:
        entered.state, entered.finished_at = "failed", datetime.now(UTC)
        await resources.set_status(session, resource_id, "failed")
        failed = IngestionFailed(resource_id=resource_id, error=error.detail, error_type=type(error).__name__)
        emit(session, failed, audience=audience)
    else:
        emit(session, IngestionProgressed(resource_id=resource_id, step=step, state="retrying"), audience=audience)
    return over


async def announce_stalled(session: Session, limit: int = 500) -> int:
    """Emit ingestion.stalled for unfinished ingestions that nobody holds or cancelled; returns how many there were.

    Where a task still waits in the queue, the new one merges into it. One that pauses between two tries is left alone.
    """
    stalled = await session.scalars(
        select(Ingestion.resource_id)
        .where(
            Ingestion.state.in_(("pending", "processing")),
            or_(Ingestion.leased_until.is_(None), Ingestion.leased_until < func.now()),
            ~exists().where(AcceptedTask.id == Ingestion.task_id, AcceptedTask.cancelled_at.is_not(None)),
            or_(Ingestion.attempts == 0, Ingestion.updated_at < func.now() - LONGEST_PAUSE),
        )
        .order_by(Ingestion.updated_at)
        .limit(limit)
    )
    ids: Sequence[UUID] = stalled.all()
    for resource_id in ids:
        emit(session, IngestionStalled(resource_id=resource_id), audience=await _audience(session, resource_id))
    return len(ids)


async def ingestion_of(session: ReadSession, account: Account, resource_id: UUID) -> tuple[Resource, Ingestion | None]:
    """Return a visible resource and how it came in; None for one that was given by content."""
    resource = await session.scalar(select(Resource).where(Resource.id == resource_id, visible(account)))
    if resource is None:
        raise NotFound(what="resource", id=resource_id)
    return resource, await session.get(Ingestion, resource_id)
