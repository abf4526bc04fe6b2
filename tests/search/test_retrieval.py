"""Searches, over a real index and the real model."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from service.database import engine, reading, transaction
from service.errors import Invalid
from service.resources import actions as resources
from service.search import fusion, keyword, retrieval, semantic
from service.search.filters import Filters
from service.search.keyword import FACETS
from service.search.retrieval import Found, search
from service.security.accounts import Account
from tests.model_server import ModelServer
from tests.search.conftest import findable, meaningful

pytestmark = pytest.mark.integration

LAMPS = "The keeper lights the lamp every evening and puts it out at dawn."
BREAD = "Mash the bananas, add flour and eggs, and bake the bread for an hour."
CODE = "JavaScript runs in the browser. Programs written in it are everywhere."


def titles(found: Found) -> list[str]:
    return [item["title"] for item in found.items]


async def words(who: Account, query: str, **options: Any) -> list[str]:
    return titles(await search(query, Filters(who.id), "keyword", **options))


@pytest.fixture
async def library(ada: Account) -> Account:
    """Texts that words find."""
    await findable(ada, "Lamps", LAMPS, authors=["Fresnel, Augustin"], tags=["sea"])
    await findable(ada, "Bread", BREAD, type="webpage")
    await findable(ada, "Browsers", CODE)
    await findable(
        ada, "Machines", "Machine learning with Python: neural networks, a deep network for the high-speed lane."
    )
    await findable(
        ada, "Engines", "A machine is made of iron, learning comes later. Java is an island. The network is neural."
    )
    await findable(ada, "Numbers", "See doi:10.1000/xyz-12 and https://example.org/a_b/c.html, COVID-19, version 3.14.")
    return ada


FOUND_BY_WORDS: dict[str, set[str]] = {
    "lamp": {"Lamps"},
    "lamps lighting": {"Lamps"},
    "xyzzyqwv": set(),
    "machine AND python": {"Machines"},
    "python OR java": {"Machines", "Engines"},
    "machine NOT python": {"Engines"},
    "machine -python": {"Engines"},
    '"machine learning"': {"Machines"},
    '"neural network"': {"Machines"},
    "mach*": {"Machines", "Engines"},
    "(bread OR lamp) AND bake": {"Bread"},
    "fresnel": {"Lamps"},
    "sea": {"Lamps"},
    "10.1000/xyz-12": {"Numbers"},
    "covid-19": {"Numbers"},
    "3.14": {"Numbers"},
    "example.org": {"Numbers"},
    "a_b": {"Numbers"},
    "highspeed": set(),
    "high-speed": {"Machines"},
    '"high speed"': {"Machines"},
    "the": set(),
    "programs": {"Browsers"},
}


async def test_words_find(library: Account) -> None:
    assert {query: set(await words(library, query)) for query in FOUND_BY_WORDS} == FOUND_BY_WORDS


async def test_texts_with_all_words_come_first_and_others_follow(library: Account) -> None:
    assert await words(library, "machine python") == ["Machines", "Engines"]


async def test_where_enough_texts_have_all_words_no_other_is_found(ada: Account) -> None:
    for number in range(keyword.ENOUGH):
        await findable(ada, f"Both {number}", f"A lamp for ship number {number}.")
    await findable(ada, "One", "A lamp for the stairs.")
    assert "One" not in await words(ada, "lamp ship")
    assert "One" in await words(ada, "lamp OR ship")


async def test_a_rare_word_counts_more_than_a_frequent_one(ada: Account) -> None:
    for number in range(8):
        await findable(ada, f"Lamp {number}", "A lamp is a lamp.")
    await findable(ada, "Rare", "An astrolabe.")
    assert (await words(ada, "lamp astrolabe"))[0] == "Rare"


async def test_a_title_counts_more_than_the_text(ada: Account) -> None:
    await findable(ada, "About bread", "The keeper of the lamp.")
    await findable(ada, "About lamps", "The keeper of the bread.")
    assert await words(ada, "bread") == ["About bread", "About lamps"]


async def test_stop_words_of_the_library_s_language_tell_nothing_elsewhere(ada: Account) -> None:
    for number in range(3):
        await findable(ada, f"English {number}", "The keeper of the lamp.")
    await findable(ada, "Unknown", "Who is the one, and what is the other of the two?", language=None)
    assert set(await words(ada, "what is the lamp of the keeper")) == {"English 0", "English 1", "English 2"}


async def test_accents_and_case_do_not_matter(ada: Account) -> None:
    await findable(ada, "Life", "Send your résumé.")
    for query in ("resume", "résumé", "RÉSUMÉ", "re\u0301sume\u0301"):
        assert await words(ada, query) == ["Life"]


async def test_a_text_is_found_by_the_rules_of_its_language(ada: Account) -> None:
    await findable(ada, "Häuser", "Die Häuser der Leuchtturmwärter.", language="de")
    await findable(ada, "Houses", "The houses of the keepers.", language="en")
    assert await words(ada, "haus") == ["Häuser"]
    assert await words(ada, "house") == ["Houses"]


async def test_the_beginning_of_the_last_word_is_enough_while_typing(library: Account) -> None:
    assert await words(library, "keep", unfinished=True) == ["Lamps"]
    assert await words(library, "evening laj", unfinished=True) == ["Lamps"]
    assert await words(library, "kee") == []


async def test_meaning_finds_what_no_word_does(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Bread", BREAD)
    await meaningful(ada, "Lamps", LAMPS)
    assert await words(ada, "dessert recipe") == []
    assert titles(await search("dessert recipe", Filters(ada.id), "semantic")) == ["Bread"]
    assert titles(await search("dessert recipe", Filters(ada.id)))[0] == "Bread"


async def test_what_both_find_comes_before_what_one_finds(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Both", "The lighthouse keeper lights the lamp.")
    await findable(ada, "Words", "A lamp.")
    found = await search("lighthouse lamp", Filters(ada.id))
    assert titles(found) == ["Both", "Words"]
    assert found.items[0]["score"] == 1
    assert found.total == 2


async def test_what_words_find_is_never_lost(
    ada: Account, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "CANDIDATES", 3)
    for number in range(9):
        await meaningful(ada, f"Lamp {number}", f"The keeper lights lamp {number}.")
    await findable(ada, "Code", "Part number QX7741 of the lamp.")
    assert titles(await search("QX7741", Filters(ada.id)))[0] == "Code"
    assert len(titles(await search("lamp", Filters(ada.id)))) == 10


async def test_what_was_demanded_holds_for_meaning(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Python", "Python is a programming language for machine learning.")
    await meaningful(ada, "Java", "Java is a programming language for enterprises.")
    await meaningful(ada, "JavaScript", "JavaScript is a programming language for browsers.")
    for mode in ("hybrid", "semantic"):
        found = [
            set(titles(await search(query, Filters(ada.id), mode)))
            for query in ("programming NOT python", "python OR java", '"machine learning"', "programming AND browsers")
        ]
        assert found == [{"Java", "JavaScript"}, {"Python", "Java"}, {"Python"}, {"JavaScript"}]


async def test_an_unknown_word_has_no_meaning(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Bread", BREAD)
    await meaningful(ada, "Lamps", LAMPS)
    found = await search("xyzzyqwv", Filters(ada.id))
    assert (found.total, found.items) == (0, [])


async def test_without_the_model_server_words_find_and_it_says_so(library: Account, socket: object) -> None:
    for mode in ("hybrid", "semantic"):
        found = await search("lamp", Filters(library.id), mode)
        assert (titles(found), found.degraded) == (["Lamps"], ["semantic"])
    assert (await search("lamp", Filters(library.id), "keyword")).degraded == []


async def test_a_private_text_is_found_by_its_owner_only(ada: Account, grace: Account, server: ModelServer) -> None:
    await meaningful(ada, "Diary", LAMPS, private=True, authors=["Ada"])
    await meaningful(ada, "Lamps", LAMPS)
    for mode in ("keyword", "semantic", "hybrid"):
        mine = await search("keeper of the lamp", Filters(ada.id), mode)
        others = await search("keeper of the lamp", Filters(grace.id), mode)
        assert set(titles(mine)) == {"Diary", "Lamps"}
        assert (titles(others), others.total, others.facets["author"]) == (["Lamps"], 1, {})


@pytest.mark.parametrize("mode", ["keyword", "semantic", "hybrid"])
async def test_filters(ada: Account, server: ModelServer, mode: Any) -> None:
    await meaningful(ada, "A", LAMPS, authors=["Ada", "Grace"], type="note")
    await meaningful(ada, "B", LAMPS, subjects=["light"], type="webpage")
    await meaningful(ada, "C", LAMPS, authors=["Ada"], language="fr", type="document")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for filters, expected in [
        ({"types": ["webpage"]}, {"B"}),
        ({"types": ["webpage", "document"]}, {"B", "C"}),
        ({"languages": ["fr"]}, {"C"}),
        ({"authors": ["Ada"]}, {"A", "C"}),
        ({"authors": ["Ada", "Grace"]}, {"A"}),
        ({"subjects": ["light"]}, {"B"}),
        ({"created_from": tomorrow}, set()),
        ({"created_to": tomorrow, "types": ["note"]}, {"A"}),
    ]:
        found = await search("lamp", Filters(ada.id, **filters), mode)
        assert (set(titles(found)), found.total) == (expected, len(expected)), filters


async def test_a_filter_loses_no_neighbour(ada: Account, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph index stops after some tuples; what it did not reach is compared one by one."""
    monkeypatch.setattr(semantic, "FEW", -1)
    for number in range(30):
        await meaningful(ada, f"Near {number}", f"The keeper lights lamp {number} at dusk.")
    await meaningful(ada, "Far", "The keeper has no lamp.", type="document")
    async with engine().connect() as connection:
        await connection.execute(text("ANALYZE chunks"))
    found = await search("who lights the lamp", Filters(ada.id, types=["document"]), "semantic")
    assert titles(found) == ["Far"]


