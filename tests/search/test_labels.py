"""What facets count of categories and quality: written beside the index, brought up to date without indexing anew."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.events import Envelope
from service.hooks import TABLE
from service.quality.events import QualityComputed
from service.search import actions, labels
from service.search.filters import Filters
from service.search.retrieval import search
from service.search.tables import SearchDocument
from service.security.accounts import Account
from service.settings import settings
from service.tasks import INDEX, LABEL
from service.taxonomy.events import ResourceClassified
from tests.search.conftest import add, findable, index, told

pytestmark = pytest.mark.integration

_QUALITY = text(
    """INSERT INTO quality (resource_id, overall, accuracy, completeness, consistency, timeliness, relevance, computed,
        reasons, input_hash, source_hash) VALUES (:id, :overall, 1, 1, 1, 1, 1, '{}', '{}', '', '')
    ON CONFLICT (resource_id) DO UPDATE SET overall = excluded.overall"""
)
_CATEGORY = text(
    """INSERT INTO categories (id, name, slug, path, names, lineage)
    VALUES (:id, :name, :name, :name, ARRAY[:name], ARRAY[CAST(:id AS uuid)])"""
)
_ABOUT = text(
    """INSERT INTO classifications (resource_id, is_predicted, rank, category_id, confidence, assigned)
    VALUES (:id, true, 0, :category, 0.9, true)"""
)


async def judge(resource_id: UUID, overall: float) -> None:
    async with transaction() as session:
        await session.execute(_QUALITY, {"id": resource_id, "overall": overall})


async def put_into(resource_id: UUID, name: str) -> None:
    """Let a resource be about a category that is new."""
    category = UUID(int=len(name))
    async with transaction() as session:
        await session.execute(_CATEGORY, {"id": category, "name": name})
        await session.execute(_ABOUT, {"id": resource_id, "category": category})


async def label(resource_id: UUID) -> bool:
    """Run what the task LABEL runs."""
    async with transaction() as session:
        return await labels.label(session, resource_id)


async def row(resource_id: UUID) -> SearchDocument:
    async with reading() as session:
        found = await session.get(SearchDocument, resource_id)
    assert found is not None
    return found


async def facets(account: Account, **narrowed: Any) -> dict[str, dict[str, int]]:
    return (await search("lamp", Filters(account.id, **narrowed), "keyword")).facets


async def test_what_a_text_is_about_and_how_good_it_is_are_counted_without_indexing_it_again(ada: Account) -> None:
    good, poor = await findable(ada, "Good", "A lamp."), await findable(ada, "Poor", "A lamp.")
    before = await row(good)
    await judge(good, 0.85)
    await judge(poor, 0.45)
    await put_into(good, "optics")
    assert await label(good)
    assert await label(poor)
    counted = await facets(ada)
    assert counted["quality"] == {"0.2": 2, "0.4": 2, "0.6": 1, "0.8": 1}
    assert counted["category"] == {"optics": 1}
    for level, number in counted["quality"].items():  # what a facet counts is what its filter finds
        assert (await search("lamp", Filters(ada.id, min_quality=float(level)), "keyword")).total == number
    after = await row(good)
    assert (after.indexed_at, after.input_hash, after.weights) == (before.indexed_at, before.input_hash, before.weights)


async def test_labels_that_are_the_same_are_not_written_and_not_told_of(ada: Account) -> None:
    resource_id = await findable(ada, "Lamps", "A lamp.", private=True)
    await judge(resource_id, 0.61)
    assert await label(resource_id)
    assert not await label(resource_id)
    await judge(resource_id, 0.79)  # the same level
    assert not await label(resource_id)
    events = await told("search.index_updated")
    assert [event.audience for event in events] == [ada.id] * 2  # indexed, and labelled once


async def test_a_text_that_is_not_indexed_yet_gets_its_labels_with_its_index(ada: Account) -> None:
    resource_id = await add(ada, "Lamps", "A lamp.")
    await judge(resource_id, 0.7)
    assert not await label(resource_id)
    assert await index(resource_id)
    assert not await label(resource_id)
    assert (await facets(ada))["quality"] == {"0.2": 1, "0.4": 1, "0.6": 1}


async def test_quality_and_categories_start_the_light_task_and_never_the_index(ada: Account) -> None:
    id = UUID(int=1)
    for event in (
        QualityComputed(resource_id=id, score=1, dimensions={}),
        ResourceClassified(resource_id=id, taxonomy_ids=[]),
    ):
        started = {dispatch.task for dispatch in TABLE.route(Envelope.of(event))}
        assert LABEL in started
        assert INDEX not in started


async def test_the_reconciler_finds_labels_that_nobody_brought_up_to_date(ada: Account) -> None:
    kept, lost = await findable(ada, "Kept", "A lamp."), await findable(ada, "Lost", "A lamp.")
    await judge(lost, 0.9)
    async with transaction() as session:
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '1 hour'"))
        found = await actions.announce_stale(session)
    assert found["indexed"] == 1
    assert [event.data for event in await told("search.index_stale")] == [{"resource_id": str(lost)}]
    assert await index(lost)
    assert "quality:0.8" in (await row(lost)).labels
    assert not await index(kept)


async def test_the_better_of_two_like_texts_comes_first_as_far_as_the_setting_says(
    ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor, good = await findable(ada, "One", "A lamp by night."), await findable(ada, "Two", "A lamp by night.")
    await judge(poor, 0.1)
    await judge(good, 0.9)
    first, second = (await search("lamp", Filters(ada.id), "keyword")).items
    assert (first["id"], second["id"]) == (good, poor)
    assert first["why"] == "by words; quality 0.90: +2 %"
    assert first["score"] / second["score"] == pytest.approx(1.016 / 0.984, rel=1e-4)
    monkeypatch.setenv("PHAROS_SEARCH_QUALITY", "0")
    settings.cache_clear()
    alike = (await search("lamp", Filters(ada.id), "keyword")).items
    assert alike[0]["score"] == alike[1]["score"]
    assert {one["why"] for one in alike} == {"by words"}
