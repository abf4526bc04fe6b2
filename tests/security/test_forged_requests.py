"""Server-side request forgery: no spelling, name or redirect makes Pharos ask what only its own network may ask.

A canary listens where every spelling leads; whoever reaches it has got through.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from service.database import transaction
from service.ingestion import actions
from service.ingestion.tables import Ingestion
from service.resources.tables import Resource
from service.security.destinations import BadUrl
from service.security.egress import Egress
from service.security.fetch_errors import FetchError
from service.settings import settings
from tests.origin import Origin, Page

pytestmark = pytest.mark.integration

LOOPBACK = [  # of 127.0.0.1
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.00.00.01", "2130706433", "0x7f000001", "0x7F000001", "0x7f.1",
    "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.1", "017700000001", "0X7F.0.0.1", "127.0.0.1%2e", "127。0。0。1",
    "１２７.0.0.1",
    "①②⑦.0.0.1", "%31%32%37.0.0.1", "0", "0.0.0.0", "0x0", "00000000", "localhost", "localhost.", "LocalHost",
    "a.localhost", "localhost.localdomain", "ip6-localhost", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::127.0.0.1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:1::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "user@127.0.0.1", "example.org:80@127.0.0.1",
    "127.0.0.1\\@example.org", "127.0.0.1#@example.org",
]  # fmt: skip
ELSEWHERE = [  # what only our own network, or this machine's provider, answers
    "169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]",
    "metadata.google.internal", "metadata", "168.63.129.16", "100.100.100.200", "192.0.0.192", "10.0.0.1", "172.16.0.1",
    "192.168.0.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fc00::1]", "[fe80::1]", "[ff02::1]",
]  # fmt: skip
NAMES = {  # what the name server of these tests answers, one list for each time it is asked
    "metadata.google.internal": [["169.254.169.254"]],
    "metadata": [["169.254.169.254"]],
    "localhost.localdomain": [["127.0.0.1"]],
    "ip6-localhost": [["::1"]],
    "public.example": [["93.184.215.14"]],
    "private.example": [["10.0.0.7"]],
    "mixed.example": [["93.184.215.14", "127.0.0.1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "rebinding.example": [["93.184.215.14"], ["127.0.0.1"]],
}


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name server of these tests; returns what it was asked. It knows no other names than `NAMES`."""
    asked: list[str] = []
    left = {name: list(answers) for name, answers in NAMES.items()}

    async def look_up(loop: object, host: str, port: int, **__: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        if host not in left:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        addresses = left[host].pop(0) if len(left[host]) > 1 else left[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    return asked


@pytest.fixture
async def canary() -> AsyncIterator[Origin]:
    async with Origin({"/": Page(b"<p>secret</p>")}) as server:
        yield server


def urls(canary: Origin) -> Iterable[str]:
    yield from (f"http://{host}:{canary.port}/" for host in LOOPBACK if "#" not in host)
    yield f"http://127.0.0.1:{canary.port}#@example.org/"
    yield from (f"http://{host}/latest/meta-data/" for host in ELSEWHERE)
    yield from (f"http://{name}:{canary.port}/" for name in NAMES if name.endswith(".example") and "public" not in name)
    yield from (f"{scheme}:///etc/passwd" for scheme in ("file", "ftp", "gopher", "dict", "jar", "data", "netdoc"))
    yield f"gopher://127.0.0.1:{canary.port}/_GET"


async def fetched(url: str) -> None:
    """Take a page in as the worker does."""
    async with Egress() as egress:
        await egress.fetch(url)


async def test_there_are_more_than_sixty_spellings(canary: Origin) -> None:
    assert len(set(urls(canary))) >= 80


async def test_the_client_refuses_every_spelling(canary: Origin, pharos: object) -> None:
    for url in urls(canary):
        if "rebinding" in url:
            continue  # asked once, and its public address does not answer here
        with pytest.raises((BadUrl, FetchError)):
            await asyncio.wait_for(fetched(url), 10)
    assert canary.requests == []


async def test_every_redirect_to_one_is_refused(
    canary: Origin, pharos: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Origin() as allowed:
        monkeypatch.setenv("PHAROS_EGRESS_ALLOW", allowed.address)
        settings.cache_clear()
        for number, url in enumerate(urls(canary)):
            if not url.isascii() or "rebinding" in url:
                continue
            allowed.pages[f"/{number}"] = Page(status=302, headers={"Location": url})
            with pytest.raises((BadUrl, FetchError)):
                await asyncio.wait_for(fetched(allowed.url(f"/{number}")), 10)
    assert canary.requests == []


async def test_the_interface_refuses_every_literal_at_once_and_every_name_in_the_worker(
    canary: Origin, api: httpx.AsyncClient
) -> None:
    every = list(urls(canary))
    answer = await api.post("/ingest", json={"urls": every})
    assert answer.status_code == 202
    for item in answer.json()["items"]:
        assert (item["id"] is None) == ("error" in item)
        if item["id"] is not None:  # a name: it is looked up where it is fetched
            async with transaction() as session:
                job = await actions.claim(session, UUID(item["id"]))
            assert job is not None
            assert job.url is not None
            if "rebinding" not in job.url:
                with pytest.raises((BadUrl, FetchError)):
                    await asyncio.wait_for(fetched(job.url), 10)
    named = {item["url"] for item in answer.json()["items"] if item["id"] is not None}
    assert not [url for url in named if not any(name in url for name in NAMES)]
    for url in set(every) - named:
        alone = await api.post("/ingest", json={"url": url})
        assert alone.status_code == 422, url
    async with transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Ingestion)) == len(named)
        assert await session.scalar(select(func.count()).select_from(Resource)) == len(named)
    assert canary.requests == []


async def test_a_name_is_looked_up_once(pharos: object, name_server: list[str]) -> None:
    """What is checked is what is connected to: a second answer, private then, is never asked for."""
    with pytest.raises(FetchError):
        async with asyncio.timeout(10):
            await fetched("http://rebinding.example:9/")
    assert name_server == ["rebinding.example"]
