"""EventConsumer without a group: what is told while it listens, whatever the handlers and Redis do."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import redis

from service.broadcast import BroadcastEvent, EventConsumer, EventPublisher, EventType, hearing
from service.broadcast.consumer import Running
from service.broadcast.names import BadAddress
from service.broadcast.subscriptions import UnknownEventType
from tests.broadcast.conftest import Server
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


async def test_each_handler_hears_its_family(server: Server, publisher: EventPublisher) -> None:
    heard: dict[str, list[BroadcastEvent]] = {
        name: [] for name in ("document", "indexing", "quiz", "task", "all", "one")
    }
    consumer = EventConsumer(server.url)
    consumer.subscribe_to_document_events(heard["document"].append)
    consumer.subscribe_to_indexing_events(heard["indexing"].append)
    consumer.subscribe_to_quiz_events(heard["quiz"].append)
    consumer.subscribe_to_task_events(heard["task"].append)
    consumer.subscribe_to_all_events(heard["all"].append)
    consumer.subscribe([EventType.QUIZ_GENERATED, "user.*"], heard["one"].append)
    async with consumer:
        publisher.publish_document_uploaded("u", "d", "a.pdf", 1)
        publisher.publish_document_failed("u", "d", "no")
        publisher.publish_indexing_started("u", "d")
        publisher.publish_quiz_generation_started("u", "q", 5)
        publisher.publish_quiz_generated("u", "q", 5)
        publisher.publish_task_started("t", "u", "ocr")
        publisher.publish_user_notification("u", "Hello", "there")
        await until(lambda: len(heard["all"]) == 7)
    names = {key: [event.event_type.value for event in events] for key, events in heard.items()}
    assert names == {
        "document": ["document.uploaded", "document.failed"],
        "indexing": ["indexing.started"],
        "quiz": ["quiz.generation.started", "quiz.generated"],
        "task": ["task.status.update"],
        "all": [*names["document"], *names["indexing"], *names["quiz"], *names["task"], "user.notification"],
        "one": ["quiz.generated", "user.notification"],
    }
    assert consumer.statistics.handled == consumer.statistics.received == 7
    assert heard["document"][0].filename == "a.pdf"
    assert not hasattr(heard["document"][0], "quiz_id")


async def test_functions_run_in_threads_and_coroutine_functions_on_the_loop(
    server: Server, publisher: EventPublisher
) -> None:
    ran: dict[str, Any] = {}

    def blocking(event: BroadcastEvent) -> None:
        ran["blocking"] = threading.current_thread()

    async def coroutine(event: BroadcastEvent) -> None:
        await asyncio.sleep(0)
        ran["coroutine"] = threading.current_thread()

    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(blocking)
        consumer.subscribe_to_all_events(coroutine)
        publisher.publish_indexing_started("u", "d")
        await until(lambda: len(ran) == 2)
    assert ran["coroutine"] is threading.current_thread()
    assert ran["blocking"] is not threading.current_thread()


def test_start_and_stop_from_plain_code(server: Server, publisher: EventPublisher) -> None:
    heard, consumer = threading.Event(), EventConsumer(server.url)

    async def handler(event: BroadcastEvent) -> None:
        heard.set()

    consumer.subscribe_to_all_events(handler)
    for _ in range(2):  # and once more
        heard.clear()
        consumer.start()
        with pytest.raises(Running):
            consumer.start()
        publisher.publish_indexing_started("u", "d")
        assert heard.wait(10)
        consumer.stop()
    publisher.publish_indexing_started("u", "d")
    assert consumer.statistics.handled == 2


@pytest.mark.parametrize("group", [None, "g"])
def test_a_handler_may_stop_its_consumer(server: Server, publisher: EventPublisher, group: str | None) -> None:
    consumer = EventConsumer(server.url, group=group)

    def handler(event: BroadcastEvent) -> None:
        consumer.stop()

    consumer.subscribe_to_all_events(handler)
    consumer.start()
    running = consumer._thread
    assert running is not None
    publisher.publish_indexing_started("u", "d")
    running.join(10)
    assert not running.is_alive()


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), SystemExit(1), StopAsyncIteration()])
async def test_what_a_handler_raises_costs_the_others_nothing(
    server: Server, publisher: EventPublisher, error: BaseException
) -> None:
    heard: list[str] = []

    def broken(event: BroadcastEvent) -> None:
        raise error

    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(broken)
        consumer.subscribe_to_all_events(lambda event: heard.append(event.document_id))
        for number in range(3):
            publisher.publish_indexing_started("u", f"d{number}")
        await until(lambda: len(heard) == 3)
        await until(lambda: consumer.statistics.failures == 3)
    assert heard == ["d0", "d1", "d2"]


async def test_what_cannot_be_read_reaches_no_handler_and_is_counted(
    server: Server, store: "redis.Redis", publisher: EventPublisher
) -> None:
    heard: list[BroadcastEvent] = []
    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(heard.append)
        store.publish("pharos_events:quiz.generated", b"{")
        store.publish("pharos_events:quiz.generated", b"\xff")
        future = b'{"id":"1","name":"quiz.generated","version":9,"data":{},"timestamp":"2026-01-01T00:00:00Z"}'
        store.publish("pharos_events:quiz.generated", future)
        store.publish("pharos_events:quiz.invented", b"{}")
        store.publish("pharos_events:document.failed", future.replace(b"9", b"1"))
        publisher.publish_indexing_started("u", "d")
        await until(lambda: heard)
    assert [event.event_type for event in heard] == ["indexing.started"]
    assert dict(consumer.statistics.unreadable) == {"malformed": 3, "unknown_version": 1, "invalid": 1}


async def test_it_listens_again_when_redis_is_back(server: Server, publisher: EventPublisher) -> None:
    heard: list[str] = []
    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(lambda event: heard.append(event.document_id))
        publisher.publish_indexing_started("u", "before")
        await until(lambda: heard == ["before"])
        server.kill()
        server.start()
        async with asyncio.timeout(20):
            while heard[-1] != "after":
                publisher.publish_indexing_started("u", "after")
                await asyncio.sleep(0.05)
    assert set(heard) == {"before", "after"}


async def test_a_slow_handler_loses_the_oldest_and_says_how_many(
    server: Server, publisher: EventPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "WAITING", 10)
    heard: list[str] = []
    may_go = asyncio.Event()

    async def slow(event: BroadcastEvent) -> None:
        heard.append(event.document_id)
        await may_go.wait()

    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(slow)
        publisher.publish_indexing_started("u", "d0")
        await until(lambda: heard)
        for number in range(1, 31):
            publisher.publish_indexing_started("u", f"d{number}")
        await until(lambda: consumer.statistics.received == 31)
        assert consumer.statistics.missed == 20
        may_go.set()
        await until(lambda: len(heard) == 11)
    assert heard == ["d0", *[f"d{number}" for number in range(21, 31)]]


@pytest.mark.parametrize("pattern", ["documents.*", "document", "", "quiz.invented"])
def test_a_type_that_does_not_exist_is_said_at_once(pattern: str) -> None:
    with pytest.raises(UnknownEventType):
        EventConsumer("redis://127.0.0.1:1").subscribe(pattern, print)


def test_an_address_that_is_none_is_said_at_once() -> None:
    for make in (EventConsumer, EventPublisher):
        with pytest.raises(BadAddress):
            make("http://127.0.0.1:6379")


async def test_a_redis_that_stands_still_is_left_and_found_again(
    server: Server, publisher: EventPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "SILENCE", 0.1)
    monkeypatch.setattr(hearing, "TIMEOUT", 0.3)
    heard: list[str] = []
    async with (consumer := EventConsumer(server.url)):
        consumer.subscribe_to_all_events(lambda event: heard.append(event.document_id))
        publisher.publish_indexing_started("u", "before")
        await until(lambda: heard == ["before"])
        with server.frozen():
            await asyncio.sleep(1)  # the fault: several times as long as it may take
        async with asyncio.timeout(20):
            while heard[-1] != "after":
                publisher.publish_indexing_started("u", "after")
                await asyncio.sleep(0.05)
    assert set(heard) == {"before", "after"}


SCRIPT = """
import sys
from service.broadcast import EventConsumer

