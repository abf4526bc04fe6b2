"""Interactions that other slices tell of."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.events import Envelope
from service.recommendations.listening import record_annotation, record_collection_add, record_export
from service.recommendations.tables import Interaction
from service.resources import actions as resources
from service.security.accounts import Account, change_user
from tests.recommendations.conftest import book, told

pytestmark = pytest.mark.integration


def envelope(**data: Any) -> Envelope:
    """Return an event of a slice, as far as a listener looks at it."""
    event: Any = SimpleNamespace(**data)
    return Envelope(event, "a correlation")


async def recorded() -> list[tuple[UUID, str]]:
    async with reading() as session:
        rows = await session.scalars(select(Interaction).order_by(Interaction.id))
        return [(row.resource_id, row.interaction_type) for row in rows]


async def test_an_event_counts_once_however_often_it_is_carried_on(ada: Account) -> None:
    resource_id = await book(ada, "Lenses")
    annotated = envelope(user_id=ada.id, resource_id=resource_id)
    for _ in range(3):
        await record_annotation(annotated)
    await record_annotation(envelope(user_id=ada.id, resource_id=resource_id))
    assert await recorded() == [(resource_id, "annotation")] * 2
    assert [row.data["total_interactions"] for row in await told("user.interaction_tracked")] == [1, 2]
    assert [row.audience for row in await told("user.interaction_tracked")] == [ada.id] * 2


async def test_many_resources_of_one_event_count_each(ada: Account) -> None:
    ids = sorted([await book(ada, "Lenses"), await book(ada, "Ships")])
    added = envelope(user_id=ada.id, resource_ids=[*ids, ids[0], uuid4()])
    await record_collection_add(added)
    await record_collection_add(added)
    assert await recorded() == [(id, "collection_add") for id in ids]
    await record_export(envelope(user_id=ada.id, resource_ids=ids))
    assert (await recorded())[2:] == [(id, "export") for id in ids]


async def test_what_or_who_is_gone_is_no_error(ada: Account, grace: Account) -> None:
    hidden, gone, shared = await book(grace, "Diary", private=True), await book(grace, "Gone"), await book(grace, "X")
    async with transaction() as session:
        await resources.remove(session, grace, gone)
        await change_user(session, grace.id, disabled=True)
    for user_id, resource_id in (
        (ada.id, hidden),
        (ada.id, gone),
        (grace.id, shared),
        (uuid4(), shared),
        (None, shared),
    ):
        await record_annotation(envelope(user_id=user_id, resource_id=resource_id))
    assert await recorded() == []
    assert await told("user.interaction_tracked") == []
