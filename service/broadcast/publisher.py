"""EventPublisher: programs beside Pharos tell each other what they do, in the events that Pharos itself uses."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from uuid import UUID, uuid4

from pydantic import ValidationError

from service.broadcast.names import CHANNELS, LARGEST, OUTSIDE, OUTSIDE_KEPT, PHAROS, PUBLISHED, EventType, address
from service.broadcast.payloads import PAYLOADS
from service.broadcast.wire import encode, told
from service.errors import Invalid
from service.events import EventPriority

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

Answer = TypeVar("Answer")
Id = str | int | UUID


class BadEvent(Invalid):
    """The event {name} was not published: {problems}."""


class Publisher(ABC, Generic[Answer]):
    """The events that can be published; each method answers with the event's id.

    All raise BadEvent for data that are not as agreed, and what redis-py raises where Redis is away.
    """

    def __init__(self, redis_url: str | None = None, *, source: str = "outside") -> None:
        if not 0 < len(source) <= 100 or source == PHAROS:
            raise BadEvent(name="", problems=f"`source` names your program, and {source!r} is no name for it")
        self.redis_url = address(redis_url)
        self.source = source

    @abstractmethod
    def _send(self, event_id: str, name: str, wire: bytes) -> Answer: ...

    def publish(self, event_type: EventType | str, **data: Any) -> Answer:
        """Publish an event of this type; what is None is left out."""
        if event_type not in PUBLISHED:
            raise BadEvent(name=event_type, problems="only these can be published: " + ", ".join(EventType))
        name, model, event_id = EventType(event_type), PAYLOADS[event_type], str(uuid4())
        given = {field: value for field, value in data.items() if value is not None}
        try:
            payload = model.model_validate(given, extra="forbid")
        except ValidationError as error:
            raise BadEvent(name=name, problems=told(error)) from error
        wire = encode(
            {
                "id": event_id,
                "name": name,
                "version": model.version,
                "data": payload.model_dump(mode="json"),
                "timestamp": datetime.now(UTC),
                "priority": EventPriority.NORMAL,
                "correlation_id": None,
                "cause": None,
                "audience": payload.user_id,
                "source": self.source,
            }
        )
        if len(wire) > LARGEST:
            raise BadEvent(name=name, problems=f"it has {len(wire)} bytes, and {LARGEST} are the most")
        return self._send(event_id, name, wire)

    def publish_document_uploaded(
        self,
        user_id: Id,
        document_id: Id,
        filename: str,
        file_size: int,
        content_type: str | None = None,
        resource_id: Id | None = None,
    ) -> Answer:
        """Tell that a file is stored; `file_size` in bytes."""
        return self.publish(
            EventType.DOCUMENT_UPLOADED,
            user_id=user_id,
            document_id=document_id,
            resource_id=resource_id,
            filename=filename,
            size=file_size,
            content_type=content_type,
        )

    def publish_document_processing(
        self, user_id: Id, document_id: Id, progress: float | None = None, message: str | None = None
    ) -> Answer:
        """Tell that a document is being read; `progress` in percent."""
        return self.publish(
            EventType.DOCUMENT_PROCESSING, user_id=user_id, document_id=document_id, progress=progress, message=message
        )

    def publish_document_processed(
        self, user_id: Id, document_id: Id, word_count: int | None = None, pages: int | None = None
    ) -> Answer:
        """Tell that a document was read."""
        return self.publish(
            EventType.DOCUMENT_PROCESSED, user_id=user_id, document_id=document_id, word_count=word_count, pages=pages
        )

    def publish_document_failed(
        self, user_id: Id, document_id: Id, error: str, error_type: str | None = None
    ) -> Answer:
        """Tell that a document could not be read."""
        return self.publish(
            EventType.DOCUMENT_FAILED, user_id=user_id, document_id=document_id, error=error, error_type=error_type
        )

    def publish_indexing_started(self, user_id: Id, document_id: Id) -> Answer:
        """Tell that a document is being indexed."""
        return self.publish(EventType.INDEXING_STARTED, user_id=user_id, document_id=document_id)

    def publish_indexing_progress(
        self,
        user_id: Id,
        document_id: Id,
        progress: float | None = None,
        current: int | None = None,
        total: int | None = None,
    ) -> Answer:
        """Tell how far the indexing of a document is; `progress` in percent."""
        return self.publish(
            EventType.INDEXING_PROGRESS,
            user_id=user_id,
            document_id=document_id,
            progress=progress,
            current=current,
            total=total,
        )

    def publish_indexing_completed(self, user_id: Id, document_id: Id, passages: int | None = None) -> Answer:
        """Tell that a document can be searched."""
        return self.publish(EventType.INDEXING_COMPLETED, user_id=user_id, document_id=document_id, passages=passages)

    def publish_indexing_failed(self, user_id: Id, document_id: Id, error: str) -> Answer:
        """Tell that a document could not be indexed."""
        return self.publish(EventType.INDEXING_FAILED, user_id=user_id, document_id=document_id, error=error)

    def publish_quiz_generation_started(self, user_id: Id, quiz_id: Id, num_questions: int | None = None) -> Answer:
        """Tell that questions are being written."""
        return self.publish(
            EventType.QUIZ_GENERATION_STARTED, user_id=user_id, quiz_id=quiz_id, num_questions=num_questions
        )

    def publish_quiz_generation_progress(
        self, user_id: Id, quiz_id: Id, progress: float | None = None, message: str | None = None
    ) -> Answer:
        """Tell how far they are; `progress` in percent."""
        return self.publish(
            EventType.QUIZ_GENERATION_PROGRESS, user_id=user_id, quiz_id=quiz_id, progress=progress, message=message
        )

    def publish_quiz_generated(self, user_id: Id, quiz_id: Id, questions: int | None = None) -> Answer:
        """Tell that a quiz can be taken."""
        return self.publish(EventType.QUIZ_GENERATED, user_id=user_id, quiz_id=quiz_id, questions=questions)

    def publish_quiz_generation_failed(self, user_id: Id, quiz_id: Id, error: str) -> Answer:
        """Tell that there will be no quiz."""
        return self.publish(EventType.QUIZ_GENERATION_FAILED, user_id=user_id, quiz_id=quiz_id, error=error)

    def publish_task_status_update(
        self,
        user_id: Id,
        task_id: Id,
        task_type: str,
        status: str,
        progress: float | None = None,
        message: str | None = None,
    ) -> Answer:
        """Tell how a task stands; `progress` in percent."""
        return self.publish(
            EventType.TASK_STATUS_UPDATE,
            user_id=user_id,
            task_id=task_id,
            task_type=task_type,
            status=status,
            progress=progress,
            message=message,
        )

    def publish_task_started(self, task_id: Id, user_id: Id, task_type: str, message: str | None = None) -> Answer:
        """Tell that a task has begun."""
        return self.publish_task_status_update(user_id, task_id, task_type, "started", 0, message)

    def publish_task_progress(
        self, task_id: Id, user_id: Id, task_type: str, progress: float, message: str | None = None
    ) -> Answer:
        """Tell how far a task is, in percent."""
        return self.publish_task_status_update(user_id, task_id, task_type, "processing", progress, message)

    def publish_task_completed(self, task_id: Id, user_id: Id, task_type: str, message: str | None = None) -> Answer:
        """Tell that a task has succeeded."""
        return self.publish_task_status_update(user_id, task_id, task_type, "completed", 100, message)

    def publish_task_failed(self, task_id: Id, user_id: Id, task_type: str, error: str) -> Answer:
        """Tell that a task has failed, and why."""
        return self.publish_task_status_update(user_id, task_id, task_type, "failed", None, error)

    def publish_user_notification(
        self, user_id: Id, title: str, message: str, kind: str = "notice", notification_id: Id | None = None
    ) -> Answer:
        """Tell a person something; it reaches those who listen here, and no row of Pharos."""
        return self.publish(
            EventType.USER_NOTIFICATION,
            user_id=user_id,
            notification_id=notification_id or uuid4(),
            kind=kind,
            title=title,
            message=message,
        )


class EventPublisher(Publisher[str]):
    """Publishes from plain code and from threads; answers when Redis has the event."""

    def __init__(self, redis_url: str | None = None, *, source: str = "outside") -> None:
        super().__init__(redis_url, source=source)
        self._redis: Redis | None = None

    def _send(self, event_id: str, name: str, wire: bytes) -> str:
        from redis import Redis

        if self._redis is None:
            self._redis = Redis.from_url(self.redis_url, protocol=2, socket_timeout=5, socket_connect_timeout=5)
        with self._redis.pipeline() as both:
            both.xadd(OUTSIDE, {"name": name, "event": wire}, maxlen=OUTSIDE_KEPT)
            both.publish(f"{CHANNELS}{name}", wire)
            both.execute()
        return event_id

    def close(self) -> None:
        """Close the connections; publishing opens them again."""
        redis, self._redis = self._redis, None
        if redis is not None:
            redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEventPublisher(Publisher[Awaitable[str]]):
    """The same for an event loop: every method is awaited."""

    def __init__(self, redis_url: str | None = None, *, source: str = "outside") -> None:
        super().__init__(redis_url, source=source)
        self._redis: AsyncRedis | None = None

    async def _send(self, event_id: str, name: str, wire: bytes) -> str:
        from redis.asyncio import Redis

        if self._redis is None:
            self._redis = Redis.from_url(self.redis_url, protocol=2, socket_timeout=5, socket_connect_timeout=5)
        async with self._redis.pipeline() as both:
            both.xadd(OUTSIDE, {"name": name, "event": wire}, maxlen=OUTSIDE_KEPT)
            both.publish(f"{CHANNELS}{name}", wire)
            await both.execute()
        return event_id

    async def close(self) -> None:
        """Close the connections; publishing opens them again."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
