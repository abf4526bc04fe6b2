"""WebSockets over a real uvicorn: who gets in, what they get, and what ends them."""

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Route
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from service.broadcast.statuses import CHANNEL, progress_told
from service.database import transaction
from service.embedded import free_port
from service.live import hub as hubs
from service.live import listener as listeners
from service.live import socket as socket_module
from service.live.bell import ring
from service.live.codes import Code
from service.live.hub import Hub
from service.live.routes import routes
from service.queue.link import client
from service.security import sockets as protocol
from service.security.connections import Patient
from service.security.middleware import middleware
from service.security.sessions import COOKIE, Visitor, open_session
from service.security.tokens import revoke_token
from service.web import respond
from tests.live.conftest import NewPerson, Person, log_events
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

LARGE = "x" * 20_000


async def hello(request: Any) -> Any:
    return respond("hello")


@pytest.fixture
async def address(hub: Hub) -> AsyncIterator[str]:
    app = Starlette(routes=[*routes, Route("/hello", hello)], middleware=middleware)
    configuration = uvicorn.Config(
        app,
        port=free_port(),
        http=Patient,
        ws=protocol.PatientSocket,
        ws_max_size=65536,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(configuration)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"ws://127.0.0.1:{server.config.port}/ws"
    server.should_exit = True
    await serving


Join = Callable[..., Any]


@pytest.fixture
def join(address: str) -> Join:
    """Connects with a token in the first message."""

    @contextlib.asynccontextmanager
    async def join(person: Person, resume: int | None = None) -> AsyncGenerator[ClientConnection]:
        async with connect(address, compression=None) as client:
            await client.send(orjson.dumps({"token": person.secret, "resume": resume}).decode())
            yield client

    return join


async def read(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        return orjson.loads(await client.recv())


async def ready(client: ClientConnection) -> int:
    message = await read(client)
    assert message["type"] == "ready"
    return message["id"]


async def ids(client: ClientConnection, count: int) -> list[int]:
    return [(await read(client))["id"] for _ in range(count)]


async def closed(client: ClientConnection) -> tuple[int, str]:
    """Read until the end and return its code and reason."""
    try:
        async with asyncio.timeout(10):
            while True:
                await client.recv()
    except ConnectionClosed as error:
        return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (0, "hung up without a close frame")


async def test_a_token_in_the_first_message_lets_in(join: Join, person: NewPerson) -> None:
    [before] = await log_events()
    ada = await person("ada")
    async with join(ada) as client:
        assert await ready(client) == before
        [position] = await log_events(title="Pharos")
        message = await read(client)
    assert (message["type"], message["id"], message["event"]) == ("event", position, "resource.updated")
    assert message["data"] == {"number": 0, "title": "Pharos"}


@pytest.mark.parametrize("way", ["session", "bearer"])
async def test_the_handshake_may_say_who_it_is(address: str, person: NewPerson, way: str) -> None:
    ada = await person("ada")
    async with transaction() as session:
        signed_in = await open_session(session, ada.account.id, Visitor())
    bearer, cookie = {"Authorization": f"Bearer {ada.secret}"}, {"Cookie": f"{COOKIE}={signed_in.secret}"}
    origin: Any = None if way == "bearer" else address.replace("ws:", "http:").removesuffix("/ws")
    async with connect(address, additional_headers=bearer if way == "bearer" else cookie, origin=origin) as client:
        await client.send('{"resume": 0}')
        assert await ready(client) == 0
        positions = await log_events(2)
        assert await ids(client, 2) == positions


async def test_a_client_that_says_nothing_gets_what_happens_since_it_came(
    address: str, person: NewPerson, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "HOLD", 0.2)
    ada = await person("ada")
    [before] = await log_events()
    async with connect(address, additional_headers={"Authorization": f"Bearer {ada.secret}"}) as client:
        await until(lambda: len(hub.listeners) == 1)
        positions = await log_events(3)
        assert await ready(client) == before
        assert await ids(client, 3) == positions


async def test_a_client_may_begin_at_once(address: str, person: NewPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "HOLD", 60)
    ada = await person("ada")
    [before] = await log_events()
    async with connect(address, additional_headers={"Authorization": f"Bearer {ada.secret}"}) as client:
        await client.send('{"type": "resume"}')
        assert await ready(client) == before


async def test_a_position_from_the_future_means_from_now(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    [before] = await log_events()
    async with join(ada, 10**15) as client:
        assert await ready(client) == before
        positions = await log_events()
        assert await ids(client, 1) == positions


async def test_another_site_is_refused(address: str, person: NewPerson) -> None:
    ada = await person("ada")
    async with transaction() as session:
        signed_in = await open_session(session, ada.account.id, Visitor())
    headers = {"Cookie": f"{COOKIE}={signed_in.secret}"}
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, additional_headers=headers, origin="https://elsewhere.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert b"another site" in refused.value.response.body


async def test_a_cookie_without_an_origin_is_nobody(address: str, person: NewPerson) -> None:
    ada = await person("ada")
    async with transaction() as session:
        signed_in = await open_session(session, ada.account.id, Visitor())
    async with connect(address, additional_headers={"Cookie": f"{COOKIE}={signed_in.secret}"}) as client:
        await client.send('{"resume": 0}')
        assert (await closed(client))[0] == Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"token": "pharos_0123456789abcdef_0123456789012345678901234567890123456789012"}', Code.UNAUTHENTICATED),
        ('{"token": ""}', Code.UNAUTHENTICATED),
        ('{"type": "resume", "resume": 1}', Code.UNAUTHENTICATED),
        ("hello", Code.MALFORMED),
        ('{"token": 17}', Code.MALFORMED),
        ('{"resume": -1}', Code.MALFORMED),
        ('{"subscribe": "everything"}', Code.MALFORMED),
        ("[" * 30_000, Code.MALFORMED),
        (b"\x00\x01", Code.UNSUPPORTED),
        ("x" * 70_000, Code.TOO_LARGE),
        ("x" * 2**20, Code.TOO_LARGE),
    ],
)
async def test_what_lets_nobody_in(address: str, person: NewPerson, message: Any, code: Code) -> None:
    async with connect(address, compression=None) as client:
        with contextlib.suppress(ConnectionClosed):
            await client.send(message)
        assert (await closed(client))[0] == code


