"""Whom an event concerns, and what about: read from the event and from the rows that it names."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from service.collections.tables import Collection
from service.database import ReadSession
from service.event_log import EventRow
from service.events import Envelope
from service.ingestion.tables import Ingestion
from service.notifications.kinds import CAUSES, Kind
from service.notifications.tables import NotificationPreference
from service.queue.tables import AcceptedTask
from service.quizzes.tables import Quiz
from service.resources.tables import Resource
from service.webhooks.tables import Webhook

LONG = 20.0  # seconds that a batch takes of which people want to hear the end
LONGEST = 500  # characters of what is known of it
# Their ends are told by events of their own.
TOLD_OTHERWISE = frozenset({"ingest_resource", "process_document", "index_document", "generate_quiz"})


@dataclass(frozen=True, slots=True)
class Facts:
    """An event as the bus carries it and as the log keeps it."""

    id: UUID
    name: str
    data: dict[str, Any]
    audience: UUID | None
    timestamp: datetime
    bulk: bool = False

    @classmethod
    def of(cls, source: Envelope | EventRow) -> "Facts":
        """Take them from either."""
        if isinstance(source, EventRow):
            return cls(source.id, source.name, source.data, source.audience, source.timestamp, source.bulk)
        data = source.event.model_dump(mode="json")
        return cls(source.id, source.event.name.value, data, source.audience, source.timestamp, source.bulk)

    def uuid(self, field: str) -> UUID | None:
        """Return a field that holds an id."""
        value = self.data.get(field)
        return UUID(str(value)) if value else None


@dataclass(frozen=True, slots=True)
class Told:
    """What one person is to be told."""

    user_id: UUID
    kind: Kind
    name: str
    detail: str | None = None
    link: str | None = None
    group_key: str | None = None


Finder = Callable[[ReadSession, Facts, Kind], Awaitable[list[Told]]]


async def told(session: ReadSession, facts: Facts) -> list[Told]:
    """Return what is to be told to whom; nothing where it concerns nobody, or what it is about is gone."""
    kind = CAUSES[facts.name]
    return await _FINDERS[kind](session, facts, kind)


async def _document(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    resource_id, user_id = facts.uuid("resource_id"), facts.uuid("user_id")
    if kind == "document_ready" and facts.bulk:  # the reconciler had it made anew, perhaps with all the others
        return []
    found = select(Resource.title, Ingestion.filename, Ingestion.batch_id).outerjoin(
        Ingestion, Ingestion.resource_id == Resource.id
    )
    row = (await session.execute(found.where(Resource.id == resource_id))).one_or_none()
    if row is None or user_id is None:
        return []
    name = row.title or row.filename or "Untitled"
    link, group = f"/ui/resources/{resource_id}", _group(facts, row.batch_id)
    return [Told(user_id, kind, name, _said(facts.data.get("error")), link, group)]


async def _ingestion(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    """Tell who asked for it last; an upload's failure is told by document.failed."""
    found = (
        select(Resource.title, Resource.url, Resource.owner_id, Ingestion, AcceptedTask.owner_id.label("asked"))
        .join(Ingestion, Ingestion.resource_id == Resource.id)
        .outerjoin(AcceptedTask, AcceptedTask.id == Ingestion.task_id)
        .where(Resource.id == facts.uuid("resource_id"))
    )
    row = (await session.execute(found)).one_or_none()
    if row is None or row.Ingestion.source == "upload":
        return []
    name = row.title or row.Ingestion.filename or row.url or "Untitled"
    link, group = f"/ui/resources/{facts.data['resource_id']}", _group(facts, row.Ingestion.batch_id)
    return [Told(row.asked or row.owner_id, kind, name, _said(facts.data["error"]), link, group)]


