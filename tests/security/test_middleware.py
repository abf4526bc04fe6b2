"""What every request passes: the proxy, the headers, the size, the origin, the limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from service import database
from service.security.limits import GUESSES, INGEST, SEARCH, Limit
from service.security.middleware import Authentication
from service.settings import settings
from tests.security.conftest import TOKEN, Client

SignedIn = Callable[..., Awaitable[httpx.AsyncClient]]
OURS = "http://pharos.test"


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PHAROS_{name}", value)
    settings.cache_clear()


# who asks


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {} "])
async def test_a_bearer_token_is_an_account(browser: Client, header: str) -> None:
    client = browser(Authorization=header.format(TOKEN))
    assert (await client.get("/read")).json()["username"] == "admin"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer wrong", f"Token {TOKEN}"]
)
async def test_anything_else_is_nobody(browser: Client, header: str) -> None:
    answer = await browser(Authorization=header).get("/read")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert (await browser(Authorization=header).get("/open")).json()["username"] is None


async def test_undecodable_headers_are_nobody(browser: Client) -> None:
    headers = {b"Authorization": b"Bearer \xff\xfe", b"Cookie": b"pharos_session=\xff"}
    assert (await browser().get("/read", headers=headers)).status_code == 401


async def test_a_bearer_token_counts_before_the_cookie(signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    assert (await anna.get("/read", headers={"Authorization": f"Bearer {TOKEN}"})).json()["username"] == "admin"
    assert (await anna.get("/read", headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (await anna.get("/read", headers={"Authorization": "Basic eDp5"})).json()["username"] == "anna"


async def test_health_is_answered_without_a_database(admin: httpx.AsyncClient) -> None:
    await database.disconnect()
    assert (await admin.get("/health")).status_code == 200
    assert (await admin.get("/read")).status_code == 503


# where a request was made


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": OURS}, 200),
        ({"Origin": "http://pharos.test:80"}, 200),
        ({"Origin": "http://PHAROS.test"}, 200),
        ({"Referer": OURS + "/ui/a,b"}, 200),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://pharos.test.evil.test"}, 403),
        ({"Origin": "http://pharos.test:8080"}, 403),
        ({"Origin": "http://evil.test", "Referer": OURS}, 403),
        ({"Referer": "http://evil.test/?pharos.test"}, 403),
        ({"Origin": "http://pharos.test@evil.test"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": ""}, 403),
    ],
)
async def test_a_cookie_changes_something_only_from_our_own_pages(
    signed_in: SignedIn, headers: dict[str, str], status: int
) -> None:
    anna = await signed_in("anna")
    del anna.headers["Origin"]
    assert (await anna.put("/write", content=b"", headers=headers)).status_code == status
    assert (await anna.get("/read", headers=headers)).status_code == 200


async def test_a_bearer_token_may_come_from_anywhere(admin: httpx.AsyncClient) -> None:
    assert (await admin.put("/write", content=b"", headers={"Origin": "http://evil.test"})).status_code == 200


async def test_another_site_cannot_sign_somebody_in(browser: Client, signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    login = {"username": "anna", "password": "wrong one"}
    evil = {"Origin": "http://evil.test"}
    assert (await browser().post("/auth/login", json=login, headers=evil)).status_code == 403
    assert (await browser().post("/auth/login", json=login)).status_code == 401
    del anna.headers["Origin"]
    assert (await anna.post("/auth/login", json=login)).status_code == 401  # a program that keeps its cookies


async def test_the_public_address_is_ours_too(
    browser: Client, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, PUBLIC_URL="https://library.example")
    secret = (await signed_in("anna")).cookies["pharos_session"]
    behind = browser(Cookie=f"pharos_session={secret}", Origin="https://library.example")
    assert (await behind.put("/write", content=b"")).status_code == 200
    assert "Secure" in (await behind.post("/auth/logout")).headers["set-cookie"]


# who it is really from


@pytest.fixture
async def seen(browser: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[tuple[str, str]]]:
    """The address and scheme that a route sees, behind proxies of ours in 10.0.0.0/8."""
    configure(monkeypatch, TRUSTED_PROXIES="10.0.0.0/8, 2001:db8::1")

    async def see(peer: str, forwarded: str, scheme: str = "") -> tuple[str, str]:
        answer = await browser(address=peer).get(
            "/open", headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": scheme}
        )
        return answer.json()["address"], answer.json()["scheme"]

    return see


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # whatever the client wrote stands on the left
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:1234", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:1234", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("2001:db8::1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, <script>", "10.0.0.1"),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
        ("/run/socket", "203.0.113.7", "/run/socket"),
    ],
)
async def test_only_our_proxies_are_believed(
    seen: Callable[..., Awaitable[tuple[str, str]]], peer: str, forwarded: str, address: str
) -> None:
    assert (await seen(peer, forwarded))[0] == address


async def test_the_scheme_is_the_proxys(seen: Callable[..., Awaitable[tuple[str, str]]]) -> None:
    assert await seen("10.0.0.1", "203.0.113.7", "https") == ("203.0.113.7", "https")
    assert await seen("10.0.0.1", "203.0.113.7", "http, https") == ("203.0.113.7", "https")
    assert await seen("10.0.0.1", "203.0.113.7", "gopher") == ("203.0.113.7", "http")
    assert await seen("192.0.2.1", "203.0.113.7", "https") == ("192.0.2.1", "http")


async def test_without_a_proxy_nothing_is_believed(browser: Client) -> None:
    headers = {"X-Forwarded-For": "203.0.113.99", "X-Forwarded-Proto": "https"}
    answer = (await browser(address="127.0.0.1").get("/open", headers=headers)).json()
    assert (answer["address"], answer["scheme"]) == ("127.0.0.1", "http")


# headers and size


@pytest.mark.parametrize("path", ["/open", "/read", "/nowhere"])
async def test_every_answer_carries_the_security_headers(browser: Client, path: str) -> None:
    headers = (await browser().get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
    assert headers["cache-control"] == "private, no-cache"


async def test_a_route_may_be_stricter(browser: Client) -> None:
    answer = await browser().get("/framed")
    assert answer.headers.get_list("content-security-policy") == ["sandbox; default-src 'none'"]


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 2**16 + 1):
        yield b" " * 2**16


async def test_bodies_are_limited_announced_or_not(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, MAX_BODY_MB="1", MAX_UPLOAD_MB="2")
    admin = browser(TOKEN)
    for path, method, limit in [("/write", "PUT", 2**20), ("/documents", "POST", 2 * 2**20)]:
        kind = {"Content-Type": "multipart/form-data; boundary=x" if path == "/documents" else "application/json"}
        assert (await admin.request(method, path, content=b" " * limit, headers=kind)).json() == limit
        announced = await admin.request(method, path, content=b" " * (limit + 1), headers=kind)
        unannounced = await admin.request(method, path, content=chunks(limit), headers=kind)
        assert [answer.status_code for answer in (announced, unannounced)] == [413, 413]
        assert str(limit) in announced.json()["detail"]
        assert announced.headers["x-content-type-options"] == "nosniff"


async def test_a_body_that_trickles_in_is_given_up(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.security.middleware.PATIENCE", 0.2)

    async def trickle(pieces: int, piece: bytes) -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield piece
            await asyncio.sleep(0.05)

    admin = browser(TOKEN)
    slow = await admin.put("/write", content=trickle(1000, b"x"))
    assert (slow.status_code, slow.headers["connection"]) == (408, "close")
    assert "too slowly" in slow.json()["detail"]
    steady = await admin.put("/write", content=trickle(12, b"x" * 1024))
    assert steady.json() == 12 * 1024  # took longer than the patience, and came


@pytest.mark.parametrize("length", ["-1", "1e9", "²", "9" * 5000, " 7 "])
async def test_lengths_that_are_none_are_refused(admin: httpx.AsyncClient, length: str) -> None:
    headers = {b"Content-Length": length.encode()}
    assert (await admin.put("/write", headers=headers)).status_code in (200, 413)


# how often


async def passed(client: httpx.AsyncClient, method: str, path: str, tries: int) -> int:
    return [(await client.request(method, path)).status_code for _ in range(tries)].count(200)


@pytest.mark.parametrize(("method", "path", "limit"), [("GET", "/search", SEARCH), ("POST", "/documents", INGEST)])
async def test_each_account_has_its_own_limits(
    signed_in: SignedIn, admin: httpx.AsyncClient, method: str, path: str, limit: Limit
) -> None:
    anna, bert = await signed_in("anna"), await signed_in("bert")
    assert await passed(anna, method, path, limit.requests + 5) == limit.requests
    assert 1 <= int((await anna.request(method, path)).headers["retry-after"]) <= 2 * limit.seconds
    assert await passed(anna, "GET", "/read", 5) == 5
    assert await passed(bert, method, path, 5) == 5
    assert await passed(admin, method, path, limit.requests + 5) == limit.requests + 5


async def test_limits_of_accounts_can_be_switched_off(signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, RATE_LIMITS="false")
    assert await passed(await signed_in("anna"), "GET", "/search", SEARCH.requests + 5) == SEARCH.requests + 5


# sockets


async def socket(headers: dict[str, str], address: str = "203.0.113.7") -> str | None:
    """Open a WebSocket and return the name of who it belongs to; "refused" where it is closed before it opens."""
    seen: list[str | None] = []
    sent: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["account"] and scope["account"].username)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in {"Host": "pharos.test", **headers}.items()]
    scope = {"type": "websocket", "path": "/ws", "headers": raw, "client": (address, 1)}
    await Authentication(application)(scope, receive, send)
    assert not seen or not sent
    return seen[0] if seen else f"refused {sent[0]['type']} {sent[0]['code']}"


async def test_a_socket_belongs_to_the_token_or_to_the_cookie_of_our_own_pages(signed_in: SignedIn) -> None:
    anna = await signed_in("anna")
    cookie = {"Cookie": f"theme=dark; pharos_session={anna.cookies['pharos_session']}"}
    assert await socket({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.test"}) == "admin"
    assert await socket({**cookie, "Origin": OURS}) == "anna"
    assert await socket({**cookie, "Origin": "http://evil.test"}) == "refused websocket.close 1008"
    assert await socket({"Origin": "http://evil.test"}) == "refused websocket.close 1008"
    assert await socket(cookie) is None
    assert await socket({}) is None


async def test_guessing_over_sockets_ends_too(accounts: None) -> None:
    found = [await socket({"Authorization": f"Bearer guess {number}"}) for number in range(GUESSES.requests + 2)]
    assert found == [None] * GUESSES.requests + ["refused websocket.close 1008"] * 2
