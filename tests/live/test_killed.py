"""The web process is killed while two hundred sockets are open and events flow."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from service import queue
from service.embedded import free_port, tied
from service.live.bell import ring
from service.settings import Settings, settings
from tests.live.conftest import NewPerson, Person, log_events
from tests.queue.conftest import until
from workers.supervisor.programs import programs

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

SOCKETS = 200
EVENTS = 300  # at least, before, between and after
ROOT = Path(__file__).parents[2]


@contextmanager
def web(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process as the supervisor does."""
    [program] = [one for one in programs(settings()) if one.name == "web"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            tied(program.command, signal.SIGTERM), cwd=ROOT, env=dict(os.environ), stdout=output, stderr=output
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


@pytest.fixture
async def ready(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    port = free_port()
    monkeypatch.setenv("PHAROS_PORT", str(port))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    settings.cache_clear()
    async with queue.connected():
        yield f"127.0.0.1:{port}"


async def test_every_client_gets_every_event_once(ready: str, person: NewPerson, tmp_path: Path) -> None:
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

    async def healthy() -> bool:
        async with httpx.AsyncClient() as client:
            with suppress(httpx.TransportError):
                return (await client.get(f"http://{ready}/health")).is_success
        return False

    def wanted(client: Client) -> list[int]:
        return sorted(position for position, audience in logged if audience in (None, client.person.account.id))

    clients = [Client(f"ws://{ready}/ws", people[number % 2], start) for number in range(SOCKETS)]
    tasks: list[asyncio.Task[None]] = []
    try:
        with web(tmp_path / "web.log") as first:
            await until(healthy, 60)
            tasks = [asyncio.create_task(client.run()) for client in clients]
            await until(lambda: all(client.connections for client in clients), 60)
            flowing_task = asyncio.create_task(flow())
            await until(lambda: all(client.seen for client in clients), 60)
            await until(lambda: len(logged) > EVENTS, 60)
            first.send_signal(signal.SIGKILL)
        before = len(logged)
        await until(lambda: len(logged) > before + EVENTS, 60)  # meanwhile nobody hears anything
        with web(tmp_path / "web.log"):
            await until(healthy, 60)
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
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