async def test_a_stranger_has_a_moment_to_say_who_it_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "TOKEN_WITHIN", 0.2)
    async with connect(address) as client:
        assert await closed(client) == (Code.UNAUTHENTICATED, "No token came in time.")


async def test_too_many_strangers_wait_elsewhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "STRANGERS", 1)
    async with connect(address) as first:
        await first.send("ping")
        assert await first.recv() == "pong"
        async with connect(address) as second:
            assert (await closed(second))[0] == Code.TRY_LATER


async def test_an_account_has_so_many_sockets_and_others_theirs(
    join: Join, person: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "OF_ONE", 1)
    ada, ben = await person("ada"), await person("ben")
    async with join(ada, 0) as first:
        await ready(first)
        async with join(ada, 0) as second, join(ben, 0) as other:
            assert (await closed(second))[0] == Code.TRY_LATER
            await ready(other)


async def test_a_token_needs_the_scope_to_read(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    async with transaction() as session:
        await session.execute(text("UPDATE tokens SET scopes = '{metrics}'"))
    async with join(ada) as client:
        assert (await closed(client))[0] == Code.FORBIDDEN


@pytest.mark.parametrize(("sent", "answer"), [("ping", "pong"), ('{"type": "ping"}', '{"type":"pong"}')])
async def test_a_ping_is_answered_in_its_own_form(join: Join, person: NewPerson, sent: str, answer: str) -> None:
    ada = await person("ada")
    async with join(ada, 0) as client:
        await ready(client)
        await client.send(sent)
        assert await client.recv() == answer


async def test_a_socket_resumes_where_it_was_and_again_later(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    positions = await log_events(hubs.BATCH + 20)
    async with join(ada, positions[4]) as client:
        assert await ready(client) == positions[4]
        positions += await log_events(3)
        assert await ids(client, len(positions) - 5) == positions[5:]
        await client.send(orjson.dumps({"resume": positions[-2]}).decode())
        assert await ready(client) == positions[-2]
        assert await ids(client, 1) == positions[-1:]


async def test_nothing_falls_between_replay_and_live(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    [before] = await log_events()
    positions: list[int] = []
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            positions.extend(await log_events(5))
            await ring()

    writing = asyncio.create_task(write())
    async with contextlib.AsyncExitStack() as stack:
        clients: list[ClientConnection] = []
        for number in range(5):
            await until(lambda number=number: len(positions) >= 20 * number)
            clients.append(await stack.enter_async_context(join(ada, before)))
        done.set()
        await writing
        for client in clients:
            assert await ready(client) == before
            assert await ids(client, len(positions)) == positions


async def test_special_events_have_their_type_and_their_data_beside_it(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    async with join(ada, 0) as client:
        await ready(client)
        await log_events(name="document.processing", document_id="d", progress=40)
        await log_events(name="indexing.completed", document_id="d")
        await log_events(name="quiz.generated", quiz_id="q", questions=20)
        await log_events(name="task.status.update", task_id="t", status="running")
        await log_events(name="user.notification", title="Ready")
        messages = [await read(client) for _ in range(5)]
    assert [message["type"] for message in messages] == [
        "document_status", "document_status", "quiz_session", "task_status_update", "notification",
    ]  # fmt: skip
    assert (messages[0]["event"], messages[0]["document_id"], messages[0]["progress"]) == (
        "document.processing",
        "d",
        40,
    )
    assert (messages[3]["task_id"], messages[4]["title"]) == ("t", "Ready")


async def test_the_task_of_a_person_is_told_of_as_its_status(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    task = str(uuid4())
    facts = {"task_id": task, "task_name": "ingest_resource", "queue": "documents", "attempts": 1}
    async with join(ada, 0) as client:
        await ready(client)
        [position] = await log_events(audience=ada.account.id, name="background_task.completed", **facts)
        told = await read(client)
    assert (told["type"], told["event"], told["id"]) == ("task_status_update", "task.status.update", position)
    assert (told["task_id"], told["status"], told["progress"]) == (task, "completed", 100)


async def test_progress_passes_and_stands_in_no_log(join: Join, person: NewPerson, hub: Hub) -> None:
    ada, ben = await person("ada"), await person("ben")
    task = str(uuid4())
    word = orjson.dumps({"current": 1, "total": 4, "message": "a quarter"})
    told = progress_told(task, "generate_quiz", str(ada.account.id), None, word)
    async with join(ada, 0) as hers, join(ben, 0) as his:
        await ready(hers)
        await ready(his)
        await until(lambda: say(told))
        message = await read(hers)
        assert (message["type"], message["task_id"], message["progress"], "id" in message) == (
            "task_status_update", task, 25, False,
        )  # fmt: skip
        [position] = await log_events()
        assert await ids(his, 1) == [position]  # and nothing before it
        while "id" not in (message := await read(hers)):
            assert message["task_id"] == task
        assert message["id"] == position


async def say(told: bytes) -> int:
    """Broadcast, and tell how many heard it."""
    return await client().call(("PUBLISH", CHANNEL, told))


async def test_a_disabled_account_is_hung_up_on_within_a_second(join: Join, person: NewPerson, hub: Hub) -> None:
    ada, ben = await person("ada"), await person("ben")
    async with join(ada, 0) as hers, join(ben, 0) as his:
        await ready(hers)
        await ready(his)
        async with transaction() as session:
            await session.execute(text("UPDATE users SET disabled_at = now() WHERE username = 'ada'"))
        async with asyncio.timeout(1):
            assert (await closed(hers))[0] == Code.UNAUTHENTICATED
        [position] = await log_events()
        assert await ids(his, 1) == [position]


async def test_a_revoked_token_is_hung_up_on(join: Join, person: NewPerson) -> None:
    ada = await person("ada")
    async with join(ada, 0) as client:
        await ready(client)
        async with transaction() as session:
            await revoke_token(session, ada.account, ada.token_id)
        assert (await closed(client))[0] == Code.UNAUTHENTICATED


async def flood_text(client: ClientConnection) -> None:
    for _ in range(5000):
        await client.send('{"type": "ping"}')


async def flood_pings(client: ClientConnection) -> None:
    for _ in range(5000):
        await client.ping()


async def flood_fragments(client: ClientConnection) -> None:
    async def nothing() -> AsyncIterator[str]:
        for _ in range(5000):
            yield ""

    await client.send(nothing())


async def send_binary(client: ClientConnection) -> None:
    await client.send(b"\x00" * 100)


async def send_much(client: ClientConnection) -> None:
    await client.send("x" * 2**20)


async def send_much_in_pieces(client: ClientConnection) -> None:
    await client.send(["x" * 10_000] * 50)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (flood_text, Code.FLOOD),
        (flood_pings, Code.FLOOD),
        (flood_fragments, Code.FLOOD),
        (send_binary, Code.UNSUPPORTED),
        (send_much, Code.TOO_LARGE),
        (send_much_in_pieces, Code.TOO_LARGE),
    ],
)
async def test_an_attack_ends_its_own_socket_and_no_other(
    join: Join, person: NewPerson, attack: Callable[[ClientConnection], Awaitable[None]], code: Code, hub: Hub
) -> None:
    eve, ada = await person("eve"), await person("ada")
    async with join(eve, 0) as hers, join(ada, 0) as client:
        await ready(hers)
        await ready(client)
        with contextlib.suppress(ConnectionClosed):
            await attack(hers)
        assert (await closed(hers))[0] == code
        positions = await log_events(3)
        await client.send("ping")
        assert await client.recv() == "pong"
        assert await ids(client, 3) == positions
        await until(lambda: len(hub.listeners) == 1)


async def test_a_slow_client_gets_the_last_progress_only_and_everything_else(person: NewPerson, address: str) -> None:
    ada = await person("ada")
    told: list[int] = []
    async with slow(address, ada) as (reader, _):
        for _ in range(10):
            told += await log_events(60, name="document.processing", document_id="d", filler=LARGE)
            await ring()
        await log_events(name="document.processed", document_id="d")
        await ring()
        messages = await drained(reader, "document.processed")
    seen = [message["id"] for message in messages if message["event"] == "document.processing"]
    assert seen == sorted(set(seen))
    assert seen[-1] == told[-1]
    assert len(seen) < len(told) / 2  # what the kernel takes in advance is some 4 MB of 12
    assert messages[-1]["event"] == "document.processed"


async def test_a_client_that_falls_behind_is_dropped_and_loses_nothing(
    join: Join, person: NewPerson, address: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "BEHIND", 10)
    ada = await person("ada")
    positions: list[int] = []
    async with slow(address, ada) as (reader, _):
        while hub.listeners and next(iter(hub.listeners)).end is None:
            positions += await log_events(7, filler=LARGE)
            await ring()
        messages = await drained(reader, None)
    assert messages[-1] == {"code": Code.BEHIND}
    seen = [message["id"] for message in messages[:-1]]
    assert seen == positions[: len(seen)]
    assert 0 < len(seen) < len(positions)
    async with join(ada, seen[-1]) as client:
        await ready(client)
        assert await ids(client, len(positions) - len(seen)) == positions[len(seen) :]


async def test_a_client_that_never_reads_is_given_up(
    person: NewPerson, address: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "STALL", 0.3)
    monkeypatch.setattr(protocol, "STALL", 0.5)
    ada = await person("ada")
    async with slow(address, ada):
        async with asyncio.timeout(20):
            while hub.listeners:
                await log_events(5, filler=LARGE)
                await ring()
                await asyncio.sleep(0)
        assert not hub.listeners


@contextlib.asynccontextmanager
async def slow(address: str, person: Person) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that shook hands, is known, and reads nothing by itself: its kernel takes little."""
    client = sockets.socket()
    client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    client.setblocking(False)
    port = int(address.rpartition(":")[2].removesuffix("/ws"))
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=client, limit=4096)
    token = f"Authorization: Bearer {person.secret}\r\n"
    key = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    head = f"GET /ws HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}{token}\r\n"
    writer.write(head.encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    said = b'{"resume": 0}'
    writer.write(bytes((0x81, 0x80 | len(said))) + bytes(4) + said)  # masked with zeros
    try:
        assert (await frame(reader))["type"] == "ready"
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    kind, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    payload = await reader.readexactly(size)
    return orjson.loads(payload) if kind == 0x81 else {"code": int.from_bytes(payload[:2], "big")}


async def drained(reader: asyncio.StreamReader, last: str | None) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not messages or not ("code" in messages[-1] or (last and messages[-1]["event"] == last)):
            messages.append(await frame(reader))
    return messages
