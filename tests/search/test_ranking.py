"""Ranking: BM25 with counts that stay true, exact things that meaning must not bury, newer texts, reasons."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from service.database import reading, transaction
from service.resources import actions as resources
from service.search import keyword
from service.search.filters import Filters
from service.search.fusion import Ranked, blend, freshened, share_of_words
from service.search.query import parse
from service.search.retrieval import Found, search, similar
from service.search.terms import FIELD_WEIGHTS, LENGTH, SATURATION
from service.security.accounts import Account
from tests.model_server import ModelServer
from tests.search.conftest import findable, index, meaningful

pytestmark = pytest.mark.integration


def titles(found: Found) -> list[str]:
    return [item["title"] for item in found.items]


async def counts() -> dict[str, int]:
    async with reading() as session:
        rows = await session.execute(text("SELECT lexeme, documents FROM search_terms WHERE documents > 0"))
        return {row.lexeme: row.documents for row in rows}


async def corpora() -> dict[str, tuple[int, float]]:
    async with reading() as session:
        rows = await session.execute(text("SELECT configuration, documents, length FROM search_corpora"))
        return {row.configuration: (row.documents, row.length) for row in rows}


async def recounted() -> dict[str, int]:
    """Count the terms anew."""
    async with reading() as session:
        rows = await session.execute(text("SELECT word, ndoc FROM ts_stat('SELECT tsv FROM search_documents')"))
        return {row.word: row.ndoc for row in rows}


async def test_the_score_is_that_of_the_formula(ada: Account) -> None:
    await findable(ada, "-", "lamp lamp sea")
    await findable(ada, "-", "lamp stone")
    await findable(ada, "-", "stone stone stone bread")
    found = await search("lamp", Filters(ada.id), "keyword")
    size, frequency = 3, 2
    rarity = log(1 + (size - frequency + 0.5) / (frequency + 0.5))
    averages = [3, 2.5]  # at the time when each was indexed

    def weight(occurrences: float, length: float, average: float) -> float:
        return occurrences * (SATURATION + 1) / (occurrences + SATURATION * (1 - LENGTH + LENGTH * length / average))

    expected = [rarity * weight(2, 3, averages[0]), rarity * weight(1, 2, averages[1])]
    assert [item["score"] for item in found.items] == pytest.approx(expected, abs=0.001)


async def test_a_rare_word_tells_more_than_a_frequent_one_and_a_title_more_than_a_text(ada: Account) -> None:
    for number in range(12):
        await findable(ada, f"Filler {number}", "The engine turns.")
    await findable(ada, "Frequent", "engine engine engine engine")
    await findable(ada, "Rare", "The astrolabe turns.")
    await findable(ada, "Astrolabe", "It turns.")
    assert titles(await search("engine astrolabe", Filters(ada.id), "keyword"))[:2] == ["Astrolabe", "Rare"]
    assert FIELD_WEIGHTS["A"] > FIELD_WEIGHTS["D"]


async def test_counts_follow_every_change(ada: Account) -> None:
    first = await findable(ada, "Lamps", "the lamp of the keeper")
    second = await findable(ada, "Sea", "the lamp of the sea", language="de")
    assert await counts() == await recounted()
    async with transaction() as session:
        await resources.change(session, ada, first, {"content": "a stone"})
    assert await index(first)
    assert not await index(first)
    assert await counts() == await recounted()
    async with transaction() as session:
        await resources.remove(session, ada, second)
    assert await counts() == await recounted()
    assert sum(documents for documents, _ in (await corpora()).values()) == 1
    async with reading() as session:
        length = await session.scalar(text("SELECT sum(length) FROM search_documents"))
    assert sum(length for _, length in (await corpora()).values()) == pytest.approx(length)
    assert (await corpora())["pharos_german"] == (0, 0)


EXACT = {
    **{f"10.{1000 + n}/abc.{n}": f"See doi:10.{1000 + n}/abc.{n} for the data." for n in range(12)},
    **{f"ISO {9000 + n}": f"The quality norm ISO {9000 + n} was revised." for n in range(8)},
    **{f"{n}.{n + 3}.7": f"The release {n}.{n + 3}.7 mends an error." for n in range(2, 10)},
    **{f"CVE-2024-{31000 + n}": f"A flaw, CVE-2024-{31000 + n}, was found in the kernel." for n in range(6)},
    **{
        name: f"The letter was written by {name} in the evening."
        for name in (
            "Quirrell", "Okonkwo", "Szymborska", "Brontë", "Nguyễn", "Xiuying", "Fraunhofer", "Kowalewska",
            "Tchaikovsky", "Ødegaard",
        )
    },
    **{
        word: f"On the table lay a {word} beside the bread."
        for word in ("astrolabe", "theodolite", "bassoon", "samovar", "sextant", "zither")
    },
}  # fmt: skip


async def test_hybrid_never_loses_what_is_exact(ada: Account, server: ModelServer) -> None:
    assert len(EXACT) == 50
    of: dict[str, UUID] = {}
    for query, content in EXACT.items():
        of[query] = await meaningful(ada, "A note", content)
    for query, id in of.items():
        by_words = await search(query, Filters(ada.id), "keyword", limit=1)
        both = await search(query, Filters(ada.id), limit=1)
        assert by_words.items[0]["id"] == id, query
        assert both.items[0]["id"] == id, query


async def test_what_words_find_is_found_by_both_and_explained(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Lamps", "The keeper lights the lamp.")
    await findable(ada, "Lamp oil", "Oil for a lamp.")
    found = await search("lamp", Filters(ada.id))
    why = {item["title"]: item["why"] for item in found.items}
    assert why == {"Lamps": "by words: 1st; by meaning: 1st", "Lamp oil": "by words: 2nd"}


async def test_newer_texts_move_up_where_asked_for(ada: Account, server: ModelServer) -> None:
    now = datetime.now(UTC)
    for age, title in ((2000, "Old"), (1, "New")):
        await findable(ada, title, "The lamp.", published_at=now - timedelta(days=age))
    await findable(ada, "Undated and longer", "The lamp is here.")
    plain = await search("lamp", Filters(ada.id), "keyword")
    fresh = await search("lamp", Filters(ada.id), "keyword", freshness=True)
    assert set(titles(plain)) == set(titles(fresh))
    assert titles(fresh).index("New") < titles(fresh).index("Old")
    assert next(item["why"] for item in fresh.items if item["title"] == "New") == "by words; newer: +20 %"
    assert next(item["why"] for item in fresh.items if item["title"] == "Old") == "by words"


@pytest.mark.parametrize(
    ("query", "other"),
    [
        ('"lamp of the sea"', "lamp of the sea at night"),
        ("lamp", "how does a lamp work"),
        ("10.1000/182", "what is the lamp of the sea made of?"),
        ("lamp AND oil", "which lamp burns oil"),
    ],
)
def test_words_count_more_where_a_query_is_meant_as_it_stands(query: str, other: str) -> None:
    assert share_of_words(parse(query)) > share_of_words(parse(other)) > 0.5


ids = st.lists(st.uuids(), unique=True, max_size=30)


@given(words=ids, meaning=ids, share=st.floats(0.1, 0.9))
def test_blending_keeps_all_once_in_order(words: list[UUID], meaning: list[UUID], share: float) -> None:
    blended = blend(words, meaning, share)
    assert {one.id for one in blended} == {*words, *meaning}
    assert len(blended) == len({*words, *meaning})
    scores = [one.score for one in blended]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert all(one.why for one in blended)


def test_an_age_before_birth_is_none() -> None:
    now = datetime.now(UTC)
    [one] = freshened([Ranked(UUID(int=1), 0.5, "by words")], {UUID(int=1): now + timedelta(days=9)}, now)
    assert one.score == pytest.approx(0.6)


async def test_what_is_similar_leaves_out_itself_its_copies_and_what_is_private(
    ada: Account, grace: Account, server: ModelServer
) -> None:
    lamps = await meaningful(ada, "Lamps", "The keeper lights the lamp of the lighthouse every evening.")
    await meaningful(ada, "Copy", "The keeper lights the lamp of the lighthouse every evening.")
    await meaningful(ada, "Secret", "A lighthouse at night, and its lamp.", private=True)
    await meaningful(ada, "Light", "The lighthouse shines at night, and ships see it from afar.")
    await meaningful(ada, "Bread", "Mash the bananas, add flour and eggs, and bake for an hour.")
    silent = await findable(ada, "Nothing to read yet", "A lamp.")
    assert (await similar(grace.id, lamps, 10))[0]["title"] == "Light"
    assert {item["title"] for item in await similar(grace.id, lamps, 10)} <= {"Light", "Bread"}
    assert {item["title"] for item in await similar(ada.id, lamps, 2)} == {"Light", "Secret"}
    assert await similar(ada.id, silent, 10) == []


async def test_tags_filter_and_are_counted(ada: Account) -> None:
    await findable(ada, "Lamps", "The lamp.", tags=["sea", "light"])
    await findable(ada, "Oil", "The lamp.", tags=["sea"], subjects=["Chemistry"])
    found = await search("lamp", Filters(ada.id), "keyword")
    assert (found.facets["tag"], found.facets["subject"]) == ({"sea": 2, "light": 1}, {"Chemistry": 1})
    assert titles(await search("lamp", Filters(ada.id, tags=["sea", "light"]), "keyword")) == ["Lamps"]


async def test_facets_say_when_they_do_not_count_all(ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    await findable(ada, "Lamps", "The lamp.")
    found: Any = await search("lamp", Filters(ada.id), "keyword")
    assert found.facets_exact
    monkeypatch.setattr("service.search.keyword.COUNTED", 0)
    found = await search("lamp", Filters(ada.id), "keyword")
    assert not found.facets_exact


async def test_partial_matches_are_looked_for_by_the_rarest_words(
    ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await findable(ada, f"Common {number}", "The engine.")
    await findable(ada, "Rare", "The astrolabe.")
    assert (await search("engine astrolabe", Filters(ada.id), "keyword")).total == 5
    statement = keyword._MATCHES.text.replace("greatest(2000,", "greatest(2,")  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(keyword, "_MATCHES", text(statement))
    assert titles(await search("engine astrolabe", Filters(ada.id), "keyword")) == ["Rare"]
    assert (await search("engine engine", Filters(ada.id), "keyword")).total == 4  # the rarest of all, whatever it has


async def test_what_others_keep_to_themselves_is_neither_found_nor_counted(ada: Account, grace: Account) -> None:
    await findable(grace, "Hers", "The lamp.", private=True, tags=["secret"])
    hidden = await findable(grace, "Open as yet", "The lamp.", tags=["open"])
    await findable(ada, "Mine", "The lamp.", private=True, tags=["mine"])
    found = await search("lamp", Filters(ada.id), "keyword")
    assert (found.total, set(found.facets["tag"])) == (2, {"open", "mine"})
    async with transaction() as session:
        await resources.change(session, grace, hidden, {"private": True})
    found = await search("lamp", Filters(ada.id), "keyword")  # at once, though the index is not made anew
    assert (found.total, set(found.facets["tag"])) == (1, {"mine"})
    assert (await search("lamp", Filters(ada.id, tags=["open"]), "keyword")).total == 0
    assert (await search("lamp", Filters(grace.id), "keyword")).total == 2


async def test_facets_follow_what_is_changed(ada: Account) -> None:
    id = await findable(ada, "Lamps", "The lamp.", authors=["Ada: the first"], type="webpage")
    async with transaction() as session:
        await resources.change(session, ada, id, {"type": "document", "tags": ["a:b"]})
    assert await index(id)
    facets = (await search("lamp", Filters(ada.id), "keyword")).facets
    assert facets["type"] == {"document": 1}
    assert (facets["author"], facets["tag"]) == ({"Ada: the first": 1}, {"a:b": 1})
