"""Suggestions as one types, and the spelling that was meant."""

import pytest
from sqlalchemy import text

from service.database import reading, transaction
from service.resources import actions as resources
from service.search.filters import Filters
from service.search.retrieval import search
from service.search.suggestions import suggest
from service.security.accounts import Account
from tests.search.conftest import findable

pytestmark = pytest.mark.integration


async def suggested(who: Account, typed: str, most: int = 8) -> list[tuple[str, str]]:
    async with reading() as session:
        return [tuple(one) for one in await suggest(session, typed, Filters(who.id), most)]


async def test_words_by_frequency_then_titles(ada: Account) -> None:
    await findable(ada, "Lighthouses of Norway", "The lighthouse and the lightship.")
    await findable(ada, "Boats", "The lighthouse stands there.")
    assert await suggested(ada, "ligh") == [
        ("lighthouse", "word"), ("lighthouses", "word"), ("lightship", "word"), ("Lighthouses of Norway", "title"),
    ]  # fmt: skip
    assert await suggested(ada, "old ligh", most=1) == [("old lighthouse", "word")]
    assert ("Lighthouses of Norway", "title") in await suggested(ada, "norway ligh")


async def test_a_word_knows_about_how_many_texts_have_it(ada: Account, grace: Account) -> None:
    await findable(ada, "One", "lampas lampoons lampshade")
    for number in range(3):
        await findable(grace, f"Another {number}", "lampoon lampshade lampoon")
    await findable(ada, "The last", "lampshade")
    known = text("SELECT word, magnitude, documents FROM search_words JOIN search_terms t ON t.id = term_id")
    async with reading() as session:
        rows = (await session.execute(known)).all()
    counts = {row.word: (row.magnitude, row.documents) for row in rows if row.word.startswith("lamp")}
    assert counts == {"lampas": (0, 1), "lampoons": (2, 4), "lampoon": (2, 4), "lampshade": (2, 5)}
    assert await suggested(ada, "lampo") == [("lampoon", "word"), ("lampoons", "word")]


@pytest.mark.parametrize(
    "typed", ["", "l", "xyzzy", "lamp ", "'", "\\", "%", "a" * 900, "((((", "':*&|!", "😀", "\u202e", "é"]
)
async def test_nothing_to_suggest_is_no_error(ada: Account, typed: str) -> None:
    await findable(ada, "Lamps", "The lamp.")
    assert await suggested(ada, typed) == []


async def test_nobody_is_told_the_words_of_private_texts(ada: Account, grace: Account) -> None:
    await findable(ada, "Zanzibar papers", "The astrolabe of zanzibar.", private=True)
    await findable(grace, "Lamps", "The lamp.")
    assert await suggested(grace, "zanz") == []
    assert await suggested(grace, "astro") == []
    assert await suggested(ada, "zanz") == [("zanzibar", "word"), ("Zanzibar papers", "title")]
    assert (await search("astrolobe", Filters(grace.id), "keyword")).did_you_mean is None
    assert (await search("astrolobe", Filters(ada.id), "keyword")).did_you_mean == "astrolabe"


async def test_a_word_that_no_text_has_any_more_is_not_suggested(ada: Account) -> None:
    id = await findable(ada, "Lamps", "The astrolabe.")
    async with transaction() as session:
        await resources.remove(session, ada, id)
    assert await suggested(ada, "astro") == []


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("lihgthouse", "lighthouse"),
        ("the lightouse keeper", "the lighthouse keeper"),
        ('"lighthuose keeper" AND lamp', '"lighthouse keeper" AND lamp'),
        ("lighthouse keeper", None),
        ("lighthouses", None),
        ("the", None),
        ("qqqqqqqq", None),
        ("lighth*", None),
    ],
)
async def test_another_spelling_is_offered(ada: Account, asked: str, meant: str | None) -> None:
    await findable(ada, "Lighthouse", "The keeper of the lighthouse lights the lamp.")
    assert (await search(asked, Filters(ada.id), "keyword")).did_you_mean == meant
