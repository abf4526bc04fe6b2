"""Server-sent events: what is logged reaches who may see it, once, in order, whatever happens meanwhile."""

import asyncio
from collections.abc import Callable
from types import TracebackType

import orjson
import pytest
from sqlalchemy.exc import InterfaceError
from starlette.applications import Starlette
from starlette.types import Message

from service.database import transaction
from service.live import hub as hubs
from service.live import listener as listeners
from service.live import stream as streams
from service.live.bell import ring
from service.live.hub import Hub
from service.live.routes import routes
from service.security.middleware import middleware
from service.security.tokens import revoke_token
from service.settings import settings
from tests.live.conftest import NewPerson, log_events

pytestmark = pytest.mark.integration


class Stream:
    """A browser at `/events/stream`, without a socket in between; `stuck` makes it stop reading."""

    def __init__(self, app: Starlette, secret: str | None, query: str, headers: dict[str, str]) -> None:
        self.status = 0
        self.text = ""
        self.stuck = False
        self._gone = asyncio.Event()
        self._news = asyncio.Condition()
        given = dict(headers)
        if secret is not None:
            given["authorization"] = f"Bearer {secret}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/events/stream",
            "raw_path": b"/events/stream",
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("pharos.test", 80),
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        async with self._news:
            await self._news.wait_for(lambda: not self.stuck)
            self.status = message.get("status", self.status)
            self.text += message.get("body", b"").decode()
            self._news.notify_all()

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)

    async def read_again(self) -> None:
        async with self._news:
            self.stuck = False
            self._news.notify_all()

    async def leave(self) -> None:
        self._gone.set()
        await self.task

    @property
    def frames(self) -> list[dict[str, str]]:
        blocks = [block for block in self.text.split("\n\n")[:-1] if not block.startswith(":")]
        return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]

    @property
    def ids(self) -> list[int]:
        return [int(frame["id"]) for frame in self.frames]

    async def __aenter__(self) -> "Stream":
        await self.until(lambda: bool(self.text) or self.task.done())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        self.stuck = False
        await self.leave()


Open = Callable[..., Stream]


@pytest.fixture
def connect(hub: Hub) -> Open:
    app = Starlette(routes=routes, middleware=middleware)

    def connect(secret: str | None = None, query: str = "", **headers: str) -> Stream:
        return Stream(app, secret, query, {name.replace("_", "-"): value for name, value in headers.items()})

    return connect


async def test_an_event_arrives_as_the_history_shows_it(connect: Open, person: NewPerson) -> None:
    await log_events()  # before anybody listened
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        [position] = await log_events(title="Pharos")
        await stream.until(lambda: len(stream.frames) == 1)
        [frame] = stream.frames
    assert (stream.status, frame["id"], frame["event"]) == (200, str(position), "resource.updated")
    data = orjson.loads(frame["data"])
    assert data["data"] == {"number": 0, "title": "Pharos"}
    assert set(data) == {"id", "name", "version", "data", "timestamp", "priority", "correlation_id", "cause"}


