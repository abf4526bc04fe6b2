"""The servers that the suite runs against, and a Pharos that is clean for each test.

PostgreSQL and Valkey are started once in each process of the suite, under a temporary folder on free ports.
PHAROS_TEST_DATABASE_URL and PHAROS_TEST_BROKER_URL name others instead, which the suite then treats as its own: it
makes and drops databases named `pharos_test_*` there, and empties the Redis databases 0 and 1; one process runs then.
"""

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import structlog
from argon2 import PasswordHasher
from starlette.applications import Starlette

from service import database, logs
from service.app import create_app
from service.embedded import Postgres, Valkey, running
from service.migrations import migrate
from service.queue.send import Packed, _Sender
from service.security import passwords
from service.settings import Settings, settings
from tests.kept import Broom, Engines
from tests.model_server import ModelServer
from tests.sent import Sent

# As the log of the product: a rich traceback of a message of ten megabytes takes minutes.
structlog.configure(
    [
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# `jsonschema` would make its grammars when it is imported, for IRIs, which no schema here has, and that takes seconds.
sys.modules["rfc3987_syntax"] = None  # pyright: ignore[reportArgumentType]

_RUN = f"pharos_test_{os.getpid()}"
Settings.model_config["env_file"] = None  # a developer's own `.env` is not the suite's


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors, as tests wait now and then; one where all would empty one Redis."""
    return 1 if "PHAROS_TEST_BROKER_URL" in os.environ else (os.cpu_count() or 1) + 1


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test after no bytes, as an archive has its time in it, and the processes would not agree on the name."""
    return argname if isinstance(val, bytes) else None


@dataclass(frozen=True)
class Servers:
    """Where the suite's servers are: PostgreSQL without a database name, Redis without a database number."""

    postgres: str
    redis: str

    def database(self, name: str) -> str:
        return urlunsplit(urlsplit(self.postgres)._replace(path=f"/{name}"))

    def redis_database(self, number: int) -> str:
        return urlunsplit(urlsplit(self.redis)._replace(path=f"/{number}"))

    async def administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.database("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Redis for the whole session."""
    postgres, broker = os.environ.get("PHAROS_TEST_DATABASE_URL"), os.environ.get("PHAROS_TEST_BROKER_URL")
    with tempfile.TemporaryDirectory(prefix="pharos-test-") as folder, ExitStack() as stack:
        home = Path(folder)
        log = stack.enter_context((home / "servers.log").open("ab"))
        if postgres is None:
            server = Postgres(home / "postgres", durable=False)
            stack.enter_context(running(server, log))
            postgres = server.url()
        if broker is None:
            valkey = Valkey(home / "valkey", durable=False)
            stack.enter_context(running(valkey, log))
            broker = valkey.url()
        yield Servers(postgres, broker)


@pytest.fixture(scope="session")
async def new_database(servers: Servers) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Makes migrated, empty databases, cloned from one that is migrated once; each call returns the address of one."""
    names = [_RUN]

    async def clone() -> str:
        name = f"{_RUN}_{len(names)}"
        names.append(name)
        await servers.administer(f"CREATE DATABASE {name} TEMPLATE {_RUN}")
        return servers.database(name)

    await servers.administer(f"CREATE DATABASE {_RUN}")
    try:
        await migrate(servers.database(_RUN))
        yield clone
    finally:
        for name in names:
            await servers.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def database_url(new_database: Callable[[], Awaitable[str]]) -> str:
    """The database of `pharos`, for tests that hand it to a process of their own."""
    return await new_database()


@pytest.fixture(scope="session")
def broker_url(servers: Servers) -> str:
    """The Redis database of tasks."""
    return servers.redis_database(0)


@pytest.fixture(scope="session")
def cache_url(servers: Servers) -> str:
    """The Redis database of the cache."""
    return servers.redis_database(1)


@pytest.fixture(scope="session")
async def broom(database_url: str, broker_url: str, cache_url: str) -> AsyncIterator[Broom]:
    """Empties tables and keys."""
    kept = await Broom.over(database_url, [broker_url, cache_url])
    yield kept
    await kept.close()


@pytest.fixture(scope="session")
async def engines(new_database: object) -> AsyncIterator[Engines]:
    """Connections that outlive a test."""
    kept = Engines()
    yield kept
    await kept.close()


@pytest.fixture(scope="session")
async def model_server() -> AsyncIterator[ModelServer]:
    """One model server for all tests that only ask; a second to start, and each holds the model."""
    with tempfile.TemporaryDirectory(prefix="pharos-") as folder:  # sockets need a short path
        running = await ModelServer(Path(folder) / "run" / "inference").start()
        yield running
        running.stop()


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with as little work as argon2 allows: most tests only need somebody who can sign in."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def pharos(
    database_url: str,
    broker_url: str,
    cache_url: str,
    broom: Broom,
    engines: Engines,
    quick_passwords: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Settings]:
    """Settings that point at the suite's servers and a home of its own, an open database, no rows, no keys."""
    for name in [name for name in os.environ if name.startswith("PHAROS_") and not name.startswith("PHAROS_TEST_")]:
        monkeypatch.delenv(name)
    for name, value in {"DATABASE_URL": database_url, "BROKER_URL": broker_url, "CACHE_URL": cache_url}.items():
        monkeypatch.setenv(f"PHAROS_{name}", value)
    monkeypatch.setenv("PHAROS_HOME", str(tmp_path))
    settings.cache_clear()
    monkeypatch.setattr(database, "create_async_engine", engines.create)
    await broom.sweep()
    await database.connect("test", size=5, overflow=10)
    yield settings()
    await database.disconnect()
    settings.cache_clear()


@pytest.fixture
async def application(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starlette]:
    """The whole web application, as its server runs it; no worker runs."""
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "token of the admin")
    monkeypatch.setattr(logs, "configure", lambda: None)  # it would last beyond this test
    settings.cache_clear()
    await database.disconnect()
    app = create_app()
    async with app.router.lifespan_context(app):
        yield app
    await database.connect("test", size=5, overflow=10)


@pytest.fixture
async def api(application: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is the admin."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application, raise_app_exceptions=False),
        base_url="http://pharos",
        headers={"Authorization": "Bearer token of the admin"},
    ) as client:
        yield client


@pytest.fixture
async def person(
    api: httpx.AsyncClient, application: Starlette
) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """Makes accounts; each call returns a client that is a new one, an editor unless said otherwise."""
    async with AsyncExitStack() as stack:

        async def make(username: str, role: str = "editor") -> httpx.AsyncClient:
            secret = {"username": username, "password": "a long enough password"}
            assert (await api.post("/users", json={**secret, "role": role})).status_code == 201
            client = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://pharos")
            await stack.enter_async_context(client)
            token = (await client.post("/auth/login", json=secret)).json()["token"]
            client.cookies.clear()
            client.headers["Authorization"] = f"Bearer {token}"
            return client

        yield make


@pytest.fixture
def sent(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What this process sends to the queue from now on."""
    record, send = Sent(), _Sender.send

    async def recorded(sender: _Sender, messages: list[Packed]) -> None:
        await send(sender, messages)
        record.record(messages)

    monkeypatch.setattr(_Sender, "send", recorded)
    return record
