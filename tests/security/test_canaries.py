"""Secrets are planted in a whole Pharos, everything is used, and nobody finds one of them where it does not belong."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import redis.asyncio

from service.embedded.postgres import Postgres
from tests.installation import Installation, installed, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PASSWORD, NEW_PASSWORD, GUESS = "canary-password-7261", "canary-renewed-7262", "canary-guess-7263"
IN_URL, TYPED_AS_NAME = "canary-in-url-7264", "canary-as-name-7265"
PRIVATE = "canaryprivatetext7266"
SOUGHT = "canaryprivatetext*"  # what is searched for is remembered: it must not be the word itself


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """A running Pharos of its own."""
    with installed(PHAROS_TEST_SECRET="canary-environment-7267") as made:
        made.up()
        yield made


async def in_redis(url: str) -> str:
    """Return every key and every value of a server."""
    found: list[str] = []
    for database in range(4):
        async with redis.asyncio.Redis.from_url(re.sub(r"/\d+$", f"/{database}", url)) as client:
            async for key in client.scan_iter("*"):
                found.append(repr(key))
                match await client.type(key):
                    case b"string":
                        found.append(repr(await client.get(key)))
                    case b"hash":
                        found.append(repr(await client.hgetall(key)))
                    case b"list":
                        found.append(repr(await client.lrange(key, 0, -1)))
                    case b"set":
                        found.append(repr(await client.smembers(key)))
                    case b"zset":
                        found.append(repr(await client.zrange(key, 0, -1)))
                    case b"stream":
                        found.append(repr(await client.xrange(key)))
                    case _:
                        pass
    return "\n".join(found)


async def in_postgres(url: str) -> dict[str, str]:
    """Return the rows of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        dumped: dict[str, str] = {}
        for name in (row["tablename"] for row in tables):
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{name}" t')
            dumped[name] = "\n".join(row["row"] for row in rows)
        return dumped
    finally:
        await connection.close()


async def test_no_secret_is_found_where_it_does_not_belong(installation: Installation, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{installation.port}"
    admin_token = (installation.home / "admin-token").read_text().strip()
    servers = {name: (installation.home / name / "password").read_text() for name in ("postgres", "valkey")}
    shown: list[str] = []  # everything that anybody was answered, but the answers that give a secret this once

    async def ask(client: httpx.AsyncClient, method: str, path: str, **body: Any) -> httpx.Response:
        answer = await client.request(method, path, **body)
        shown.append(answer.text)
        return answer

    async with (
        httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {admin_token}"}) as admin,
        httpx.AsyncClient(base_url=base, headers={"Origin": base}) as anna,
    ):
        await ask(admin, "POST", "/users", json={"username": "anna", "password": PASSWORD, "role": "editor"})
        await ask(anna, "POST", "/auth/login", json={"username": "anna", "password": GUESS})
        await ask(anna, "POST", "/auth/login", json={"username": TYPED_AS_NAME, "password": "x"})
        await ask(anna, "POST", "/auth/login", json={"username": "anna", "password": GUESS, "pasword": GUESS})
        session = (await anna.post("/auth/login", json={"username": "anna", "password": PASSWORD})).json()["token"]
        token = (await anna.post("/auth/tokens", json={"name": "t", "scopes": ["read"]})).json()["token"]
        code = (await admin.post("/invitations", json={"role": "reader"})).json()["code"]
        bens = {"username": "ben", "password": PASSWORD, "code": code}
        joined = (await anna.post("/auth/register", json=bens)).json()["token"]
        await ask(anna, "POST", "/auth/register", json=bens)
        anna.headers["Authorization"] = f"Bearer {session}"
        changed = await ask(anna, "PUT", "/auth/password", json={"password": NEW_PASSWORD, "current": PASSWORD})
        assert changed.status_code == 204, changed.text
        await ask(anna, "POST", "/ingest", json={"url": f"https://anna:{IN_URL}@example.org/"})
        kept = await anna.post("/resources", json={"title": "Mine", "content": f"{PRIVATE} here", "private": True})
        assert kept.status_code == 201
        steps = f"/resources/{kept.json()['id']}/status"

        def ready() -> bool:
            with httpx.Client(base_url=base, headers=dict(anna.headers)) as client:
                return {step["state"] for step in client.get(steps).json()["steps"]} == {"completed"}

        assert until(ready, 60)
        for path in (
            "/health", "/ready", "/events/history", "/tasks", "/dlq", "/audit", "/users", "/users/me", "/auth/tokens",
            "/auth/sessions", "/invitations", "/workers/status", "/schedules", "/db/pool", "/monitoring/flow", "/ui/",
            f"/search?query={SOUGHT}", "/openapi.json", "/nowhere",
        ):  # fmt: skip
            await ask(admin, "GET", path)

    secrets = [PASSWORD, NEW_PASSWORD, GUESS, IN_URL, admin_token, session, token, code, joined, *servers.values()]
    secrets.append("canary-environment-7267")
    hidden = [*secrets, TYPED_AS_NAME]
    files = [path for path in installation.home.rglob("*.log*") if path.is_file()]
    assert files
    log = "\n".join(path.read_text(errors="replace") for path in files)
    assert "signed in" in log  # it is the right file
    places = {
        "answers": "\n".join(shown),
        "logs": log,
        "Redis": await in_redis(installation.broker_url()),
        **await in_postgres(Postgres(installation.home / "postgres").url()),
    }
    leaks = [(place, secret) for place, text in places.items() for secret in hidden if secret in text]
    assert leaks == []
    her_own = {"resources", "search_documents", "search_terms", "search_words", "chunks"}
    assert [place for place, text in places.items() if PRIVATE in text and place not in her_own] == []
