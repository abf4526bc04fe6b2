"""Ten thousand events of two people and of everybody, over both ways: each gets all of theirs and nobody else's."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from random import Random
from uuid import UUID

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from service.database import transaction
from service.event_log import EventRow
from service.live.bell import ring
from tests.live.conftest import NewPerson, Person, row
from tests.live.test_socket import address

__all__ = ["address"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

EVENTS = 10_000
NAMES = [
    "resource.updated", "document.processing", "document.processed", "indexing.progress", "quiz.generated",
    "task.status.update", "user.notification", "search.executed",
]  # fmt: skip

Seen = list[tuple[int, str]]  # position and secret


async def over_socket(address: str, person: Person, seen: Seen, enough: Callable[[], bool]) -> None:
    """Listen, leave in the middle, come back, until everything must have come."""
    while not enough():
        async with connect(address, compression=None) as client:
            last = seen[-1][0] if seen else 0
            await client.send(orjson.dumps({"token": person.secret, "resume": last}).decode())
            leave_at = len(seen) + 2000
            while len(seen) < leave_at and not enough():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        message = orjson.loads(await client.recv())
                        if message["type"] != "ready":
                            secret = message.get("secret") or message["data"]["secret"]
                            seen.append((message["id"], secret))


async def over_stream(address: str, person: Person, seen: Seen, enough: Callable[[], bool]) -> None:
    """Do the same with server-sent events."""
    base = address.replace("ws:", "http:").removesuffix("/ws")
    headers = {"Authorization": f"Bearer {person.secret}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=1) as client:
        while not enough():
            last = seen[-1][0] if seen else 0
            leave_at = len(seen) + 2000
            with contextlib.suppress(httpx.ReadTimeout):
                async with client.stream("GET", f"/events/stream?last_event_id={last}") as answer:
                    position = 0
                    async for line in answer.aiter_lines():
                        if line.startswith("id: "):
                            position = int(line[4:])
                        elif line.startswith("data: "):
                            seen.append((position, orjson.loads(line[6:])["data"]["secret"]))
                        if len(seen) >= leave_at or enough():
                            break


@contextlib.asynccontextmanager
async def listening(address: str, person: Person, wanted: Callable[[], int]) -> AsyncGenerator[list[Seen]]:
    ways: list[Seen] = [[], []]
    parts = [
        over(address, person, seen, lambda seen=seen: len(seen) >= wanted() > 0)
        for over, seen in zip((over_socket, over_stream), ways, strict=True)
    ]
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield ways
        async with asyncio.timeout(200):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_nobody_gets_what_is_anothers(address: str, person: NewPerson) -> None:
    chance = Random(7)
    ada, ben = await person("ada"), await person("ben")
    audiences: list[UUID | None] = [ada.account.id, ben.account.id, None]
    logged: list[tuple[int, UUID | None, str]] = []
    expected: dict[UUID, Seen] = {}

    def wanted(whose: Person) -> Callable[[], int]:
        return lambda: len(expected.get(whose.account.id, ()))

    async with listening(address, ada, wanted(ada)) as hers, listening(address, ben, wanted(ben)) as his:
        for start in range(0, EVENTS, 200):
            rows: list[EventRow] = []
            for number in range(start, start + 200):
                audience = chance.choice(audiences)
                name = chance.choice(NAMES)
                secret = f"{audience} {number}"
                # each a subject of its own: progress must not be left out here
                rows.append(row(audience, name, {"secret": secret, "document_id": secret, "task_id": secret}))
            async with transaction() as session:
                session.add_all(rows)
                await session.flush()
            logged += [(one.position, one.audience, one.data["secret"]) for one in rows]
            await ring()
        for one in (ada, ben):
            mine = [(position, secret) for position, audience, secret in logged if audience in (None, one.account.id)]
            expected[one.account.id] = sorted(mine)
    assert sum(audience == ada.account.id for _, audience, _ in logged) > 3000
    for one, ways in ((ada, hers), (ben, his)):
        for seen in ways:
            assert seen == expected[one.account.id]
