"""The statement behind a PUT: what it sets, what it tells, and that nobody's change is lost."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from service.database import reading, transaction
from service.errors import NotFound, PreconditionFailed
from service.outbox import OutboxRow
from service.resources import actions
from service.resources.tables import Resource
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pharos")]

NOTE = {"title": "The lamp", "content": "It shines over the harbour.", "tags": ["light"]}


async def person(name: str) -> Account:
    async with transaction() as session:
        user = await create_user(session, name, "editor")
    return Account(user.id, name, "editor", ROLES["editor"])


async def note(owner: Account, **fields: Any) -> UUID:
    async with transaction() as session:
        return (await actions.create(session, owner, NOTE | fields, "content")).id


async def change(account: Account, id: UUID, if_match: int | None = None, **fields: Any) -> dict[str, Any]:
    async with transaction() as session:
        return dict(await actions.change(session, account, id, fields, if_match))


async def stored(id: UUID) -> dict[str, Any]:
    async with reading() as session:
        row = (await session.execute(select(Resource.__table__).where(Resource.id == id))).mappings().one()
    return dict(row)


async def events(since: int = 2) -> Sequence[tuple[str, Any, UUID | None]]:
    """Return name, changed fields and audience of the events after the first two, which tell of the creation."""
    async with reading() as session:
        rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.seq))).all()
    return [(row.name, row.data["changed_fields"], row.audience) for row in rows[since:]]


async def test_it_answers_with_the_row_as_it_is_stored() -> None:
    ada = await person("ada")
    id = await note(ada)
    published = datetime(1822, 7, 29, tzinfo=UTC)
    answer = await change(ada, id, title="The lantern", published_at=published, description=None)
    row = await stored(id)
    del row["content_html"]  # it can be large, and nobody is shown it here
    assert answer | row == answer
    assert (row["title"], row["published_at"], row["version"]) == ("The lantern", published, 2)
    assert row["updated_at"] > row["created_at"]


async def test_only_what_differs_is_told() -> None:
    ada = await person("ada")
    id = await note(ada)
    await change(ada, id, title="The lantern", tags=["light"], content=NOTE["content"], language="en")
    assert await events() == [
        ("resource.updated", ["language", "title"], None),
        ("resource.metadata_changed", ["language", "title"], None),
    ]


async def test_a_new_text_has_a_new_hash_and_no_old_html() -> None:
    ada = await person("ada")
    id = await note(ada)
    async with transaction() as session:
        await session.execute(update(Resource).where(Resource.id == id).values(content_html="<p>It shines.</p>"))
    await change(ada, id, title="The lantern", content=NOTE["content"])
    assert (await stored(id))["content_html"] == "<p>It shines.</p>"
    await change(ada, id, content="It is dark now.")
    row = await stored(id)
    assert (row["content_html"], row["word_count"]) == (None, 4)
    assert row["content_hash"] == actions.hash_of("It is dark now.")


@pytest.mark.parametrize("fields", [{}, {"title": "The lamp"}, {"tags": ["light"], "url": None}])
async def test_what_differs_in_nothing_changes_nothing(fields: dict[str, Any]) -> None:
    ada = await person("ada")
    id = await note(ada)
    before = await stored(id)
    answer = await change(ada, id, if_match=1, **fields)
    assert await stored(id) == before == answer
    assert await events() == []


async def test_the_version_that_was_seen_must_be_the_present_one() -> None:
    ada = await person("ada")
    id = await note(ada)
    with pytest.raises(PreconditionFailed):
        await change(ada, id, if_match=7, title="The lantern")
    with pytest.raises(PreconditionFailed):
        await change(ada, id, if_match=7, title="The lamp")
    assert (await change(ada, id, if_match=1, title="The lantern"))["version"] == 2


async def test_a_private_one_is_changed_by_its_owner_only_who_alone_hears_of_it() -> None:
    ada, bert = await person("ada"), await person("bert")
    id = await note(ada, private=True)
    with pytest.raises(NotFound):
        await change(bert, id, title="Mine")
    await change(ada, id, title="The lantern")
    await change(ada, id, private=False)
    await change(bert, id, title="Ours")
    assert [audience for _, _, audience in await events()] == [ada.id, ada.id, ada.id, ada.id, None, None]


async def test_of_simultaneous_changes_none_is_lost() -> None:
    ada = await person("ada")
    id = await note(ada)
    answers = await asyncio.gather(*(change(ada, id, title=f"Lamp {n}", tags=[str(n)]) for n in range(20)))
    assert sorted(answer["version"] for answer in answers) == list(range(2, 22))
    last = max(answers, key=lambda answer: answer["version"])
    row = await stored(id)
    assert (row["version"], row["title"], row["tags"]) == (21, last["title"], last["tags"])
    assert len(await events()) == 40


async def test_of_simultaneous_changes_of_one_seen_version_one_wins() -> None:
    ada = await person("ada")
    id = await note(ada)
    answers = await asyncio.gather(
        *(change(ada, id, if_match=1, title=f"Lamp {n}") for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert sum(isinstance(answer, PreconditionFailed) for answer in answers) == 9
    assert (await stored(id))["version"] == 2