async def test_pages_neither_overlap_nor_leave_anything_out(
    ada: Account, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "CANDIDATES", 7)
    monkeypatch.setattr(fusion, "CANDIDATES", 7)
    for number in range(25):
        make = meaningful if number % 3 else findable
        await make(ada, f"Lamp {number}", "The keeper lights the lamp.")
    whole = titles(await search("lamp", Filters(ada.id), limit=100))
    pages = [titles(await search("lamp", Filters(ada.id), limit=4, offset=offset)) for offset in range(0, 28, 4)]
    assert len(set(whole)) == 25
    assert [title for page in pages for title in page] == whole
    assert (await search("lamp", Filters(ada.id), limit=4, offset=8)).total == 25


async def test_facets_count_all_that_is_found(ada: Account, server: ModelServer) -> None:
    for number in range(6):
        await findable(
            ada, f"L{number}", "A lamp.", type="note" if number % 2 else "webpage", authors=["Ada", f"A{number}"]
        )
    await meaningful(ada, "Light", "The lighthouse shines at night.", language="fr")
    found = await search("lamp light", Filters(ada.id), limit=2)
    assert found.total == 7
    assert found.facets["type"] == {"webpage": 3, "note": 4}
    assert found.facets["language"] == {"en": 6, "fr": 1}
    assert next(iter(found.facets["author"].items())) == ("Ada", 6)


