"""Annotations follow their text: run twice, two at once, or late, the rows are the same."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import pytest
from sqlalchemy import func, select, text, update

from service.annotations import actions, anchors
from service.annotations.anchoring import anchor_all
from service.annotations.anchoring import select as selecting
from service.annotations.tables import Annotation
from service.database import reading, transaction
from service.hooks import HOOKS
from service.outbox import OutboxRow
from service.queue.actors import TaskActor
from service.queue.broker import PharosBroker
from service.queue.tables import DeadLetter
from service.resources import actions as resources
from service.resources.events import ResourceContentChanged
from service.security.accounts import Account
from service.tasks import ANCHOR, RECENTER
from tests.search.conftest import ada, add, grace

__all__ = ["ada", "grace"]

pytestmark = pytest.mark.integration

STORY = "The keeper lights the lamp every evening. Ships count the seconds. At dawn he puts the lamp out."


@pytest.fixture
def anchor(monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskActor]:
    """The real actor, on a broker of its own."""
    before = dramatiq.broker.global_broker
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    monkeypatch.delitem(sys.modules, "workers.annotations", raising=False)
    import workers.annotations

    yield workers.annotations.anchor_annotations
    broker.close()
    sys.modules.pop("workers.annotations", None)
    dramatiq.broker.global_broker = before


async def mark(account: Account, resource_id: UUID, quote: str, content: str = STORY, **fields: Any) -> UUID:
    start = content.index(quote)
    async with transaction() as session:
        given = {"start": start, "end": start + len(quote), "quote": quote} | fields
        return (await actions.create(session, account, resource_id, given))["id"]


async def mark_all(account: Account, resource_id: UUID, content: str, quotes: list[str]) -> None:
    """Mark many passages at once, as `mark` would one by one."""
    async with transaction() as session:
        for quote in quotes:
            selector = selecting(content, content.index(quote), content.index(quote) + len(quote))
            session.add(
                Annotation(
                    owner_id=account.id, resource_id=resource_id, **asdict(selector), start=selector.position,
                    end=selector.position + len(quote), similarity=1.0, anchored_in=resources.hash_of(content),
                )
            )  # fmt: skip


async def change(account: Account, resource_id: UUID, content: str) -> None:
    async with transaction() as session:
        await resources.change(session, account, resource_id, {"content": content})


async def read(account: Account, id: UUID) -> dict[str, Any]:
    async with reading() as session:
        return await actions.read(session, account, id)


async def rows() -> list[tuple[Any, ...]]:
    """Return every annotation as it is stored, and the transaction that wrote it."""
    chosen = select(Annotation.__table__, text("xmin::text")).order_by(Annotation.id)
    async with reading() as session:
        return [tuple(row) for row in await session.execute(chosen)]


async def told(name: str) -> list[OutboxRow]:
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))


def test_it_runs_two_seconds_after_a_text_changed() -> None:
    [row] = [row for row in HOOKS if row.run is ANCHOR and row.event is ResourceContentChanged]
    assert (row.after, ANCHOR.queue.name, ANCHOR.key) == (2, "default", "resource_id")
    assert RECENTER.queue.name == "default"


async def test_a_passage_moves_with_its_text(ada: Account, anchor: TaskActor) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    exact, edited = (
        await mark(ada, resource_id, "Ships count the seconds"),
        await mark(ada, resource_id, "At dawn he puts"),
    )
    text = "A foreword. " + STORY.replace("At dawn he puts", "At dawn she puts")
    await change(ada, resource_id, text)
    assert (await read(ada, exact))["stale"]
    await anchor(resource_id)
    found = await read(ada, exact)
    assert (text[found["start"] : found["end"]], found["similarity"], found["stale"]) == (
        "Ships count the seconds", 1.0, False,
    )  # fmt: skip
    found = await read(ada, edited)
    assert text[found["start"] : found["end"]] == "At dawn she puts"
    assert (found["quote"], 0.9 < found["similarity"] < 1) == ("At dawn he puts", True)
    assert await told("annotation.updated") == []


async def test_what_is_lost_is_kept_and_comes_back_with_its_text(ada: Account, anchor: TaskActor) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    id = await mark(ada, resource_id, "Ships count the seconds", note="Mine", tags=["sea"])
    before = await read(ada, id)
    await change(ada, resource_id, "Nothing of that.")
    await anchor(resource_id)
    lost = await read(ada, id)
    assert lost == before | {"start": None, "end": None, "orphaned": True, "similarity": 0.0}
    await change(ada, resource_id, "Nothing of that either.")
    await anchor(resource_id)
    await change(ada, resource_id, STORY)
    await anchor(resource_id)
    assert await read(ada, id) == before
    updated = await told("annotation.updated")
    assert [row.data["annotation_id"] for row in updated] == [str(id)] * 2
    assert {row.audience for row in updated} == {ada.id}


async def test_twice_and_two_at_once_give_the_same_rows(ada: Account, grace: Account, anchor: TaskActor) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    for account in (ada, grace):
        await mark(account, resource_id, "the lamp every")
        await mark(account, resource_id, "Ships count the seconds")
    await change(ada, resource_id, "A foreword. " + STORY.replace("Ships count the seconds", ""))
    await asyncio.gather(anchor(resource_id), anchor(resource_id))
    once = await rows()
    assert len(await told("annotation.updated")) == 2
    await anchor(resource_id)
    assert await rows() == once
    assert len(await told("annotation.updated")) == 2


async def test_what_was_overtaken_is_not_written(ada: Account) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    await mark(ada, resource_id, "Ships count the seconds")
    await change(ada, resource_id, "second " + STORY)
    async with reading() as session:
        asked = await anchors.unanchored(session, resource_id)
    assert asked is not None
    await change(ada, resource_id, "third " + STORY)
    before = await rows()
    async with transaction() as session:
        assert await anchors.keep(session, asked, anchor_all(asked.content, asked.selectors)) == 0
    assert await rows() == before


async def test_a_passage_that_was_marked_anew_meanwhile_stays(ada: Account) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    id = await mark(ada, resource_id, "Ships count the seconds")
    await change(ada, resource_id, "second " + STORY)
    async with reading() as session:
        asked = await anchors.unanchored(session, resource_id)
    assert asked is not None
    async with transaction() as session:
        await actions.change(session, ada, id, {"start": 0, "end": 6, "quote": "second"})
        chosen = await actions.read(session, ada, id)
    async with transaction() as session:
        assert await anchors.keep(session, asked, anchor_all(asked.content, asked.selectors)) == 0
    assert await read(ada, id) == chosen


async def test_a_resource_that_is_deleted_while_the_task_waits_is_no_error(ada: Account, anchor: TaskActor) -> None:
    resource_id = await add(ada, "Lamps", STORY)
    await mark(ada, resource_id, "Ships count the seconds")
    await change(ada, resource_id, "second " + STORY)
    async with reading() as session:
        asked = await anchors.unanchored(session, resource_id)
    assert asked is not None
    async with transaction() as session:
        await resources.remove(session, ada, resource_id)
    await anchor(resource_id)
    await anchor(uuid4())
    async with transaction() as session:
        assert await anchors.keep(session, asked, anchor_all(asked.content, asked.selectors)) == 0
    assert await rows() == []


async def test_marking_waits_for_a_change_of_the_text(ada: Account) -> None:
    """Or a passage of the old text would be left behind by the task that the change asks for."""
    resource_id = await add(ada, "Lamps", STORY)
    async with transaction() as session:
        await resources.change(session, ada, resource_id, {"content": "Ships."})
        marking = asyncio.create_task(mark(ada, resource_id, "Ships count the seconds"))
        await asyncio.sleep(0.1)
        assert not marking.done()
    with pytest.raises((actions.OtherText, actions.OutsideTheText)):
        await marking


async def test_a_thousand_passages_follow_some_at_a_time(ada: Account, anchor: TaskActor) -> None:
    content = "".join(f"Sentence number {n}. " for n in range(1000))
    resource_id = await add(ada, "Many", content)
    await mark_all(ada, resource_id, content, [f"Sentence number {n}." for n in range(1000)])
    longer = "A foreword. " + content.replace("number 500.", "number five hundred and something.")
    await change(ada, resource_id, longer)
    await anchor(resource_id)
    async with reading() as session:
        found = list(await session.scalars(select(Annotation)))
    assert all(one.anchored_in == found[0].anchored_in for one in found)
    placed = {one.quote for one in found if one.start is not None and longer[one.start : one.end] == one.quote}
    assert len(placed) == 999


async def test_too_many_annotations_are_refused(ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST", 2)
    resource_id = await add(ada, "Lamps", STORY)
    for _ in range(2):
        await mark(ada, resource_id, "the lamp")
    with pytest.raises(actions.TooMany):
        await mark(ada, resource_id, "the lamp")


async def test_what_a_lost_task_left_behind_is_found(ada: Account, anchor: TaskActor) -> None:
    async def stale() -> int:
        async with transaction() as session:
            return await anchors.announce_stale(session)

    resource_id = await add(ada, "Lamps", STORY)
    await mark(ada, resource_id, "the lamp")
    assert await stale() == 0
    await change(ada, resource_id, "second " + STORY)
    assert await stale() == 1
    assert [(row.subject, row.audience) for row in await told("annotations.stale")] == [(resource_id, ada.id)]
    letter = DeadLetter(
        task_id="x", name=ANCHOR.name, queue="default", arguments={"resource_id": str(resource_id)},
        exception="boom", attempts=4, reason="exhausted",
    )  # fmt: skip
    async with transaction() as session:
        session.add(letter)
    assert await stale() == 0
    async with transaction() as session:
        await session.execute(update(DeadLetter).values(failed_at=func.now() - text("interval '1 hour'")))
    assert await stale() == 1
    await anchor(resource_id)
    assert await stale() == 0