async def test_a_ring_is_enough_without_the_clock(
    connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        monkeypatch.setattr(hubs, "POLL", 60.0)
        await ring()  # the wait that is under way still follows the old clock
        [first] = await log_events()
        async with asyncio.timeout(10):
            while stream.ids != [first]:
                await ring()  # the hub may still be subscribing
                await asyncio.sleep(0.02)
        assert stream.ids == [first]


async def test_without_redis_the_clock_is_enough(
    connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHAROS_BROKER_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        positions = await log_events(2)
        await ring()
        await ring()
        await stream.until(lambda: len(stream.frames) == 2)
        assert stream.ids == positions


@pytest.mark.parametrize("kept", [7, 2000])
@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_stream_resumes_where_it_was(
    connect: Open, person: NewPerson, way: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "KEPT", kept)
    ada = await person("ada")
    positions = await log_events(hubs.BATCH + 20)
    seen = str(positions[4])
    resumed = (
        connect(ada.secret, last_event_id=seen) if way == "header" else connect(ada.secret, f"last_event_id={seen}")
    )
    async with resumed as stream:
        positions += await log_events(3)
        await stream.until(lambda: len(stream.frames) >= len(positions) - 5)
        assert stream.ids == positions[5:]


async def test_nothing_falls_between_replay_and_live(connect: Open, person: NewPerson) -> None:
    ada = await person("ada")
    [before] = await log_events()
    positions: list[int] = []

    streams: list[Stream] = []
    written = asyncio.Semaphore(0)

    async def write() -> None:
        while len(streams) < 5:
            positions.extend(await log_events(5))
            await ring()
            written.release()

    writing = asyncio.create_task(write())
    while len(streams) < 5:
        for _ in range(4):
            await written.acquire()
        streams.append(connect(ada.secret, last_event_id=str(before)))
    await writing
    for stream in streams:
        await stream.until(lambda stream=stream: len(stream.frames) >= len(positions))
        assert stream.ids == positions
        await stream.leave()


async def test_private_events_reach_their_owner_only(connect: Open, person: NewPerson) -> None:
    ada, ben = await person("ada"), await person("ben")
    [start] = await log_events()
    earlier = await log_events(2, audience=ada.account.id)
    async with (
        connect(ada.secret, last_event_id=str(start)) as hers,
        connect(ben.secret, last_event_id=str(start)) as his,
    ):
        private = await log_events(2, audience=ada.account.id)
        shared = await log_events()
        await hers.until(lambda: len(hers.frames) == 5)
        await his.until(lambda: len(his.frames) == 1)
        assert hers.ids == earlier + private + shared
        assert his.ids == shared


async def test_a_slow_reader_is_dropped_and_loses_nothing(
    connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "BEHIND", 10)
    monkeypatch.setattr(hubs, "BATCH", 7)
    ada, ben = await person("ada"), await person("ben")
    async with connect(ada.secret) as slow, connect(ben.secret) as fast:
        slow.stuck = True
        positions: list[int] = []
        for _ in range(10):
            positions.extend(await log_events(5))
            await ring()
            await fast.until(lambda: len(fast.frames) == len(positions))
        await slow.read_again()
        async with asyncio.timeout(5):
            await slow.task
        seen = slow.ids
        assert 0 < len(seen) < 50
        async with connect(ada.secret, last_event_id=str(seen[-1])) as again:
            await again.until(lambda: len(again.frames) == 50 - len(seen))
            assert seen + again.ids == positions


async def test_a_revoked_token_ends_its_stream(connect: Open, person: NewPerson, hub: Hub) -> None:
    ada = await person("ada")
    async with connect(ada.secret) as stream, connect(ada.secret) as other:
        async with transaction() as session:
            await revoke_token(session, ada.account, ada.token_id)
        async with asyncio.timeout(5):
            await asyncio.gather(stream.task, other.task)
        await log_events()
        assert stream.frames == other.frames == []
        assert not hub.listeners


async def test_a_silent_stream_sends_comments(
    connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT", 0.05)
    monkeypatch.setattr(hubs, "RECHECK", 0.05)
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        await stream.until(lambda: stream.text.count(": still here\n\n") >= 2)
        assert stream.frames == []


async def test_who_leaves_is_forgotten(connect: Open, person: NewPerson, hub: Hub) -> None:
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        assert len(hub.listeners) == 1
        await stream.leave()
        assert not hub.listeners


async def test_hanging_up_ends_every_stream(connect: Open, person: NewPerson, hub: Hub) -> None:
    ada = await person("ada")
    async with connect(ada.secret) as stream:
        hub.hang_up()
        async with asyncio.timeout(5):
            await stream.task
        assert not hub.listeners


async def test_the_hub_survives_the_database(connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, failures = hubs.reading, 0

    def broken() -> object:
        nonlocal failures
        failures += 1
        raise InterfaceError("SELECT", {}, Exception("the connection is closed"))

    ada = await person("ada")
    async with connect(ada.secret) as stream:
        monkeypatch.setattr(hubs, "reading", broken)
        async with asyncio.timeout(5):
            while failures < 3:
                await asyncio.sleep(0.02)
        monkeypatch.setattr(hubs, "reading", reading)
        [position] = await log_events()
        await stream.until(lambda: stream.ids == [position])
        assert stream.ids == [position]


async def test_too_many_streams_are_refused(connect: Open, person: NewPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "STREAMS", 1)
    ada = await person("ada")
    async with connect(ada.secret), connect(ada.secret) as second:
        assert second.status == 503


@pytest.mark.parametrize(
    ("secret", "last_event_id", "status"), [("", "1", 401), ("token", "newest", 422), ("token", "-1", 422)]
)
async def test_refusals(connect: Open, person: NewPerson, secret: str, last_event_id: str, status: int) -> None:
    ada = await person("ada")
    async with connect(ada.secret if secret else None, last_event_id=last_event_id) as stream:
        assert stream.status == status


async def test_a_position_from_the_future_means_from_now(connect: Open, person: NewPerson) -> None:
    ada = await person("ada")
    async with connect(ada.secret, last_event_id="9" * 30) as stream:
        [position] = await log_events()
        await stream.until(lambda: bool(stream.frames))
        assert stream.ids == [position]
