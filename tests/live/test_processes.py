"""Web processes of their own: one that is killed while two hundred sockets are open, and two at once."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import or_, select, text
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from service import queue
from service.database import reading
from service.embedded import free_port, tied
from service.event_log import EventRow
from service.live.bell import ring
from service.settings import Settings, settings
from tests.live.conftest import NewPerson, Person, log_events
from tests.queue.conftest import until
from workers.supervisor.programs import programs

pytestmark = pytest.mark.timeout(300)

SOCKETS = 200
EVENTS = 300  # at least, before, between and after
ROOT = Path(__file__).parents[2]


@contextmanager
def web(log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process as the supervisor does."""
    [program] = [one for one in programs(settings().model_copy(update={"port": port})) if one.name == "web"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            tied(program.command, signal.SIGTERM),
            cwd=ROOT,
            env=os.environ | {"PHAROS_PORT": str(port), "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Client:
    """Somebody at a browser: comes back whenever it is hung up on, and resumes where it was."""

    def __init__(self, address: str, person: Person, after: int) -> None:
        self.address, self.person, self.after = address, person, after
        self.seen: list[int] = []
        self.connections = 0

    async def run(self) -> None:
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                async with connect(self.address, compression=None, open_timeout=20) as socket:
                    self.connections += 1
                    last = self.seen[-1] if self.seen else self.after
                    await socket.send(orjson.dumps({"token": self.person.secret, "resume": last}).decode())
                    async for text in socket:
                        message = orjson.loads(text)
                        if message["type"] != "ready":
                            self.seen.append(message["id"])
            await asyncio.sleep(0.1)


@asynccontextmanager
async def listening(clients: Iterable[Client]) -> AsyncGenerator[None]:
    """Have all of them at their browsers."""
    tasks = [asyncio.create_task(client.run()) for client in clients]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def healthy(port: int) -> bool:
    async with httpx.AsyncClient() as client:
        with suppress(httpx.TransportError):
            return (await client.get(f"http://127.0.0.1:{port}/health")).is_success
    return False


@pytest.fixture
async def connected(pharos: Settings) -> AsyncIterator[None]:
    async with queue.connected():
        yield


async def test_events_reach_the_sockets_of_every_web_process(
    connected: None, person: NewPerson, tmp_path: Path
) -> None:
    people = [await person("ada"), await person("ben")]
    [start] = await log_events()
    ports = [free_port(), free_port()]
    clients = [Client(f"ws://127.0.0.1:{port}/ws", one, start) for port in ports for one in people for _ in range(5)]
    with web(tmp_path / "first.log", ports[0]), web(tmp_path / "second.log", ports[1]):
        for port in ports:
            await until(partial(healthy, port), 60)
        async with listening(clients):
            await until(lambda: all(client.connections for client in clients), 60)
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {people[0].secret}"}) as one:
                added = await one.post(
                    f"http://127.0.0.1:{ports[0]}/resources", json={"title": "Lamp", "content": "Lit."}
                )
            assert added.status_code == 201, added.text
            for number in range(100):
                await log_events(audience=people[number % 2].account.id)
                await ring()
            await until(told, 60)
            wanted = {one: await positions(one, start) for one in people}
            await until(lambda: all(client.seen[-1:] == wanted[client.person][-1:] for client in clients), 60)
    for client in clients:
        assert client.seen == wanted[client.person]
    assert {client.connections for client in clients} == {1}


async def told() -> bool:
    async with reading() as session:
        return not await session.scalar(text("SELECT count(*) FROM outbox"))


async def positions(person: Person, start: int) -> list[int]:
    """Return the events after `start` that a person may know of."""
    theirs = or_(EventRow.audience.is_(None), EventRow.audience == person.account.id)
    async with reading() as session:
        rows = select(EventRow.position).where(EventRow.position > start, theirs).order_by(EventRow.position)
        return [*await session.scalars(rows)]


@pytest.mark.faults
async def test_every_client_gets_every_event_once(connected: None, person: NewPerson, tmp_path: Path) -> None:
    people = [await person("ada"), await person("ben")]
    [start] = await log_events()
    logged: list[tuple[int, UUID | None]] = []
    flowing = True

    async def flow() -> None:
        audiences = [None, *(one.account.id for one in people)]
        while flowing:
            for audience in audiences:
                logged.extend((position, audience) for position in await log_events(2, audience=audience))
            await ring()
            await asyncio.sleep(0.05)  # the pace of a busy library

    def wanted(client: Client) -> list[int]:
        return sorted(position for position, audience in logged if audience in (None, client.person.account.id))

    port = free_port()
    clients = [Client(f"ws://127.0.0.1:{port}/ws", people[number % 2], start) for number in range(SOCKETS)]
    flowing_task: asyncio.Task[None] | None = None
    try:
        async with listening(clients):
            with web(tmp_path / "web.log", port) as first:
                await until(lambda: all(client.connections for client in clients), 60)
                flowing_task = asyncio.create_task(flow())
                await until(lambda: all(client.seen for client in clients), 60)
                await until(lambda: len(logged) > EVENTS, 60)
                first.send_signal(signal.SIGKILL)
            before = len(logged)
            await until(lambda: len(logged) > before + EVENTS, 60)  # meanwhile nobody hears anything
            with web(tmp_path / "web.log", port):
                await until(lambda: all(client.connections >= 2 for client in clients), 60)
                after = len(logged)
                await until(lambda: len(logged) > after + EVENTS, 60)
                flowing = False
                await flowing_task
                await until(lambda: all(len(client.seen) >= len(wanted(client)) for client in clients), 60)
                await asyncio.sleep(1)  # for what would come a second time
                for client in clients:
                    assert client.seen == wanted(client)
    finally:
        flowing = False
        if flowing_task is not None:
            await flowing_task
