"""Redis users for programs beside Pharos: each may do its part, and nothing else."""

import pytest
import redis
from redis.exceptions import NoPermissionError

from service.broadcast import BroadcastEvent, ConsumerGroup, EventConsumer, EventPublisher
from service.broadcast.names import OUTSIDE, STREAM, again_of, dead_letters_of
from tests.broadcast.conftest import Server
from tests.queue.conftest import until

pytestmark = pytest.mark.integration


async def test_each_user_can_do_its_part(server: Server, store: "redis.Redis", group: str) -> None:
    consumer_url = server.valkey.program_url("consumer")
    heard: dict[str, list[str]] = {"listener": [], "consumer": []}
    broken = True

    def durable(event: BroadcastEvent) -> None:
        if broken:
            raise ValueError
        heard["consumer"].append(event.document_id)

    listening = EventConsumer(server.valkey.program_url("listener"))
    listening.subscribe_to_all_events(lambda event: heard["listener"].append(event.document_id))
    consuming = EventConsumer(consumer_url, group=group, attempts=1, patience=0.2)
    consuming.subscribe_to_all_events(durable)
    async with listening, consuming:
        with (
            EventPublisher(server.valkey.program_url("publisher")) as publisher,
            ConsumerGroup(group, consumer_url) as letters,
        ):
            publisher.publish_indexing_started("u", "d0")
            await until(lambda: consuming.statistics.dead == 1)
            broken = False
            assert letters.replay_dead_letters() == 1
            await until(lambda: heard["consumer"] == ["d0"])
            letters.replay(since="0-1")
            await until(lambda: heard["consumer"] == ["d0", "d0"])
            publisher.publish_indexing_started("u", "d1")
            await until(lambda: heard == {"listener": ["d0", "d1"], "consumer": ["d0", "d0", "d1"]})


INNER = [
    ("GET", "secret"), ("SET", "secret", "y"), ("KEYS", "*"), ("SCAN", "0"), ("EVAL", "return 1", "0"),
    ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("SELECT", "1"), ("FLUSHALL",), ("MONITOR",), ("PSUBSCRIBE", "*"),
    ("PUBLISH", "dramatiq:bell:events", ""), ("LPUSH", "dramatiq:default", "x"), ("XRANGE", STREAM, "-", "+"),
    ("XADD", STREAM, "*", "name", "resource.created", "event", "{}"), ("XTRIM", STREAM, "MAXLEN", "0"),
    ("DEL", STREAM), ("SET", "pharos_events:position", "0"),
]  # fmt: skip
OTHERS = {
    "consumer": [
        ("PUBLISH", "pharos_events:resource.created", "{}"), ("XADD", OUTSIDE, "*", "name", "x"), ("DEL", OUTSIDE),
        ("XGROUP", "DESTROY", STREAM, "g"), ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "secret", ">"),
        ("XADD", "secret", "*", "a", "b"),
    ],
    "publisher": [
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", OUTSIDE, ">"), ("XRANGE", OUTSIDE, "-", "+"), ("DEL", OUTSIDE),
        ("XADD", dead_letters_of("g"), "*", "a", "b"), ("XADD", again_of("g"), "*", "a", "b"),
        ("XADD", "secret", "*", "a", "b"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("user", OTHERS)
def test_and_nothing_else(server: Server, store: "redis.Redis", user: str) -> None:
    store.set("secret", "x")
    with redis.Redis.from_url(server.valkey.program_url(user)) as theirs:
        for command in INNER + OTHERS[user]:
            with pytest.raises(NoPermissionError):
                theirs.execute_command(*command)
    assert store.keys() == [b"secret"]
