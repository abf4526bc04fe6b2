"""Dead letters over HTTP: read by operators, sent again and discarded by admins."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import httpx
import pytest
import redis.asyncio
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO
from sqlalchemy import insert, select

from service.database import reading, transaction
from service.errors import Invalid
from service.event_log import EventRow
from service.events import current_origin
from service.queue import Queue, Task, actor, send
from service.queue.broker import PharosBroker
from service.queue.send import LARGEST
from service.queue.tables import DeadLetter
from service.settings import Settings
from service.tasks import INDEX
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until
from tests.sent import Sent

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
GUESTS = Queue("guests", 5)
AGES_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def letter(**fields: Any) -> UUID:
    """Write a dead letter and return its id."""
    given: dict[str, Any] = {
        "task_id": str(uuid4()), "name": INDEX.name, "queue": "urgent", "arguments": {"resource_id": str(uuid4())},
        "exception": "KeyError: 'lamp'", "attempts": 4, "reason": "exhausted", "failed_at": AGES_AGO,
    }  # fmt: skip
    async with transaction() as session:
        row = await session.execute(insert(DeadLetter).values(given | fields).returning(DeadLetter.id))
        return row.scalar_one()


async def waiting(store: redis.asyncio.Redis, queue: str) -> list[dict[str, Any]]:
    """Return the messages of a queue."""
    bodies = await store.hvals(f"dramatiq:{queue}.msgs")
    return [dramatiq.Message.decode(body.encode()).asdict() for body in bodies]


async def found(api: httpx.AsyncClient, **filters: Any) -> list[str]:
    answer = await api.get("/dlq", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_letter_shows_what_is_needed_to_understand_it(
    api: httpx.AsyncClient, working: Work, store: redis.asyncio.Redis
) -> None:
    @actor(Task("broken", NORMAL))
    async def work(*texts: str, number: int) -> None:
        raise Invalid("The lamp is out.")

    work.send("a", "b", number=7)
    async with working() as engine:
        await until(lambda: engine.processed == 1)
    [item] = (await api.get("/dlq")).json()["items"]
    assert (await api.get(f"/dlq/{item['id']}")).json() == item
    assert list(item) == [
        "id", "task_id", "name", "queue", "arguments", "exception", "traceback", "attempts", "reason", "failed_at",
    ]  # fmt: skip
    assert item["arguments"] == {"number": 7, "args": ["a", "b"]}
    assert (item["name"], item["queue"], item["attempts"], item["reason"]) == ("broken", "default", 1, "permanent")
    assert item["exception"] == "Invalid: The lamp is out."
    assert 'raise Invalid("The lamp is out.")' in item["traceback"]


async def test_filters_and_pages(api: httpx.AsyncClient) -> None:
    first = str(await letter(failed_at=AGES_AGO))
    second = str(await letter(name="other", queue="batch", failed_at=AGES_AGO + timedelta(days=1)))
    third = str(await letter(reason="poison", exception="100 % lost_", failed_at=AGES_AGO + timedelta(days=2)))
    fourth = str(await letter(arguments={"word": "Leuchtturm"}, failed_at=AGES_AGO + timedelta(days=3)))
    assert await found(api) == [fourth, third, second, first]
    assert await found(api, limit=2, offset=1) == [third, second]
    assert (await api.get("/dlq", params={"limit": 1})).json()["total"] == 4
    assert await found(api, name="other") == await found(api, queue="batch") == [second]
    assert await found(api, reason="poison") == await found(api, q="% LOST_") == [third]
    assert await found(api, since="2026-01-02T12:00:00Z") == [fourth, third]
    assert await found(api, since="2026-01-02T12:00:00Z", q="leuchtturm", reason="exhausted") == [fourth]
    assert await found(api, q="_%") == []
    for wrong in ({"reason": "bad luck"}, {"since": "yesterday"}, {"limit": 0}, {"nmae": "other"}):
        assert (await api.get("/dlq", params=wrong)).status_code == 422


async def test_who_may(api: httpx.AsyncClient, person: Person) -> None:
    id = await letter()
    editor, operator = await person("ed"), await person("olga", "operator")
    reads = [("GET", "/dlq"), ("GET", f"/dlq/{id}")]
    changes = [("POST", f"/dlq/{id}/retry"), ("POST", "/dlq/retry"), ("POST", "/dlq/discard"), ("DELETE", f"/dlq/{id}")]
    for method, path in [*reads, *changes]:
        assert (await editor.request(method, path)).status_code == 403
        assert (await api.request(method, path, headers={"Authorization": ""})).status_code == 401
        assert (await operator.request(method, path)).status_code == (200 if method == "GET" else 403)


async def test_a_stock_producer_s_task_is_sent_again_until_it_works(
    api: httpx.AsyncClient, working: Work, pharos: Settings
) -> None:
    """It is in no table of ours, and its letter takes its place after each failure."""
    stock = RedisBroker(url=pharos.broker_url, middleware=[AsyncIO()])

    @dramatiq.actor(broker=stock, actor_name="guest", queue_name="guests")
    async def produced(*texts: str) -> None: ...

    runs: list[tuple[str, ...]] = []

    @actor(Task("guest", GUESTS, retries=0))
    async def guest(*texts: str, number: int) -> None:
        runs.append(texts)
        if len(runs) < 3:
            raise OSError(f"time {len(runs)}")

    stock.enqueue(produced.message("a", "b", number=1))
    stock.client.close()
    asked: list[tuple[str, str]] = []
    async with working() as engine:
        for time in (1, 2):
            await until(lambda time=time: engine.processed == time)
            [item] = (await api.get("/dlq")).json()["items"]
            assert (item["name"], item["queue"], item["exception"]) == ("guest", "guests", f"OSError: time {time}")
            answer = await api.post(f"/dlq/{item['id']}/retry")
            assert answer.status_code == 202, answer.text
            assert (await api.get(f"/dlq/{item['id']}")).status_code == 404
            assert (await api.post(f"/dlq/{item['id']}/retry")).status_code == 404
            asked.append((item["task_id"], answer.json()["task_id"]))
        await until(lambda: engine.processed == 3)
    assert runs == [("a", "b")] * 3
    (first, second), (also_second, third) = asked
    assert second == also_second, "the second letter is that of the first retry"
    assert len({first, second, third}) == 3
    assert (await api.get(f"/tasks/{third}")).json()["status"] == "succeeded"
    assert await letters() == []


async def test_what_was_to_follow_follows_and_the_request_is_still_known(api: httpx.AsyncClient, working: Work) -> None:
    ready, runs = False, list[Any]()

    @actor(Task("first", NORMAL))
    async def first(number: int) -> int:
        if not ready:
            raise Invalid("not yet")
        return number + 1

    @actor(Task("then", NORMAL))
    async def then(number: int) -> None:
        runs.append((number, current_origin().correlation_id))

    beginning = first.message_with_options(args=(1,), correlation_id="request 1")
    async with working() as engine:
        dramatiq.pipeline([beginning, then.message_with_options(correlation_id="request 1")]).run()
        await until(lambda: engine.processed == 1)
        ready = True
        [failed] = await letters()
        await api.post(f"/dlq/{failed.id}/retry")
        await until(lambda: engine.processed == 3)
    assert runs == [(2, "request 1")]

    async def logged() -> list[EventRow]:
        async with reading() as session:
            chosen = select(EventRow).where(EventRow.name == "background_task.requeued")
            return list(await session.scalars(chosen))

    [event] = await until(logged)  # its relay settles it when its task has been sent
    assert event.correlation_id == "request 1"
    assert event.audience is not None, "arguments are somebody's, and the log is read by all"


async def test_many_are_sent_again_as_bulk_work(
    api: httpx.AsyncClient, broker: PharosBroker, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.queue.dead_letters.TURN", 3)
    ids = [str(await letter(name="bulky", queue="default", arguments={"n": n})) for n in range(10)]
    others = [str(await letter(name="other", queue="default", arguments={"n": n})) for n in range(10, 14)]
    answer = await api.post("/dlq/retry", json={"ids": ids[:2]})
    assert (answer.status_code, answer.json()) == (202, {"retried": 2, "refused": 0, "examples": []})
    assert (await api.post("/dlq/retry", json={"name": "bulky", "reason": "exhausted"})).json()["retried"] == 8
    assert (await api.post("/dlq/retry", json={"name": "bulky"})).json()["retried"] == 0
    assert {*await found(api)} == {*others}
    assert (await api.post("/dlq/retry", json={"all": True})).json()["retried"] == 4
    await until(lambda: len(sent.asked) == 14)
    assert sorted(asked.arguments["n"] for asked in sent.asked) == list(range(14))
    assert {asked.lane for asked in sent.asked} == {"default:bulk"}
    assert await letters() == []


async def test_what_fails_again_meanwhile_is_left(
    api: httpx.AsyncClient, working: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.queue.dead_letters.TURN", 1)

    @actor(Task("hopeless", NORMAL))
    async def hopeless(n: int) -> None:
        raise Invalid("never")

    old = {await letter(name="hopeless", queue="default", arguments={"n": n}) for n in range(20)}
    async with working() as engine:
        assert (await api.post("/dlq/retry", json={"name": "hopeless"})).json()["retried"] == 20
        await until(lambda: engine.processed == 20)
    found = await letters()
    assert sorted(letter.arguments["n"] for letter in found) == list(range(20))
    assert old.isdisjoint(letter.id for letter in found)


async def test_one_task_per_key_also_when_letters_are_sent_again(
    api: httpx.AsyncClient, broker: PharosBroker, store: redis.asyncio.Redis
) -> None:
    for _ in range(3):
        await letter(arguments={"resource_id": "the same"})
    await letter(name="update_search_index", arguments={"resource_id": ["a", "gathered", "batch"]})
    assert (await api.post("/dlq/retry", json={"all": True})).json()["retried"] == 4
    await until(lambda: store.llen("dramatiq:urgent:bulk"))

    async def both() -> bool:
        asked = [message["kwargs"]["resource_id"] for message in await waiting(store, "urgent")]
        return len(asked) == 2 and "the same" in asked and ["a", "gathered", "batch"] in asked

    await until(both)


async def test_what_cannot_be_sent_again_is_refused_with_words(
    api: httpx.AsyncClient, working: Work, store: redis.asyncio.Redis
) -> None:
    await store.hset("dramatiq:default.msgs", "broken", b"\xff no message")  # pyright: ignore[reportGeneralTypeIssues]
    await store.rpush("dramatiq:default", "broken")  # pyright: ignore[reportGeneralTypeIssues]
    await send([dispatch(Task("stranger", NORMAL), n=1)])
    async with working() as engine:
        await until(lambda: engine.processed == 2)
    large = await letter(arguments={"text": "x" * LARGEST}, name="large")
    ids = {found.name: found.id for found in await letters()}
    refused = {
        "?": (409, "What arrived as broken was no message"),
        "stranger": (409, "No worker knows a task named stranger"),
        "large": (413, "1048576 at most"),
    }
    for name, (status, words) in refused.items():
        answer = await api.post(f"/dlq/{ids[name]}/retry")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert words in answer.json()["detail"]
    answer = (await api.post("/dlq/retry", json={"all": True})).json()
    assert (answer["retried"], answer["refused"]) == (0, 3)
    assert {str(large)} < {example["id"] for example in answer["examples"]}
    assert len(await letters()) == 3

    @actor(Task("stranger", NORMAL))
    async def stranger(n: int) -> None: ...

    async with working() as engine:  # now there is one

        async def accepted() -> bool:
            return (await api.post(f"/dlq/{ids['stranger']}/retry")).status_code == 202

        await until(accepted)
        await until(lambda: engine.processed == 1)
    assert {letter.name for letter in await letters()} == {"?", "large"}


async def test_discarding(api: httpx.AsyncClient, broker: PharosBroker, store: redis.asyncio.Redis) -> None:
    ids = [await letter(name=name) for name in ("a", "a", "b", "c")]
    assert (await api.delete(f"/dlq/{ids[0]}")).status_code == 204
    assert (await api.delete(f"/dlq/{ids[0]}")).status_code == 404
    assert (await api.delete("/dlq/seven")).status_code == 404
    assert (await api.post("/dlq/discard", json={"name": "a"})).json() == {"discarded": 1}
    assert {letter.name for letter in await letters()} == {"b", "c"}
    assert (await api.post("/dlq/discard", json={"all": True})).json() == {"discarded": 2}
    assert await store.keys("dramatiq:*.msgs") == []


@pytest.mark.parametrize("path", ["/dlq/retry", "/dlq/discard"])
@pytest.mark.parametrize("chosen", [{}, {"all": False}, {"name": None}, {"ids": []}, {"reason": "x"}, {"nmae": "a"}])
async def test_whoever_means_all_must_say_so(api: httpx.AsyncClient, path: str, chosen: dict[str, Any]) -> None:
    id = await letter()
    assert (await api.post(path, json=chosen)).status_code == 422
    assert [letter.id for letter in await letters()] == [id]
