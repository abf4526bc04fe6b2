"""Texts and metadata that nobody expects: no error, and rows that are right."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from service.database import transaction
from service.graph.actions import replace_citations
from service.ingestion.extracted import Citation
from service.quality.evidence import CITATIONS
from service.quality.scores import DIMENSIONS
from service.resources.tables import Resource
from service.security.accounts import Account
from tests.quality.conftest import TEXT, add, assessed, drafted, kept, remove, row, told

pytestmark = pytest.mark.integration


async def scores(owner: Account, title: str, content: str, **fields: Any) -> dict[str, float]:
    """Add and assess; return the scores, which are all there, with a reason each, and the same when computed again."""
    id = await add(owner, title, content, **fields)
    assert await assessed(id)
    assert not await assessed(id)
    found = await row(id)
    assert all(found.reasons[name] for name in DIMENSIONS)
    values = {name: getattr(found, name) for name in ("overall", *DIMENSIONS)}
    assert all(0 <= value <= 1 for value in values.values())
    assert len(await told("quality.computed")) == 1
    return values


async def test_an_empty_text(ada: Account) -> None:
    """As a scanned document without words has it."""
    id = await add(ada, "Scan", "x")
    async with transaction() as session:
        resource = await session.get_one(Resource, id)
        resource.content, resource.word_count = "", 0
    assert await assessed(id)
    found = await row(id)
    assert found.readability is None
    assert "Its text has 0 words; 300 count as complete." in found.reasons["completeness"]
    assert "0 of 1 of the title's words are in the text." in found.reasons["consistency"]


async def test_one_word(ada: Account) -> None:
    assert (await scores(ada, "Lamp", "Lamp"))["consistency"] == 1.0


@pytest.mark.parametrize("content", ["😀" * 500, " \u200b ", "\n\n\n", "....", "\ud7ff\U0010ffff", "0" * 5000])
async def test_no_words_at_all(ada: Account, content: str) -> None:
    values = await scores(ada, "Lamps at sea", content)
    assert values["consistency"] == 0.0
    assert values["completeness"] < 0.3


async def test_mixed_scripts(ada: Account) -> None:
    values = await scores(ada, "The lamp", "The lamp Маяк у моря 灯台の光 המגדלור the sea море ليلا " * 30)
    assert 0.5 < values["consistency"] < 1


async def test_five_megabytes_cost_hardly_more_than_fifty_kilobytes(ada: Account) -> None:
    id = await add(ada, "The lamp", "lamp and sea. " * 380_000)
    draft = await drafted(id)
    assert draft is not None
    assert len(draft.evidence.text) == 50_000
    began = time.process_time()
    assert await kept(draft)
    assert time.process_time() - began < 2
    assert "Its text has 1,140,000 words." in (await row(id)).reasons["completeness"]


@pytest.mark.parametrize("unit", ["a.", "a!\n", "x'", "aeiou", "10.1000/", "ISBN 97", "http://a.b/", "e" * 50_000, "é̀"])
async def test_an_odd_text_takes_no_longer_than_another(ada: Account, unit: str) -> None:
    id = await add(ada, "Odd", unit * (200_000 // len(unit)))
    async with asyncio.timeout(10):
        assert await assessed(id)


@pytest.mark.parametrize(
    ("published_at", "value"),
    [(None, 0.5), (datetime(2126, 1, 1, tzinfo=UTC), 0.3), (datetime(1, 1, 2, tzinfo=UTC), 0.0)],
)
async def test_dates_that_are_none_or_odd(ada: Account, published_at: datetime | None, value: float) -> None:
    assert (await scores(ada, "The lamp", TEXT, published_at=published_at))["timeliness"] == value


async def test_three_thousand_authors(ada: Account) -> None:
    authors = [f"Author {n}" for n in range(3000)]
    assert (await scores(ada, "The lamp", TEXT, authors=authors))["completeness"] > 0.4


async def test_more_citations_than_are_checked(ada: Account) -> None:
    id = await add(ada, "The lamp", TEXT)
    async with transaction() as session:
        await replace_citations(session, id, [Citation("doi", f"10.1000/{n}", "x") for n in range(3000)])
    assert await assessed(id)
    assert (await row(id)).reasons["accuracy"][0].startswith(f"{CITATIONS} of {CITATIONS} citations")


async def test_a_self_citation(ada: Account) -> None:
    url = "https://example.org/lamp"
    id = await add(ada, "The lamp", TEXT, url=url, canonical_url=url)
    async with transaction() as session:
        await replace_citations(session, id, [Citation("url", url, "here")])
    assert await assessed(id)
    found = await row(id)
    assert "It cites itself, which supports nothing." in found.reasons["accuracy"]
    assert "Nothing in the library cites it." in found.reasons["relevance"]


async def test_a_duplicate_of_itself_in_a_circle(ada: Account) -> None:
    one, two = await add(ada, "One", TEXT), await add(ada, "Two", TEXT + "!")
    async with transaction() as session:
        (await session.get_one(Resource, one)).near_duplicate_of = two
        (await session.get_one(Resource, two)).near_duplicate_of = one
    assert [await assessed(one), await assessed(two)] == [True, True]


async def test_a_resource_that_is_deleted_while_its_task_waits(ada: Account) -> None:
    id = await add(ada, "The lamp", TEXT)
    draft = await drafted(id)
    await remove(ada, id)
    assert draft is not None
    assert not await kept(draft)
    assert not await assessed(id)
    assert await told("quality.computed") == []
