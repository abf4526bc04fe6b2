"""EventPublisher: what it tells is as agreed, or is not told."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import redis

from service.broadcast import AsyncEventPublisher, BadEvent, EventPublisher, EventType
from service.broadcast.names import OUTSIDE, OUTSIDE_KEPT, STREAM
from service.broadcast.payloads import PAYLOADS, events_of_slices
from service.broadcast.publisher import Publisher
from service.broadcast.wire import Unreadable, decode
from service.events import SystemEvent
from tests.broadcast.conftest import Server

pytestmark = pytest.mark.integration

CALLS: dict[str, tuple[EventType, dict[str, Any], dict[str, Any]]] = {
    "publish_document_uploaded": (
        EventType.DOCUMENT_UPLOADED,
        {"user_id": "u", "document_id": "d", "filename": "a.pdf", "file_size": 7, "content_type": "application/pdf"},
        {"user_id": "u", "document_id": "d", "filename": "a.pdf", "size": 7, "content_type": "application/pdf"},
    ),
    "publish_document_processing": (
        EventType.DOCUMENT_PROCESSING,
        {"user_id": "u", "document_id": "d", "progress": 50, "message": "half"},
        {"user_id": "u", "document_id": "d", "progress": 50, "message": "half"},
    ),
    "publish_document_processed": (
        EventType.DOCUMENT_PROCESSED,
        {"user_id": "u", "document_id": "d", "word_count": 900, "pages": 3},
        {"user_id": "u", "document_id": "d", "word_count": 900, "pages": 3},
    ),
    "publish_document_failed": (
        EventType.DOCUMENT_FAILED,
        {"user_id": "u", "document_id": "d", "error": "no text", "error_type": "Empty"},
        {"user_id": "u", "document_id": "d", "error": "no text", "error_type": "Empty"},
    ),
    "publish_indexing_started": (
        EventType.INDEXING_STARTED, {"user_id": "u", "document_id": "d"}, {"user_id": "u", "document_id": "d"}
    ),
    "publish_indexing_progress": (
        EventType.INDEXING_PROGRESS,
        {"user_id": "u", "document_id": "d", "progress": 10, "current": 1, "total": 10},
        {"user_id": "u", "document_id": "d", "progress": 10, "current": 1, "total": 10},
    ),
    "publish_indexing_completed": (
        EventType.INDEXING_COMPLETED,
        {"user_id": "u", "document_id": "d", "passages": 12},
        {"user_id": "u", "document_id": "d", "passages": 12},
    ),
    "publish_indexing_failed": (
        EventType.INDEXING_FAILED,
        {"user_id": "u", "document_id": "d", "error": "away"},
        {"user_id": "u", "document_id": "d", "error": "away"},
    ),
    "publish_quiz_generation_started": (
        EventType.QUIZ_GENERATION_STARTED,
        {"user_id": "u", "quiz_id": "q", "num_questions": 20},
        {"user_id": "u", "quiz_id": "q", "num_questions": 20},
    ),
    "publish_quiz_generation_progress": (
        EventType.QUIZ_GENERATION_PROGRESS,
        {"user_id": "u", "quiz_id": "q", "progress": 30, "message": "6 of 20"},
        {"user_id": "u", "quiz_id": "q", "progress": 30, "message": "6 of 20"},
    ),
    "publish_quiz_generated": (
        EventType.QUIZ_GENERATED,
        {"user_id": "u", "quiz_id": "q", "questions": 20},
        {"user_id": "u", "quiz_id": "q", "questions": 20},
    ),
    "publish_quiz_generation_failed": (
        EventType.QUIZ_GENERATION_FAILED,
        {"user_id": "u", "quiz_id": "q", "error": "too little text"},
        {"user_id": "u", "quiz_id": "q", "error": "too little text"},
    ),
    "publish_task_status_update": (
        EventType.TASK_STATUS_UPDATE,
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "waiting", "progress": 0, "message": "in line"},
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "waiting", "progress": 0, "message": "in line"},
    ),
    "publish_task_started": (
        EventType.TASK_STATUS_UPDATE,
        {"task_id": "t", "user_id": "u", "task_type": "ocr"},
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "started", "progress": 0},
    ),
    "publish_task_progress": (
        EventType.TASK_STATUS_UPDATE,
        {"task_id": "t", "user_id": "u", "task_type": "ocr", "progress": 50, "message": "half"},
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "processing", "progress": 50, "message": "half"},
    ),
    "publish_task_completed": (
        EventType.TASK_STATUS_UPDATE,
        {"task_id": "t", "user_id": "u", "task_type": "ocr", "message": "done"},
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "completed", "progress": 100, "message": "done"},
    ),
    "publish_task_failed": (
        EventType.TASK_STATUS_UPDATE,
        {"task_id": "t", "user_id": "u", "task_type": "ocr", "error": "broken"},
        {"user_id": "u", "task_id": "t", "task_type": "ocr", "status": "failed", "message": "broken"},
    ),
    "publish_user_notification": (
        EventType.USER_NOTIFICATION,
        {"user_id": "u", "title": "Hello", "message": "there", "kind": "news", "notification_id": "n"},
        {"user_id": "u", "title": "Hello", "message": "there", "kind": "news", "notification_id": "n"},
    ),
}  # fmt: skip


def test_every_type_has_a_payload_and_every_method_a_case() -> None:
    assert set(PAYLOADS) == set(EventType)
    assert {name for name in vars(Publisher) if name.startswith("publish_")} == set(CALLS)


@pytest.mark.parametrize("method", CALLS)
def test_each_method_tells_it_on_its_channel_and_keeps_it_for_durable_readers(
    publisher: EventPublisher, store: "redis.Redis", method: str
) -> None:
    name, given, expected = CALLS[method]
    with store.pubsub() as channels:
        channels.subscribe(f"pharos_events:{name}")
        channels.get_message(timeout=5)
        event_id = getattr(publisher, method)(**given)
        message = channels.get_message(timeout=5)
    assert message is not None
    heard = orjson.loads(message["data"])
    assert heard["id"] == event_id
    assert (heard["name"], heard["version"], heard["audience"], heard["source"]) == (name, 1, "u", "outside")
    assert {key: value for key, value in heard["data"].items() if value is not None} == expected
    [(_, fields)] = store.xrange(OUTSIDE)
    assert (fields[b"name"].decode(), fields[b"event"]) == (name, message["data"])
    event = decode(fields[b"event"])
    assert event.event_type is name
    assert {key: getattr(event, key) for key in expected} == expected


async def test_the_same_from_an_event_loop(server: Server, store: "redis.Redis") -> None:
    async with AsyncEventPublisher(server.url, source="scanner") as publisher:
        ids = await asyncio.gather(*[publisher.publish_quiz_generated("u", f"q{n}", 20) for n in range(50)])
    events = [decode(fields[b"event"], outside=True) for _, fields in store.xrange(OUTSIDE)]
    assert {event.event_id for event in events} == set(ids)
    assert {event.source for event in events} == {"scanner"}


def test_ids_may_be_uuids_and_numbers(publisher: EventPublisher, store: "redis.Redis") -> None:
    document = uuid4()
    publisher.publish_indexing_started(user_id=42, document_id=document)
    [(_, fields)] = store.xrange(OUTSIDE)
    event = decode(fields[b"event"])
    assert (event.user_id, UUID(event.document_id)) == ("42", document)


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("document.uploaded", {"user_id": "u", "document_id": "d", "size": 1}, "filename: Field required"),
        ("document.uploaded", {"user_id": "u", "document_id": "d", "filename": "a", "size": -1}, "size"),
        ("document.failed", {"user_id": "", "document_id": "d", "error": "x"}, "user_id"),
        ("indexing.started", {"user_id": "u", "document_id": "d", "body": "..."}, "body: Extra inputs"),
        ("indexing.progress", {"user_id": "u", "document_id": "d", "progress": 101}, "progress"),
        ("user.notification", {"user_id": "u", "notification_id": "n", "kind": "", "title": "t", "message": "m"},
         "kind"),
        ("resource.created", {"resource_id": str(uuid4())}, "only these can be published"),
        ("quiz.invented", {}, "only these can be published"),
    ],
)  # fmt: skip
def test_what_is_not_as_agreed_is_not_told(
    publisher: EventPublisher, store: "redis.Redis", name: str, data: dict[str, Any], problem: str
) -> None:
    with pytest.raises(BadEvent, match=problem):
        publisher.publish(name, **data)
    assert store.exists(OUTSIDE) == 0


@pytest.mark.parametrize("source", ["", "pharos", "x" * 101])
def test_nobody_outside_calls_itself_pharos(source: str) -> None:
    with pytest.raises(BadEvent):
        EventPublisher("redis://127.0.0.1:1", source=source)


def test_what_comes_from_outside_is_said_to_whatever_it_says_itself(
    publisher: EventPublisher, store: "redis.Redis"
) -> None:
    publisher.publish_indexing_started("u", "d")
    [(_, fields)] = store.xrange(OUTSIDE)
    forged = fields[b"event"].replace(b'"source":"outside"', b'"source":"pharos"')
    assert decode(forged, outside=True).source == "outside"
    assert decode(fields[b"event"], outside=False).source == "pharos"


def test_a_redis_that_is_away_is_told_to_who_publishes() -> None:
    with EventPublisher("redis://127.0.0.1:1") as publisher, pytest.raises(redis.ConnectionError):
        publisher.publish_indexing_started("u", "d")


def test_what_is_published_outside_is_bounded_and_leaves_the_stream_of_pharos_alone(
    publisher: EventPublisher, store: "redis.Redis"
) -> None:
    for _ in range(OUTSIDE_KEPT // 500 + 5):
        with store.pipeline() as batch:
            for _ in range(500):
                batch.xadd(OUTSIDE, {"name": "x", "event": b"{}"})
            batch.execute()
    publisher.publish_indexing_started("u", "d")
    assert OUTSIDE_KEPT <= store.xlen(OUTSIDE) < OUTSIDE_KEPT + 500
    assert store.exists(STREAM) == 0


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 60_000, "malformed"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "malformed"),
        (b'{"id":"1","name":"quiz.generated","version":1,"data":[],"timestamp":"2026-01-01T00:00:00Z"}', "malformed"),
        (b'{"id":"1","name":"quiz.generated","version":1,"data":{},"timestamp":"yesterday"}', "malformed"),
        (b'{"id":"1","name":"quiz.generated","version":1,"data":{},"timestamp":"2026-01-01T00:00:00Z"}', "invalid"),
        (b'{"id":"1","name":"quiz.generated","version":2,"data":{},"timestamp":"2026-01-01T00:00:00Z"}',
         "unknown_version"),
        (b'{"id":"1","name":"quiz.invented","version":1,"data":{},"timestamp":"2026-01-01T00:00:00Z"}',
         "unknown_type"),
        (b'{"id":"1","name":"resource.updated","version":1,"data":{"resource_id":"x"},"timestamp":"2026-01-01T00:00:00Z"}',
         "invalid"),
        (b" " * 70_000, "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(wire: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as raised:
        decode(wire)
    assert raised.value.reason == reason


def test_new_fields_do_no_harm() -> None:
    wire = {
        "id": "1", "name": "quiz.generated", "version": 1, "timestamp": "2026-01-01T00:00:00Z", "new": 1,
        "data": {"user_id": "u", "quiz_id": "q", "of_tomorrow": 3},
    }  # fmt: skip
    assert decode(orjson.dumps(wire)).of_tomorrow == 3
    wire |= {
        "name": "resource.deleted",
        "data": {"resource_id": str(uuid4()), "title": "t", "collection_ids": [], "x": 1},
    }
    assert decode(orjson.dumps(wire)).title == "t"


def test_all_of_pharos_events_are_known_to_listeners() -> None:
    assert set(events_of_slices()) == set(SystemEvent)


@pytest.mark.parametrize("name", sorted(set(EventType) & set(events_of_slices())))
def test_what_pharos_emits_is_what_listeners_read(name: EventType) -> None:
    """The fields that listeners rely on are fields of the event."""
    event, model = events_of_slices()[name], PAYLOADS[name]
    assert event.version == model.version
    required = {field for field, about in model.model_fields.items() if about.is_required()}
    assert required <= set(event.model_fields)
