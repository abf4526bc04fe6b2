"""What leaves a process: the wire format, repetition, outages, and messages of a stock producer."""

import asyncio
import socket
import time
from typing import Any

import dramatiq
import pytest
import redis.asyncio
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import QueueJoinTimeout
from dramatiq.middleware import AsyncIO

from service.queue import BrokerAway, Task, actor, send, sender
from service.queue.broker import PharosBroker
from service.queue.link import client
from service.queue.send import LARGEST, MessageTooLarge, NotJson
from service.settings import Settings, settings
from tests.queue.conftest import NORMAL, Work, dispatch, until

NOTE = Task("note", NORMAL)


async def test_a_message_is_what_dramatiq_decodes(broker: PharosBroker, store: redis.asyncio.Redis) -> None:
    sent = dispatch(NOTE, text="ä", correlation_id="abc")
    before = time.time() * 1000
    await send([sent])
    assert await store.lrange("dramatiq:default", 0, -1) == [str(sent.message_id)]
    message = Message.decode((await store.hget("dramatiq:default.msgs", str(sent.message_id))).encode())
    assert message.asdict() | {"message_timestamp": None} == {
        "queue_name": "default",
        "actor_name": "note",
        "args": (),
        "kwargs": {"text": "ä"},
        "options": {
            "redis_message_id": str(sent.message_id),
            "event_id": str(sent.event_id),
            "correlation_id": "abc",
        },
        "message_id": str(sent.message_id),
        "message_timestamp": None,
    }
    assert before - 1 <= message.message_timestamp <= time.time() * 1000


async def test_sending_again_changes_nothing_even_after_the_end(working: Work, store: redis.asyncio.Redis) -> None:
    runs: list[str] = []

    @actor(NOTE)
    async def note(text: str) -> None:
        runs.append(text)

    first = dispatch(NOTE, text="once")
    await send([first, first])
    await send([first])
    assert await store.llen("dramatiq:default") == 1
    async with working() as engine:
        await until(lambda: engine.processed == 1)
        await send([first, dispatch(NOTE, text="other")])
        await until(lambda: engine.processed == 2)
    assert runs == ["once", "other"]
    assert await store.exists("dramatiq:default.msgs") == 0


async def test_many_senders_share_a_hop(broker: PharosBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    hops: list[int] = []
    link = client()
    await link.call(("PING",))
    call = link.call

    async def counted(*commands: Any) -> list[Any]:
        hops.append(len(commands))
        return await call(*commands)

    monkeypatch.setattr(link, "call", counted)
    await asyncio.gather(*(send([dispatch(NOTE, text=str(n))]) for n in range(50)))
    assert sum(hops) <= 3  # two, and one that loads the script


async def test_an_outage_is_told_within_a_second_and_the_next_call_works(
    broker: PharosBroker, pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {
            f"redis://127.0.0.1:{silent.getsockname()[1]}/0": "no answer within 1 s",
            "redis://127.0.0.1:1/0": "Errno 111",
        }
        for url, reason in addresses.items():
            monkeypatch.setenv("PHAROS_BROKER_URL", url)
            settings.cache_clear()
            began = time.monotonic()
            with pytest.raises(BrokerAway, match=reason):
                await send([dispatch(NOTE, text="lost")])
            assert time.monotonic() - began < 1.5
    assert pharos.broker_url is not None
    monkeypatch.setenv("PHAROS_BROKER_URL", pharos.broker_url)
    settings.cache_clear()
    await send([dispatch(NOTE, text="found")])


async def test_a_stock_producer_is_served(working: Work, pharos: Settings) -> None:
    runs: list[tuple[Any, ...]] = []

    @actor(NOTE)
    async def note(*texts: str) -> None:
        runs.append((*texts, time.time()))

    stock = RedisBroker(url=pharos.broker_url, middleware=[AsyncIO()])

    @dramatiq.actor(broker=stock, actor_name="note")
    async def produced(*texts: str) -> None: ...

    def produce() -> float:
        produced.send("now", "really")
        produced.send_with_options(args=("later",), delay=1200)
        return time.time()

    async with working() as engine:
        at = await asyncio.to_thread(produce)
        await until(lambda: engine.processed == 2)
    stock.client.close()
    assert [run[:-1] for run in runs] == [("now", "really"), ("later",)]
    assert runs[0][-1] - at < 1
    assert 1.1 < runs[1][-1] - at < 3


async def test_an_actor_can_be_sent_from_a_thread_and_from_a_task(working: Work) -> None:
    runs: list[str] = []

    @actor(NOTE)
    async def note(text: str) -> None:
        runs.append(text)
        if text == "from a thread":
            note.send(text="from a task")

    await asyncio.to_thread(note.send, text="from a thread")
    async with working() as engine:
        await until(lambda: engine.processed == 2)
    assert runs == ["from a thread", "from a task"]


async def test_what_a_caller_leaves_out_is_refused_at_once(broker: PharosBroker) -> None:
    keyed = Task("keyed", NORMAL, key="resource_id")
    with pytest.raises(Exception, match="one per resource_id"):
        await send([dispatch(keyed, other=1)])


async def test_what_is_not_json_is_refused_with_its_name(broker: PharosBroker, store: redis.asyncio.Redis) -> None:
    note = sender(NOTE)
    refused = r"note was given something that has no JSON form, argument 'text': Type is not JSON serializable: object"
    with pytest.raises(NotJson, match=refused):
        await send([dispatch(NOTE, number=1, text=object())])
    with pytest.raises(NotJson, match=refused):
        note.send(number=1, text=object())
    with pytest.raises(NotJson, match="argument 2: str is not valid UTF-8"):
        note.send("fine", "\ud800")
    with pytest.raises(NotJson, match="its options: Type is not JSON serializable: set"):
        note.send_with_options(kwargs={"text": "fine"}, marks={1})
    assert await store.keys() == []


async def test_what_is_too_large_is_refused_with_its_size(broker: PharosBroker, store: redis.asyncio.Redis) -> None:
    note, text = sender(NOTE), "x" * 5_000_000
    refused = r"note was given 50\d{5} bytes of arguments and options, 1048576 at most"
    with pytest.raises(MessageTooLarge, match=refused) as caught:
        await send([dispatch(NOTE, text="fine"), dispatch(NOTE, text=text)])
    assert caught.value.status == 413
    with pytest.raises(MessageTooLarge, match=refused):
        note.send(text)
    assert await store.keys() == []
    await send([dispatch(NOTE, text=text[: LARGEST - 1000])])
    assert await store.llen("dramatiq:default") == 1


async def test_a_queue_can_be_joined_and_flushed(broker: PharosBroker, working: Work) -> None:
    keyed, runs = Task("keyed", NORMAL, key="text"), 0

    @actor(keyed)
    async def note(text: str) -> None:
        nonlocal runs
        runs += 1

    await send([dispatch(keyed, text="dropped", after=60), dispatch(keyed, text="also")])
    with pytest.raises(QueueJoinTimeout):
        await asyncio.to_thread(broker.join, "default", timeout=100, interval=20)
    await asyncio.to_thread(broker.flush_all)
    await asyncio.to_thread(broker.join, "default", timeout=1000, interval=20)
    async with working():
        await send([dispatch(keyed, text="dropped")])  # it must not merge into what is gone
        await asyncio.to_thread(broker.join, "default", timeout=5000, interval=20)
    assert runs == 1
