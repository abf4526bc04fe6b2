"""Citations of texts that people give: found by a task, told of where they differ, and found again when lost."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, text, update

from service.database import reading, transaction
from service.ingestion import given
from service.ingestion.tables import CitationReading
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.accounts import Account
from service.tasks import CITE
from tests.search.conftest import add, person, told
from tests.sent import Sent

pytestmark = pytest.mark.integration

NOTE = """What I read about lenses, doi:10.1000/182 and https://example.org/lenses.

References
[1] Fresnel, A. Mémoire sur un nouveau système d'éclairage des phares. 1822.
[2] Vaswani, A. Attention is all you need. arXiv:1706.03762, 2017.
"""


@pytest.fixture
async def ada(pharos: object) -> Account:
    return await person("ada")


async def cite(resource_id: UUID) -> bool:
    """Run what the task CITE runs."""
    async with reading() as session:
        draft = await given.drafted(session, resource_id)
    if draft is None:
        return False
    found = await draft.citations()
    async with transaction() as session:
        return await given.keep(session, draft, found)


async def cited(resource_id: UUID) -> list[tuple[str, str]]:
    async with reading() as session:
        chosen = text("SELECT kind, value FROM citations WHERE resource_id = :id ORDER BY position")
        return [(row.kind, row.value) for row in await session.execute(chosen, {"id": resource_id})]


async def test_a_note_has_the_citations_of_its_text(ada: Account) -> None:
    id = await add(ada, "Lenses", NOTE, private=True)
    assert await cite(id)
    assert await cited(id) == [
        ("doi", "10.1000/182"), ("url", "https://example.org/lenses"),
        ("reference", "Fresnel, A. Mémoire sur un nouveau système d'éclairage des phares. 1822."),
        ("arxiv", "1706.03762"),
    ]  # fmt: skip
    (event,) = await told("citations.extracted")
    assert (event.data["resource_id"], event.data["count"], event.audience) == (str(id), 4, ada.id)
    assert not await cite(id)  # the same text is not looked through again
    assert len(await told("citations.extracted")) == 1


async def test_another_text_has_other_citations(ada: Account) -> None:
    id = await add(ada, "Lenses", NOTE)
    await cite(id)
    for content, found in (("Only doi:10.1000/7 now.", [("doi", "10.1000/7")]), ("Nothing any more.", [])):
        async with transaction() as session:
            await resources.change(session, ada, id, {"content": content})
        assert await cite(id)
        assert await cited(id) == found
    async with transaction() as session:
        await resources.change(session, ada, id, {"content": "Still nothing."})
    assert not await cite(id)
    assert [event.data["count"] for event in await told("citations.extracted")] == [4, 1, 0]


async def test_what_was_read_from_a_page_keeps_the_citations_from_there(ada: Account) -> None:
    id = await add(ada, "A page", NOTE, content_html="<p>What I read</p>")
    assert not await cite(id)
    assert await cited(id) == []


async def test_a_text_that_changes_meanwhile_is_left_to_the_next_task(ada: Account) -> None:
    id = await add(ada, "Lenses", NOTE)
    async with reading() as session:
        draft = await given.drafted(session, id)
    assert draft is not None
    async with transaction() as session:
        await resources.change(session, ada, id, {"content": "Another text."})
    async with transaction() as session:
        assert not await given.keep(session, draft, await draft.citations())
    assert await cited(id) == []


async def test_a_long_text_is_looked_through_elsewhere(ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "QUICK", 10)
    id = await add(ada, "Lenses", "As doi:10.1000/182 says.")
    assert await cite(id)
    assert await cited(id) == [("doi", "10.1000/182")]


async def test_lost_ones_are_found_again(ada: Account) -> None:
    kept, lost = await add(ada, "Kept", NOTE), await add(ada, "Lost", NOTE)
    await cite(kept)
    await cite(lost)
    async with transaction() as session:
        await session.execute(delete(CitationReading).where(CitationReading.resource_id == lost))
        await session.execute(update(Resource).values(updated_at=text("now() - interval '1 hour'")))
    async with transaction() as session:
        assert await given.announce_stale(session) == 1
    assert [event.data for event in await told("citations.stale")] == [{"resource_id": str(lost)}]


async def test_a_note_and_its_next_text_start_the_task_and_a_title_does_not(api: httpx.AsyncClient, sent: Sent) -> None:
    id = (await api.post("/resources", json={"title": "Lenses", "content": NOTE})).json()["id"]
    await sent.expect(CITE, resource_id=id)
    sent.asked.clear()
    await api.put(f"/resources/{id}", json={"title": "About lenses"})
    await api.put(f"/resources/{id}", json={"content": "Another text."})
    await sent.expect(CITE, resource_id=id)
    assert [one.task for one in sent.asked].count(CITE.name) == 1
