"""The design that Pharos replaces: FastAPI, a synchronous SQLAlchemy session, an emitter that calls hooks after the
commit, hooks that send Celery tasks with a countdown. Four tasks for an update of text and metadata.

Environment: SEEDS_DATABASE_URL (`postgresql+psycopg2://`), SEEDS_BROKER_URL, SEEDS_BACKEND_URL.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid4

from celery import Celery
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, DateTime, Text, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

# --- database: 20 + 40 connections, recycled after an hour, checked before use

engine = create_engine(
    os.environ["SEEDS_DATABASE_URL"], pool_size=20, max_overflow=40, pool_recycle=3600, pool_pre_ping=True
)
SessionLocal = sessionmaker(bind=engine, autoflush=False)


class Base(DeclarativeBase):
    """The base of every table."""


class Resource(Base):
    """The same columns as ours."""

    __tablename__ = "seeds_resources"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID | None]
    private: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    canonical_url: Mapped[str | None] = mapped_column(Text, index=True)
    site: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text, default="note")
    media_type: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    authors: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    content: Mapped[str] = mapped_column(Text, default="")
    content_hash: Mapped[str | None] = mapped_column(Text, index=True)
    word_count: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(Text, default="completed")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


# --- tasks: the seeds' queues and settings; results ignored, which spares Celery a subscription for each task

celery_app = Celery("neo_alexandria", broker=os.environ["SEEDS_BROKER_URL"], backend=os.environ["SEEDS_BACKEND_URL"])
celery_app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    enable_utc=True,
    task_queue_max_priority=10,
    task_default_priority=5,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_pool_limit=60,  # Celery's default of 10 connections is less than there are threads
    task_routes={
        "regenerate_embedding_task": {"queue": "high_priority"},
        "update_search_index_task": {"queue": "urgent"},
        "invalidate_cache_task": {"queue": "urgent"},
        "recompute_quality_task": {"queue": "ml_tasks"},
    },
)


@celery_app.task(name="regenerate_embedding_task", max_retries=3, default_retry_delay=60)
def regenerate_embedding_task(resource_id: str) -> None:
    """Never run here: the workers are stopped."""


@celery_app.task(name="recompute_quality_task", max_retries=2)
def recompute_quality_task(resource_id: str) -> None:
    """Never run here: the workers are stopped."""


@celery_app.task(name="update_search_index_task", max_retries=3, priority=9)
def update_search_index_task(resource_id: str) -> None:
    """Never run here: the workers are stopped."""


@celery_app.task(name="invalidate_cache_task", priority=9)
def invalidate_cache_task(cache_keys: list[str]) -> None:
    """Never run here: the workers are stopped."""


# --- events: an emitter with a history of 1,000, hooks that send tasks


class EventPriority(IntEnum):
    """How urgent an event is."""

    HIGH = 75
    NORMAL = 50


class Event(BaseModel):
    """What is emitted."""

    name: str
    data: dict[str, Any]
    timestamp: datetime
    priority: EventPriority
    correlation_id: str


class EventEmitter:
    """The singleton dispatcher."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[Event], None]]] = {}
        self._history: deque[Event] = deque(maxlen=1000)

    def on(self, name: str, handler: Callable[[Event], None]) -> None:
        self._listeners.setdefault(name, []).append(handler)

    def emit(self, name: str, data: dict[str, Any], priority: EventPriority = EventPriority.NORMAL) -> Event:
        event = Event(name=name, data=data, timestamp=datetime.now(UTC), priority=priority, correlation_id=str(uuid4()))
        self._history.append(event)
        for handler in self._listeners.get(name, ()):
            handler(event)
        return event


event_emitter = EventEmitter()


def on_content_changed_regenerate_embedding(event: Event) -> None:
    regenerate_embedding_task.apply_async(args=[event.data["resource_id"]], priority=7, countdown=5)


def on_metadata_changed_recompute_quality(event: Event) -> None:
    recompute_quality_task.apply_async(args=[event.data["resource_id"]], priority=5, countdown=10)


def on_resource_updated_sync_search_index(event: Event) -> None:
    update_search_index_task.apply_async(args=[event.data["resource_id"]], priority=9, countdown=1)


def on_resource_updated_invalidate_caches(event: Event) -> None:
    id = event.data["resource_id"]
    keys = [f"embedding:{id}", f"quality:{id}", f"resource:{id}", "search_query:*"]
    invalidate_cache_task.apply_async(args=[keys], priority=9, countdown=0)


event_emitter.on("resource.content_changed", on_content_changed_regenerate_embedding)
event_emitter.on("resource.metadata_changed", on_metadata_changed_recompute_quality)
event_emitter.on("resource.updated", on_resource_updated_sync_search_index)
event_emitter.on("resource.updated", on_resource_updated_invalidate_caches)


# --- the API


class ResourceUpdate(BaseModel):
    """Any subset of a resource's fields."""

    title: str | None = None
    content: str | None = None
    url: str | None = None
    tags: list[str] | None = None
    authors: list[str] | None = None
    description: str | None = None
    language: str | None = None
    type: str | None = None
    subjects: list[str] | None = None
    published_at: datetime | None = None
    private: bool | None = None


class ResourceRead(ResourceUpdate):
    """A resource as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site: str | None
    status: str
    version: int
    word_count: int
    created_at: datetime
    updated_at: datetime


app = FastAPI()
Base.metadata.create_all(engine)


@app.put("/resources/{resource_id}")
def update_resource(resource_id: UUID, change: ResourceUpdate, db: Annotated[Session, Depends(get_db)]) -> ResourceRead:
    """Save, then emit, as ResourceService.update of the seeds does."""
    resource = db.get(Resource, resource_id)
    if resource is None:
        raise HTTPException(404)
    fields = change.model_dump(exclude_unset=True)
    changed = [name for name, value in fields.items() if getattr(resource, name) != value]
    for name in changed:
        setattr(resource, name, fields[name])
    if "content" in changed:
        resource.content_hash = sha256(resource.content.encode()).hexdigest()
        resource.word_count = len(resource.content.split())
    resource.version += 1
    resource.updated_at = datetime.now(UTC)
    db.commit()
    db.refresh(resource)
    about = {"resource_id": str(resource.id), "changed_fields": changed}
    event_emitter.emit("resource.updated", about)
    if "content" in changed:
        event_emitter.emit("resource.content_changed", about, EventPriority.HIGH)
    if set(changed) - {"content"}:
        event_emitter.emit("resource.metadata_changed", about)
    return ResourceRead.model_validate(resource)
