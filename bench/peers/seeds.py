"""The design that Pharos replaces: FastAPI, a synchronous SQLAlchemy session, an emitter that calls hooks after the
commit, hooks that send Celery tasks with a countdown. Four tasks for an update of text and metadata.

Searches and reads are kept in Redis, as the seeds say; searches use a full-text index of PostgreSQL in the place of
SQLite's. Nothing here embeds: the seeds' hook does so when a text changes, and no benchmark that runs the workers
changes texts.

Environment: SEEDS_DATABASE_URL (`postgresql+psycopg2://`), SEEDS_BROKER_URL, SEEDS_BACKEND_URL, SEEDS_CACHE_URL.
"""

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

import redis
from celery import Celery, Task
from celery.signals import worker_process_init
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, DateTime, Index, Text, create_engine, func, select
from sqlalchemy.dialects.postgresql import TSVECTOR, insert
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


class SearchDocument(Base):
    """The full-text index."""

    __tablename__ = "seeds_search"
    __table_args__ = (Index("ix_seeds_search_words", "words", postgresql_using="gin"),)

    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    words: Mapped[Any] = mapped_column(TSVECTOR)


class QualityScore(Base):
    """Five dimensions and their mean."""

    __tablename__ = "seeds_quality"

    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    overall: Mapped[float]
    accuracy: Mapped[float]
    completeness: Mapped[float]
    consistency: Mapped[float]
    timeliness: Mapped[float]
    relevance: Mapped[float]
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


# --- cache: RedisCache of the seeds


TTLS = {"embedding:": 3600, "quality:": 1800, "search_query:": 300, "resource:": 600}  # seconds


class RedisCache:
    """JSON with a time to live by the beginning of the key; patterns are forgotten by KEYS."""

    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url, decode_responses=True)

    def get(self, key: str) -> Any | None:
        value = self.redis.get(key)
        return json.loads(value) if value else None

    def set(self, key: str, value: Any) -> None:
        ttl = next((ttl for beginning, ttl in TTLS.items() if key.startswith(beginning)), 300)
        self.redis.setex(key, ttl, json.dumps(value))

    def delete(self, key: str) -> None:
        self.redis.delete(key)

    def delete_pattern(self, pattern: str) -> None:
        if keys := self.redis.keys(pattern):
            self.redis.delete(*keys)


cache = RedisCache(os.environ["SEEDS_CACHE_URL"])


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
    worker_prefetch_multiplier=4,
    worker_max_tasks_per_child=1000,
    broker_pool_limit=60,  # Celery's default of 10 connections is less than there are threads
    task_routes={
        "regenerate_embedding_task": {"queue": "high_priority"},
        "update_search_index_task": {"queue": "urgent"},
        "invalidate_cache_task": {"queue": "urgent"},
        "recompute_quality_task": {"queue": "ml_tasks"},
    },
)


@worker_process_init.connect
def forget_parents_connections(**_: Any) -> None:
    """Connections of the process that forked this one are not ours."""
    engine.dispose(close=False)


class DatabaseTask(Task):
    """Gives a task a session."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        db = SessionLocal()
        try:
            return self.run(*args, db=db, **kwargs)
        finally:
            db.close()


@celery_app.task(name="regenerate_embedding_task", max_retries=3, default_retry_delay=60)
def regenerate_embedding_task(resource_id: str) -> None:
    """Never run here: no text changes while there are workers."""


@celery_app.task(name="recompute_quality_task", base=DatabaseTask, max_retries=2)
def recompute_quality_task(resource_id: str, db: Any = None) -> None:
    """Compute what the seeds compute: completeness; the other dimensions are constants."""
    resource = db.get(Resource, UUID(resource_id))
    if resource is None:
        return
    described = (resource.title, resource.description, resource.content, resource.url, resource.authors, resource.tags)
    scores = {
        "accuracy": 0.7,
        "completeness": sum(map(bool, described)) / len(described),
        "consistency": 0.8,
        "timeliness": 0.7,
        "relevance": 0.7,
    }
    scores["overall"] = sum(scores.values()) / len(scores)
    db.execute(
        insert(QualityScore)
        .values(resource_id=resource.id, **scores)
        .on_conflict_do_update(index_elements=["resource_id"], set_=scores | {"computed_at": func.now()})
    )
    db.commit()
    cache.set(f"quality:{resource_id}", scores)


@celery_app.task(name="update_search_index_task", base=DatabaseTask, max_retries=3, priority=9)
def update_search_index_task(resource_id: str, db: Any = None) -> None:
    """Index title and text."""
    resource = db.get(Resource, UUID(resource_id))
    if resource is None:
        return
    title = func.setweight(func.to_tsvector("english", resource.title), "A")
    words = title.op("||")(func.to_tsvector("english", resource.content))
    db.execute(
        insert(SearchDocument)
        .values(resource_id=resource.id, words=words)
        .on_conflict_do_update(index_elements=["resource_id"], set_={"words": words})
    )
    db.commit()


@celery_app.task(name="invalidate_cache_task", priority=9)
def invalidate_cache_task(cache_keys: list[str]) -> None:
    """Forget keys and patterns."""
    for key in cache_keys:
        if "*" in key:
            cache.delete_pattern(key)
        else:
            cache.delete(key)


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


class SearchHit(BaseModel):
    """A resource that was found."""

    id: UUID
    title: str
    description: str | None
    url: str | None
    type: str
    authors: list[str]
    tags: list[str]
    score: float


app = FastAPI()
Base.metadata.create_all(engine)


@app.get("/search", response_model=list[SearchHit])
def search(query: str, db: Annotated[Session, Depends(get_db)], limit: int = 25) -> Any:
    """Answer from the cache, else from the index."""
    began = time.perf_counter()
    key = f"search_query:{hashlib.sha256(f'{query} {limit}'.encode()).hexdigest()}"
    hits = cache.get(key)
    if hits is None:
        asked = func.websearch_to_tsquery("english", query)
        score = func.ts_rank(SearchDocument.words, asked).label("score")
        shown = [getattr(Resource, name) for name in SearchHit.model_fields if name != "score"]
        rows = db.execute(
            select(*shown, score)
            .join(SearchDocument, SearchDocument.resource_id == Resource.id)
            .where(SearchDocument.words.op("@@")(asked))
            .order_by(score.desc())
            .limit(limit)
        )
        hits = [SearchHit(**row).model_dump(mode="json") for row in rows.mappings()]
        cache.set(key, hits)
    latency = 1000 * (time.perf_counter() - began)
    event_emitter.emit("search.executed", {"query": query, "results_count": len(hits), "latency": latency})
    return hits


@app.get("/resources/{resource_id}", response_model=ResourceRead)
def read_resource(resource_id: UUID, db: Annotated[Session, Depends(get_db)]) -> Any:
    """Answer from the cache, else from the table."""
    key = f"resource:{resource_id}"
    if (kept := cache.get(key)) is not None:
        return kept
    resource = db.get(Resource, resource_id)
    if resource is None:
        raise HTTPException(404)
    read = ResourceRead.model_validate(resource)
    cache.set(key, read.model_dump(mode="json"))
    return read


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
        resource.content_hash = hashlib.sha256(resource.content.encode()).hexdigest()
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
