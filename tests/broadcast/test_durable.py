"""A consumer group: every event is handled and acknowledged, whatever happens to consumers, handlers and Redis."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from service.broadcast import (
    BroadcastEvent,
    ConsumerGroup,
    DeadEvent,
    EventConsumer,
    EventPublisher,
    Gap,
    durable,
    hearing,
)
from service.broadcast.groups import BadPosition, UnknownDeadEvent
from service.broadcast.names import OUTSIDE, STREAM, again_of, dead_letters_of
from tests.broadcast.conftest import Server
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
Consume = Callable[..., EventConsumer]


@pytest.fixture
def consume(server: Server, group: str) -> Consume:
    def make(handler: Callable[[BroadcastEvent], object], **options: Any) -> EventConsumer:
        given = {"group": group, "start": "oldest", "backoff": 0.02, "patience": 5.0} | options
        consumer = EventConsumer(server.url, **given)
        consumer.subscribe_to_all_events(handler)
        return consumer

    return make


@pytest.fixture
def letters(server: Server, group: str) -> Iterator[ConsumerGroup]:
    with ConsumerGroup(group, server.url) as group_:
        yield group_


def pending(store: "redis.Redis", group: str) -> int:
    return sum(store.xpending(stream, group)["pending"] for stream in (STREAM, OUTSIDE))


def unread(store: "redis.Redis", group: str) -> int:
    [about] = [one for one in store.xinfo_groups(OUTSIDE) if one["name"] == group.encode()]
    return about["lag"]


def flood(store: "redis.Redis", count: int, stream: str = OUTSIDE, begin: int = 0) -> None:
    """Publish many events at once."""
    with store.pipeline() as batch:
        for number in range(begin, begin + count):
            facts = {
                "id": f"e{number}", "name": "indexing.started", "version": 1, "timestamp": datetime.now(UTC),
                "data": {"user_id": "u", "document_id": f"d{number}"},
            }  # fmt: skip
            batch.xadd(stream, {"name": "indexing.started", "event": orjson.dumps(facts)})
            if number % 1000 == 999:
                batch.execute()
        batch.execute()


async def test_what_was_told_before_the_consumer_ran_is_handled_once_it_runs(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str
) -> None:
    heard: list[BroadcastEvent] = []
    publisher.publish_indexing_started("u", "d0")
    async with consume(heard.append):
        publisher.publish_indexing_started("u", "d1")
        await until(lambda: len(heard) == 2)
    publisher.publish_indexing_started("u", "d2")
    async with consume(heard.append):
        await until(lambda: len(heard) == 3)
    assert [event.document_id for event in heard] == ["d0", "d1", "d2"]
    assert [event.attempt for event in heard] == [1, 1, 1]
    assert len({event.position for event in heard}) == 3
    assert pending(store, group) == 0


async def test_a_new_group_begins_now_unless_told_otherwise(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume
) -> None:
    heard: list[str] = []
    publisher.publish_indexing_started("u", "before")
    async with consume(lambda event: heard.append(event.document_id), start="new"):
        publisher.publish_indexing_started("u", "after")
        await until(lambda: heard)
    assert heard == ["after"]


async def test_ten_thousand_events_are_shared_by_two_consumers_each_once(
    store: "redis.Redis", consume: Consume, group: str
) -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}

    async def one(event: BroadcastEvent) -> None:
        heard["one"].append(event.event_id)

    async def two(event: BroadcastEvent) -> None:
        heard["two"].append(event.event_id)

    async with consume(one), consume(two):
        flood(store, 10_000)
        await until(lambda: sum(map(len, heard.values())) >= 10_000, 60)
        await until(lambda: pending(store, group) == 0)
    assert sorted(heard["one"] + heard["two"]) == sorted(f"e{number}" for number in range(10_000))
    assert heard["one"]
    assert heard["two"]
    assert heard["one"] == sorted(heard["one"], key=lambda id: int(id[1:]))


async def test_two_groups_both_get_everything(publisher: EventPublisher, consume: Consume) -> None:
    heard: dict[str, list[str]] = {"a": [], "b": []}
    async with (
        consume(lambda event: heard["a"].append(event.event_id), group="a"),
        consume(lambda event: heard["b"].append(event.event_id), group="b"),
    ):
        ids = [publisher.publish_indexing_started("u", "d") for _ in range(20)]
        await until(lambda: len(heard["a"]) == len(heard["b"]) == 20)
    assert heard == {"a": ids, "b": ids}


async def test_an_event_is_acknowledged_when_its_handler_has_ended(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handler(event: BroadcastEvent) -> None:
        begun.set()
        await may_end.wait()

    async with consume(handler):
        publisher.publish_indexing_started("u", "d")
        async with asyncio.timeout(10):
            await begun.wait()
        assert pending(store, group) == 1
        may_end.set()
        await until(lambda: pending(store, group) == 0)


async def test_what_fails_is_tried_again_then_is_a_dead_letter_and_holds_up_nothing(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str, letters: ConsumerGroup
) -> None:
    tries: list[tuple[str, int]] = []
    well: list[str] = []

    def fails(event: BroadcastEvent) -> None:
        tries.append((event.document_id, event.attempt))
        if event.document_id == "bad" or event.attempt < 2:
            raise ValueError("no luck")

    async with (consumer := consume(fails, attempts=3)):
        consumer.subscribe_to_all_events(lambda event: well.append(event.document_id))
        bad_id = publisher.publish_indexing_started("u", "bad")
        publisher.publish_indexing_started("u", "good")
        await until(lambda: consumer.statistics.dead == 1 and ("good", 2) in tries)
        await until(lambda: pending(store, group) == 0)
    assert sorted(tries) == [("bad", 1), ("bad", 2), ("bad", 3), ("good", 1), ("good", 2)]
    assert sorted(well) == ["bad", "good"]  # a handler that succeeded is not called again
    [letter] = letters.dead_letters()
    assert (letter.name, letter.reason, letter.attempts) == ("indexing.started", "failed", 3)
    assert letter.error == "ValueError: no luck"
    assert orjson.loads(letter.event)["id"] == bad_id
    assert datetime.now(UTC) - letter.failed_at < timedelta(minutes=1)


async def test_while_much_fails_no_more_is_read_than_fits(
    store: "redis.Redis", consume: Consume, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "MOST", 20)
    monkeypatch.setattr(durable, "BLOCK", 20)
    failing = True
    heard: list[str] = []

    async def handler(event: BroadcastEvent) -> None:
        if failing:
            raise ConnectionError("the mail server is away")
        heard.append(event.document_id)

    flood(store, 200)
    async with (consumer := consume(handler, attempts=100, backoff=0.001)):
        await until(lambda: consumer.statistics.failures > 200)
        assert 20 <= pending(store, group) <= 20 + durable.COUNT
        failing = False
        await until(lambda: len(heard) == 200, 30)
    assert sorted(heard) == sorted(f"d{number}" for number in range(200))


POISON = [
    ({"name": "quiz.generated"}, "malformed"),
    ({"event": b"{}"}, "malformed"),
    ({"name": "quiz.generated", "event": b"\x00\xff"}, "malformed"),
    ({"name": "quiz.generated", "event": b"[" * 60_000}, "malformed"),
    ({"name": "quiz.generated", "event": b" " * 100_000}, "too_large"),
    ({"name": "quiz.generated", "event":
      b'{"id":"1","name":"quiz.generated","version":7,"data":{},"timestamp":"2026-01-01T00:00:00Z"}'},
     "unknown_version"),
    ({"name": "quiz.generated", "event":
      b'{"id":"1","name":"quiz.generated","version":1,"data":{"quiz_id":[]},"timestamp":"2026-01-01T00:00:00Z"}'},
     "invalid"),
    ({"name": "document.failed", "event":
      b'{"id":"1","name":"quiz.generated","version":1,"data":{"quiz_id":"q","user_id":"u"},'
      b'"timestamp":"2026-01-01T00:00:00Z"}'}, "malformed"),
    ({"name": "of.tomorrow", "event":
      b'{"id":"1","name":"of.tomorrow","version":1,"data":{},"timestamp":"2026-01-01T00:00:00Z"}'}, "unknown_type"),
]  # fmt: skip


async def test_poison_goes_to_the_dead_letters_and_never_to_a_handler(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str, letters: ConsumerGroup
) -> None:
    heard: list[str] = []
    for fields, _ in POISON:
        store.xadd(STREAM, fields)
    publisher.publish_indexing_started("u", "d")
    async with (consumer := consume(lambda event: heard.append(event.event_type.value))):
        await until(lambda: heard and consumer.statistics.dead == len(POISON))
    assert heard == ["indexing.started"]
    assert [letter.reason for letter in letters.dead_letters()] == [reason for _, reason in POISON]
    assert consumer.statistics.unreadable == Counter(reason for _, reason in POISON)
    assert pending(store, group) == 0


async def test_other_types_are_acknowledged_unread(store: "redis.Redis", server: Server, group: str) -> None:
    heard: list[BroadcastEvent] = []
    consumer = EventConsumer(server.url, group=group, start="oldest")
    consumer.subscribe_to_quiz_events(heard.append)
    flood(store, 100)
    store.xadd(OUTSIDE, {"name": "document.failed", "event": b"poison"})
    async with consumer:
        await until(lambda: unread(store, group) == 0 and pending(store, group) == 0)
    assert heard == []
    assert store.exists(dead_letters_of(group)) == 0


async def test_dead_letters_are_replayed_to_their_group_only(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, letters: ConsumerGroup
) -> None:
    broken = True
    heard: list[BroadcastEvent] = []
    others: list[str] = []

    def handler(event: BroadcastEvent) -> None:
        if broken:
            raise RuntimeError("the database is away")
        heard.append(event)

    async with (
        (consumer := consume(handler, attempts=1)),
        consume(lambda event: others.append(event.event_id), group="others"),
    ):
        ids = [publisher.publish_indexing_started("u", f"d{number}") for number in range(5)]
        await until(lambda: consumer.statistics.dead == 5 and len(others) == 5)
        broken = False
        first, second, *_ = letters.dead_letters()
        letters.replay_dead_letter(first.id)
        letters.discard_dead_letter(second.id)
        await until(lambda: len(heard) == 1)
        assert letters.replay_dead_letters() == 3
        await until(lambda: len(heard) == 4)
    assert [event.event_id for event in heard] == [ids[0], *ids[2:]]
    assert {event.source for event in heard} == {"outside"}
    assert letters.dead_letters() == []
    assert store.xlen(again_of(letters.group)) == 0
    assert others == ids
    for call in (letters.replay_dead_letter, letters.discard_dead_letter):
        with pytest.raises(UnknownDeadEvent):
            call(first.id)


async def test_dead_letters_are_listed_page_by_page(
    publisher: EventPublisher, consume: Consume, letters: ConsumerGroup
) -> None:
    def handler(event: BroadcastEvent) -> None:
        raise ValueError(event.document_id)

    async with (consumer := consume(handler, attempts=1)):
        for number in range(7):
            publisher.publish_indexing_started("u", f"d{number}")
        await until(lambda: consumer.statistics.dead == 7)
    pages: list[list[DeadEvent]] = [letters.dead_letters(limit=3)]
    while pages[-1]:
        pages.append(letters.dead_letters(limit=3, after=pages[-1][-1].id))
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [letter.error for page in pages for letter in page] == [f"ValueError: d{number}" for number in range(7)]


async def test_everything_since_a_time_or_a_position_is_read_again(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, letters: ConsumerGroup
) -> None:
    heard: list[BroadcastEvent] = []
    async with consume(heard.append):
        for number in range(3):
            publisher.publish_indexing_started("u", f"d{number}")
        await until(lambda: len(heard) == 3)
        seconds, microseconds = store.time()
        middle = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
        await until(lambda: store.time() > (seconds, microseconds + 2000))
        for number in range(3, 6):
            publisher.publish_indexing_started("u", f"d{number}")
        await until(lambda: len(heard) == 6)
        letters.replay(since=middle)
        await until(lambda: len(heard) == 9)
        position = heard[0].position
        assert position is not None
        letters.replay(since=position)
        await until(lambda: len(heard) == 14)
    documents = [event.document_id for event in heard]
    assert documents == ["d0", "d1", "d2", "d3", "d4", "d5", "d3", "d4", "d5", "d1", "d2", "d3", "d4", "d5"]
    assert len({event.event_id for event in heard}) == 6


@pytest.mark.parametrize("since", ["yesterday", "1-2-3", "-1", "", datetime(2026, 1, 1), f"{2**64}-0"])
def test_a_position_that_is_none_is_refused(letters: ConsumerGroup, since: Any) -> None:
    with pytest.raises(BadPosition):
        letters.replay(since)
    with pytest.raises(BadPosition):
        EventConsumer("redis://127.0.0.1:1", group="g", start=since)


async def test_a_new_group_may_begin_at_a_time(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume
) -> None:
    heard: list[str] = []
    publisher.publish_indexing_started("u", "long ago")
    before = store.time()
    await until(lambda: store.time() > (before[0], before[1] + 2000))
    seconds, microseconds = store.time()
    publisher.publish_indexing_started("u", "since then")
    start = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    async with consume(lambda event: heard.append(event.document_id), start=start):
        await until(lambda: heard)
    assert heard == ["since then"]


@contextmanager
def process(server: Server, group: str, file: Path, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.broadcast.program", server.url, group, str(file), *more]
    running = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stdin is not None
        running.stdin.close()


def lines(file: Path, word: str) -> list[str]:
    return [line.split()[1] for line in file.read_text().splitlines() if line.startswith(word)] if file.exists() else []


async def test_what_a_killed_consumer_had_in_hand_is_handled_by_another(
    store: "redis.Redis", server: Server, group: str, consume: Consume, tmp_path: Path
) -> None:
    file, heard = tmp_path / "log", list[BroadcastEvent]()
    flood(store, 40)
    with process(server, group, file, "1", "", "0.05") as running:
        await until(lambda: len(lines(file, "begin")) > 5)
        running.kill()
        running.wait()
    ended = lines(file, "end")
    async with (consumer := consume(heard.append, patience=1.0)):
        await until(lambda: len(heard) + len(ended) >= 40)
        await until(lambda: pending(store, group) == 0)
    assert {*ended, *(event.document_id for event in heard)} == {f"d{number}" for number in range(40)}
    assert len(ended) + len(heard) <= 41  # the one whose handler ended and that was not acknowledged
    assert consumer.statistics.taken_over > 0
    begun = set(lines(file, "begin"))
    assert {event.attempt for event in heard if event.document_id in begun} <= {2}


async def test_an_event_that_kills_its_consumers_ends_among_the_dead_letters_and_takes_no_others_along(
    store: "redis.Redis", server: Server, group: str, letters: ConsumerGroup, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    flood(store, 30)
    starts = 0
    while not letters.dead_letters() or len(set(lines(file, "end"))) < 29:
        starts += 1
        assert starts < 8
        with process(server, group, file, "0.5", "d7") as running:
            await until(
                lambda running=running: (
                    running.poll() is not None or (letters.dead_letters() and len(set(lines(file, "end"))) == 29)
                ),
                30,
            )
    [letter] = letters.dead_letters()
    assert (orjson.loads(letter.event)["id"], letter.reason) == ("e7", "lost")
    assert lines(file, "begin").count("d7") == 3 == letter.attempts - 1
    assert set(lines(file, "end")) == {f"d{number}" for number in range(30) if number != 7}


async def test_a_long_handler_keeps_its_event(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str
) -> None:
    begun: list[str] = []

    def slow(event: BroadcastEvent) -> None:  # a function: it must not hold up the beat
        begun.append(event.event_id)
        until_ = store.time()[0] + 2
        while store.time()[0] < until_:
            pass

    async with consume(slow, patience=0.5), consume(slow, patience=0.5):
        publisher.publish_indexing_started("u", "d")
        await until(lambda: begun)
        await until(lambda: pending(store, group) == 0)
    assert len(begun) == 1


async def test_a_consumer_that_stops_hands_back_what_it_had_not_begun(
    store: "redis.Redis", consume: Consume, group: str
) -> None:
    begun, may_end, heard = asyncio.Event(), asyncio.Event(), list[str]()

    async def slow(event: BroadcastEvent) -> None:
        begun.set()
        await may_end.wait()

    flood(store, 10)
    async with (consumer := consume(slow, patience=600.0)):
        async with asyncio.timeout(10):
            await begun.wait()
        consumer.stop()
        may_end.set()
    assert pending(store, group) == 9
    async with consume(lambda event: heard.append(event.document_id), patience=600.0):
        await until(lambda: len(heard) == 9)  # at once, not after ten minutes
    assert heard == [f"d{number}" for number in range(1, 10)]


async def test_it_goes_on_where_it_was_when_redis_is_back(
    server: Server, publisher: EventPublisher, store: "redis.Redis", consume: Consume, group: str
) -> None:
    heard: list[str] = []
    failing = True

    def handler(event: BroadcastEvent) -> None:
        if failing and event.document_id == "failing":
            raise ValueError("not yet")
        heard.append(event.document_id)

    async with consume(handler, attempts=50, backoff=0.5):
        publisher.publish_indexing_started("u", "failing")
        publisher.publish_indexing_started("u", "before")
        await until(lambda: heard == ["before"])
        for number in range(3):
            server.kill()
            server.start()
            failing = number < 2
            publisher.publish_indexing_started("u", f"after {number}")
        await until(lambda: len(heard) == 5, 30)
        await until(lambda: pending(store, group) == 0)
    assert Counter(heard) == Counter(["before", "failing", "after 0", "after 1", "after 2"])


async def test_an_emptied_redis_gets_its_group_back_and_nothing_is_left_out(
    publisher: EventPublisher, store: "redis.Redis", consume: Consume
) -> None:
    heard: list[str] = []
    async with consume(lambda event: heard.append(event.document_id), start="new"):
        publisher.publish_indexing_started("u", "before")
        await until(lambda: heard == ["before"])
        store.flushdb()
        publisher.publish_indexing_started("u", "after")
        await until(lambda: "after" in heard)
    assert heard == ["before", "after"]


async def test_a_redis_that_stands_still_costs_time_and_no_event(
    server: Server, store: "redis.Redis", consume: Consume, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "TIMEOUT", 1.0)
    heard: list[str] = []

    async def handler(event: BroadcastEvent) -> None:
        heard.append(event.event_id)
        await asyncio.sleep(0.002)

    flood(store, 400)
    async with consume(handler):
        await until(lambda: len(heard) > 20)
        with server.frozen():
            await asyncio.sleep(2)  # the fault: twice as long as it may take
        await until(lambda: len(set(heard)) == 400, 30)
        await until(lambda: pending(store, group) == 0)
    assert len(heard) <= 401  # what was acknowledged while nobody answered may come again


async def test_a_consumer_that_was_frozen_leaves_what_others_took_over(
    store: "redis.Redis", server: Server, group: str, consume: Consume, tmp_path: Path
) -> None:
    file, heard = tmp_path / "log", list[str]()
    flood(store, 20)
    with process(server, group, file, "1", "", "0.2") as running:
        await until(lambda: len(lines(file, "begin")) > 2)
        running.send_signal(signal.SIGSTOP)
        try:
            async with consume(lambda event: heard.append(event.document_id), patience=1.0):
                await until(lambda: len(heard) + len(lines(file, "end")) >= 20)
                running.send_signal(signal.SIGCONT)
                await until(lambda: pending(store, group) == 0)
        finally:
            running.send_signal(signal.SIGCONT)
    both = Counter(heard + lines(file, "end"))
    assert set(both) == {f"d{number}" for number in range(20)}
    assert sum(both.values()) <= 22  # the one that it was at, and one that it began before it saw that


async def test_a_stream_that_was_cut_beyond_the_cursor_says_how_much_is_gone(
    store: "redis.Redis", consume: Consume
) -> None:
    heard: list[str] = []
    flood(store, 10)
    async with consume(lambda event: heard.append(event.document_id)):
        await until(lambda: len(heard) == 10)
    flood(store, 500, begin=10)
    store.xtrim(OUTSIDE, maxlen=100, approximate=False)
    gaps: list[Gap] = []
    consumer = consume(lambda event: heard.append(event.document_id))
    consumer.on_gap(gaps.append)
    async with consumer:
        await until(lambda: len(heard) == 110)
    [gap] = gaps
    assert (gap.stream, gap.lost, consumer.statistics.missed) == (OUTSIDE, 400, 400)
    assert heard[10:] == [f"d{number}" for number in range(410, 510)]


async def test_nothing_is_said_of_what_was_cut_and_had_been_read(store: "redis.Redis", consume: Consume) -> None:
    heard: list[str] = []
    flood(store, 500)
    async with (consumer := consume(lambda event: heard.append(event.document_id), patience=0.1)):
        gaps: list[Gap] = []
        consumer.on_gap(gaps.append)
        await until(lambda: len(heard) == 500)
        store.xtrim(OUTSIDE, maxlen=0, approximate=False)
        flood(store, 20, begin=500)
        await until(lambda: len(heard) == 520)
    assert gaps == []
    assert consumer.statistics.missed == 0


async def test_a_replay_from_before_what_is_kept_says_so(
    store: "redis.Redis", consume: Consume, letters: ConsumerGroup
) -> None:
    heard: list[str] = []
    flood(store, 50)
    gaps: list[Gap] = []
    consumer = consume(lambda event: heard.append(event.document_id), patience=0.1)
    consumer.on_gap(gaps.append)
    async with consumer:
        await until(lambda: len(heard) == 50)
        store.xtrim(OUTSIDE, maxlen=10, approximate=False)
        letters.replay(since="0-1")
        await until(lambda: len(heard) == 60)
    assert [(gap.stream, gap.lost) for gap in gaps if gap.stream == OUTSIDE] in ([], [(OUTSIDE, None)])