async def _quiz(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    quiz = await session.get(Quiz, facts.uuid("quiz_id"))
    if quiz is None:
        return []
    count = facts.data.get("questions")
    detail = _said(facts.data["error"]) if kind == "quiz_failed" else f"{count} questions"
    return [Told(quiz.owner_id, kind, quiz.title, detail, f"/ui/quizzes/{quiz.id}")]


async def _reviews(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    user_id = facts.uuid("user_id")
    assert user_id is not None
    detail = f"{facts.data['count']} of them"
    return [Told(user_id, kind, "Reviews", detail, "/ui/reviews", f"day:{facts.timestamp:%Y-%m-%d}")]


async def _batch(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    """Tell who asked for it that a batch is finished, if it took long."""
    data = facts.data
    if data["task_name"] != "batch_process_resources" or data["duration_seconds"] < LONG or facts.audience is None:
        return []
    task = await session.get(AcceptedTask, UUID(data["task_id"]))
    result: dict[str, Any] = (task and task.result) or {}
    done, failed = result.get("processed_count", 0), result.get("failed_count", 0)
    detail = f"{done:,} done" + (f", {failed:,} failed" if failed else "")
    return [Told(facts.audience, kind, "Batch", detail)]


async def _task(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    """Tell who asked for a task that it failed; who cancelled it knows."""
    name: str = facts.data["task_name"]
    if facts.audience is None or name in TOLD_OTHERWISE or facts.data["reason"] == "cancelled":
        return []
    return [Told(facts.audience, kind, name.replace("_", " "), _said(facts.data["error"]))]


async def _quality(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    resource = await session.get(Resource, facts.uuid("resource_id"))
    if resource is None:
        return []
    detail = f"From {facts.data['previous']:.2f} to {facts.data['score']:.2f} within 30 days."
    link = f"/ui/resources/{resource.id}"
    return [Told(resource.owner_id, kind, resource.title, detail, link, _group(facts, None))]


async def _collection(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    """Tell who wants to hear of it, may see it, and did not do it."""
    if facts.audience is not None:
        return []
    collection = await session.get(Collection, facts.uuid("collection_id"))
    name = facts.data.get("name") or (collection and collection.name)
    if not name or (collection is not None and collection.visibility == "private"):
        return []
    wanting = select(NotificationPreference.user_id).where(
        NotificationPreference.kind == kind,
        NotificationPreference.wanted,
        NotificationPreference.user_id != facts.uuid("user_id"),
    )
    count = len(facts.data.get("resource_ids", ()))
    details = {
        "collection.updated": "It was renamed, described or moved.",
        "collection.deleted": "It is gone.",
        "collection.resource_added": f"{count:,} added.",
        "collection.resource_removed": f"{count:,} taken out.",
    }
    group = f"collection:{facts.data['collection_id']}"
    people = (await session.scalars(wanting.order_by(NotificationPreference.user_id))).all()
    return [Told(user_id, kind, name, details[facts.name], None, group) for user_id in people]


async def _webhook(session: ReadSession, facts: Facts, kind: Kind) -> list[Told]:
    webhook_id = facts.uuid("webhook_id")
    webhook = await session.get(Webhook, webhook_id) if webhook_id else None
    if webhook is None:
        return []
    name = urlsplit(webhook.url).netloc  # the rest of an address may hold a secret
    return [Told(webhook.user_id, kind, name, _said(facts.data["reason"]), f"/ui/webhooks?id={webhook.id}")]


_FINDERS: dict[Kind, Finder] = {
    "document_ready": _document,
    "document_failed": _document,
    "ingestion_failed": _ingestion,
    "quiz_ready": _quiz,
    "quiz_failed": _quiz,
    "reviews_due": _reviews,
    "batch_completed": _batch,
    "task_failed": _task,
    "quality_degraded": _quality,
    "collection_changed": _collection,
    "webhook_disabled": _webhook,
}


def _group(facts: Facts, batch_id: UUID | None) -> str:
    """Return what is told together: one batch, else one day (UTC)."""
    return f"batch:{batch_id}" if batch_id else f"day:{facts.timestamp:%Y-%m-%d}"


def _said(error: object) -> str | None:
    return str(error)[:LONGEST] if error else None