def handler(event):
    print(event.event_type.value, event.document_id, "sqlalchemy" in sys.modules, flush=True)
    if event.document_id == "last":
        consumer.stop()

consumer = EventConsumer(redis_url=sys.argv[1])
consumer.subscribe_to_document_events(handler)
consumer.start()
"""


async def test_a_plain_script_that_ends_with_start_goes_on_until_it_is_stopped(
    server: Server, store: "redis.Redis", tmp_path: Path
) -> None:
    """Without a variable of ours; the server's name is looked up again when it is back."""
    url = server.url.replace("127.0.0.1", "localhost")
    with (tmp_path / "log").open("w+") as log:
        script = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url], stdout=log, stderr=subprocess.STDOUT, env={"PYTHONPATH": str(ROOT)}
        )
        try:
            await until(lambda: store.pubsub_numpat() == 1, 30)
            EventPublisher(server.url).publish_document_processed("u", "first")
            server.kill()
            server.start()
            await until(lambda: store.pubsub_numpat() == 1, 30)
            EventPublisher(server.url).publish_document_processed("u", "last")
            await until(lambda: script.poll() is not None, 30)
        finally:
            script.kill()
            script.wait()
        log.seek(0)
        said = log.read().splitlines()
    assert script.returncode == 0, said
    assert said[0] == "document.processed first False"
    assert said[-1] == "document.processed last False"
    assert [line for line in said[1:-1] if "listening" not in line] == []
