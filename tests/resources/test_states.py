"""States of resources: many who ask at once share one look, and each gets what is theirs."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from service import database
from service.database import transaction
from service.errors import NotFound
from service.resources import states
from service.resources.states import state
from service.security.accounts import Account
from service.settings import Settings
from tests.search.conftest import ada, grace

__all__ = ["ada", "grace"]

pytestmark = pytest.mark.integration

_ADD = text(
    """INSERT INTO resources (id, owner_id, private, title, type, authors, subjects, tags, content, content_hash,
        word_count, status, version)
    VALUES (:id, :owner, :private, 'A lamp', 'webpage', '{}', '{}', '{}', '', '', 0, 'completed', :version)"""
)


async def test_many_at_once_share_a_look_and_each_gets_theirs(
    pharos: Settings, ada: Account, grace: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [uuid4() for _ in range(20)]
    async with transaction() as session:
        for number, id in enumerate(ids):
            await session.execute(_ADD, {"id": id, "owner": ada.id, "private": number % 2 == 1, "version": number + 1})
    looks: list[int] = []
    fetch = states.fetch

    async def counted(statement: database.Statement, **values: object) -> object:
        looks.append(len(values))
        return await fetch(statement, **values)

    monkeypatch.setattr(states, "fetch", counted)
    whom = [(who, id) for who in (ada, grace) for id in (*ids, uuid4())]
    leaving = asyncio.create_task(state("resource", ada.id, ids[0]))
    asked = [asyncio.create_task(state("resource", who.id, id)) for who, id in whom]
    await asyncio.sleep(0)  # all have asked
    leaving.cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert leaving.cancelled()
    assert len(looks) == 1
    for (who, id), answer in zip(whom, found, strict=True):
        number = ids.index(id) if id in ids else None
        if number is None or (who is grace and number % 2):
            assert isinstance(answer, NotFound)
        else:
            assert str(answer).startswith(f"{number + 1} ")


async def test_who_asks_after_a_change_sees_it_though_others_ask_too(pharos: Settings, ada: Account) -> None:
    id = uuid4()
    async with transaction() as session:
        await session.execute(_ADD, {"id": id, "owner": ada.id, "private": True, "version": 1})
    asking = True
    seen: list[str] = []

    async def ask() -> None:
        while asking:
            seen.append(await state("resource", ada.id, id))

    others = [asyncio.create_task(ask()) for _ in range(8)]
    try:
        for version in range(2, 60):
            async with transaction() as session:
                await session.execute(
                    text("UPDATE resources SET version = :version WHERE id = :id"), {"version": version, "id": id}
                )
            assert (await state("resource", ada.id, id)).startswith(f"{version} ")
    finally:
        asking = False
        await asyncio.gather(*others)
    assert len(seen) > 58


async def test_all_who_share_a_look_that_fails_are_told(
    pharos: Settings, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(statement: database.Statement, **values: object) -> object:
        raise database.DatabaseAway(reason="it fell")

    monkeypatch.setattr(states, "fetch", broken)
    found = await asyncio.gather(*(state("quality", ada.id, uuid4()) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [database.DatabaseAway] * 3
    monkeypatch.undo()
    with pytest.raises(NotFound):
        await state("quality", ada.id, uuid4())