async def test_the_snippet_is_the_passage_with_the_words(ada: Account, server: ModelServer) -> None:
    filler = "Nothing happens here at all, and the day goes by. " * 60
    await meaningful(ada, "Story", f"{filler}\nThe keeper was lighting <b>lamps</b> & candles.\n{filler}")
    snippet = (await search("lamp", Filters(ada.id))).items[0]["snippet"]
    assert "lighting &lt;b&gt;<mark>lamps</mark>&lt;/b&gt; &amp; candles." in snippet


async def test_before_it_is_embedded_the_snippet_comes_from_the_text(ada: Account) -> None:
    filler = "Nothing happens here at all, and the day goes by. " * 60
    await findable(ada, "Story", f"{filler}The keeper lights the lamp.{filler}")
    assert "the <mark>lamp</mark>." in (await search("lamp", Filters(ada.id), "keyword")).items[0]["snippet"]


async def test_a_deleted_text_is_not_found(ada: Account, server: ModelServer) -> None:
    resource_id: UUID = await meaningful(ada, "Lamps", LAMPS)
    async with transaction() as session:
        await resources.remove(session, ada, resource_id)
    assert (await search("keeper of the lamp", Filters(ada.id))).total == 0


ODD = [
    "(" * 500 + "lamp", "lamp " * 199, "a OR " * 190 + "b", "'; DROP TABLE resources; --", "lamp & ! | <-> :*",
    "\\' lamp", "灯台 маяк φάρος lamp", "ŉ ﷺ ½ lamp", "lamp\u0301\u200b\ufeff", "' ' '' lamp''", "x" * 200 + "*",
    "NOT the OR lamp", "the OR a", '"the"', "-the lamp", "\U0001f6a8 lamp",
]  # fmt: skip


async def test_any_query_gets_an_answer(library: Account) -> None:
    for query in ODD:
        found = await search(query, Filters(library.id), "keyword")
        assert found.total >= 0
        assert found.took_ms < 1000


async def test_what_is_deleted_while_it_is_searched_for_is_left_out(
    library: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranking = retrieval._ranking
    monkeypatch.setattr(retrieval, "_ranking", lambda *found: [fusion.Ranked(uuid4(), 1.0, ""), *ranking(*found)])
    assert await words(library, "lamp") == ["Lamps"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
async def test_no_query_is_an_error(library: Account, query: str) -> None:
    try:
        found = await search(query.replace("\x00", ""), Filters(library.id), "keyword")
    except Invalid:
        return
    assert found.total >= len(found.items) >= 0


async def test_an_empty_library_has_nothing(ada: Account) -> None:
    found = await search("lamp", Filters(ada.id), "keyword")
    assert (found.total, found.items, found.facets) == (0, [], {name: {} for name in FACETS})
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM search_documents")) == 0
