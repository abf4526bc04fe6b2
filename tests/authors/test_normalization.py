"""Author names become authors: who is the same, who is not, and whatever stands where a name should."""

import asyncio
from itertools import permutations
from uuid import uuid4

import pytest
from sqlalchemy import text

from service.authors import normalization
from service.authors.normalization import MOST
from service.database import reading, transaction
from service.resources import actions as resources
from service.security.accounts import Account
from tests.authors.conftest import By, Normalize, author, links, profile, rows
from tests.graph.conftest import emitted
from tests.search.conftest import add

pytestmark = pytest.mark.integration


async def test_one_name_written_in_many_ways_is_one_author(ada: Account, by: By) -> None:
    written = ["Ada Lovelace", "Lovelace, Ada", "LOVELACE, ADA", "Ada LOVELACE", "Áda Lovelace"]
    first, *others = [await by(one) for one in written]
    assert {await author(one) for one in others} == {await author(first)}
    found = await profile(ada, await author(first))
    assert (found.sort_name, found.resource_count, len(found.variants)) == ("Lovelace, Ada", 5, 5)
    assert (await emitted("authors.normalized"))[0] == {"resource_id": str(first), "count": 1, "audience": None}


async def test_an_initial_alone_is_an_author_of_its_own_and_a_suggestion(ada: Account, by: By) -> None:
    full, short = await by("John Smith"), await by("J. Smith")
    assert await author(full) != await author(short)
    [suggestion] = (await profile(ada, await author(short))).suggestions
    assert (suggestion.id, suggestion.name) == (await author(full), "John Smith")
    again = await by("J. Smith")
    assert len({await author(one) for one in (full, short, again)}) == 3


async def test_a_shared_coauthor_is_a_second_sign(by: By) -> None:
    full, short = await by("John Smith", "Grace Hopper"), await by("J. Smith", "Hopper, G.")
    assert [link.author_id for link in await links(full)] == [link.author_id for link in await links(short)]
    assert [link.basis for link in await links(short)] == ["coauthor", "coauthor"]
    stranger = await by("J. Smith", "Alan Turing")
    assert (await links(stranger))[0].author_id != (await links(full))[0].author_id


async def test_a_shared_subject_is_a_second_sign(by: By) -> None:
    full = await by("John Smith", subjects=["Lighthouses"])
    short = await by("Smith JA", subjects=["lighthouses", "ships"])
    assert (await author(full), (await links(short))[0].basis) == (await author(short), "subject")


async def test_an_identifier_is_a_second_sign_and_another_one_a_contradiction(by: By) -> None:
    known = await by("Josiah Carberry (0000-0002-1825-0097)", subjects=["pots"])
    same = await by("J. Carberry https://orcid.org/0000-0002-1825-0097")
    other = await by("Josiah Carberry (0000-0001-5109-3700)", subjects=["pots"])
    assert (await author(same), (await links(same))[0].basis) == (await author(known), "identifier")
    assert await author(other) != await author(known)


async def test_what_two_may_be_is_neither(by: By) -> None:
    john, jane = await by("John Smith", subjects=["x"]), await by("Jane Smith", subjects=["x"])
    doubtful = await by("J. Smith", subjects=["x"])
    assert await author(doubtful) not in (await author(john), await author(jane))


async def test_a_name_that_fits_one_variant_must_fit_them_all(by: By) -> None:
    john = await by("John Smith", "Grace Hopper", subjects=["x"])
    both = await by("J. Smith", "Grace Hopper", subjects=["x"])
    jane = await by("Jane Smith", "Grace Hopper", subjects=["x"])
    assert (await links(john))[0].author_id == (await links(both))[0].author_id != (await links(jane))[0].author_id


async def test_two_of_one_key_on_one_resource_are_two(by: By) -> None:
    await by("John Smith", subjects=["x"])
    pair = await by("John Smith", "J. Smith", subjects=["x"])
    assert len({link.author_id for link in await links(pair)}) == 2


async def test_a_crowd_tells_nobody_who_knows_whom(by: By) -> None:
    crowd = [f"Person{n:03} Number{n:03}x" for n in range(150)]
    await by("John Smith", *crowd)
    short = await by("J. Smith", "Person001 Number001x")
    assert (await links(short))[0].basis == "new"


async def test_a_sign_that_comes_later_joins_them(ada: Account, by: By, normalize: Normalize) -> None:
    full, short = await by("John Smith", subjects=["sea"]), await by("J. Smith")
    alone = await author(short)
    async with transaction() as session:
        await resources.change(session, ada, short, {"subjects": ["Sea"]})
    await normalize(short)
    assert await author(short) == await author(full) != alone
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM authors")) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_whole_names_meet_in_any_order(by: By, order: tuple[int, ...]) -> None:
    names = ["Ludwig van Beethoven", "BEETHOVEN, Ludwig van", "van Beethoven, Ludwig"]
    made = [await by(names[place]) for place in order]
    assert len({await author(one) for one in made}) == 1


async def test_private_resources_are_no_evidence_for_others(ada: Account, ben: Account, by: By) -> None:
    await by("John Smith", "Grace Hopper", owner=ben, private=True)
    shared = await by("J. Smith", "Grace Hopper")
    assert (await links(shared))[0].basis == "new"


async def test_running_twice_and_two_at_once_changes_nothing(ada: Account, by: By, normalize: Normalize) -> None:
    made = [await by("John Smith", "Grace Hopper", subjects=["x"]), await by("J. Smith", "Alan Turing")]
    before = await rows()
    for one in made:
        await normalize(one)
        await asyncio.gather(*(normalize(one) for _ in range(4)))
    assert await rows() == before


async def test_two_at_once_make_one_author(ada: Account, normalize: Normalize) -> None:
    made = [await add(ada, f"N{n}", "A text.", authors=["Ada Lovelace", "A. Turing"]) for n in range(6)]
    await asyncio.gather(*(normalize(one) for one in made for _ in range(2)))
    assert len({(await links(one))[0].author_id for one in made}) == 1


async def test_changed_names_replace_links_and_leave_nobody_behind(ada: Account, by: By, normalize: Normalize) -> None:
    one = await by("Ada Lovelace", "Charles Babbage")
    async with transaction() as session:
        await resources.change(session, ada, one, {"authors": ["Grace Hopper"]})
    await normalize(one)
    assert [link.name for link in await links(one)] == ["Grace Hopper"]
    async with transaction() as session:
        await resources.change(session, ada, one, {"authors": []})
    await normalize(one)
    async with reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM authors")) == 0


async def test_three_thousand_authors_on_one_resource(ada: Account, by: By, normalize: Normalize) -> None:
    crowd = [f"Given{n} Family{n}x" for n in range(3000)]
    one = await by(*crowd)
    two = await by(*crowd)
    assert [link.author_id for link in await links(one)] == [link.author_id for link in await links(two)]
    assert len({link.author_id for link in await links(one)}) == 3000 < MOST
    found = await profile(ada, (await links(one))[0].author_id)
    assert (found.resource_count, len(found.coauthors)) == (2, 100)


ODD = [
    "", "   ", "et al.", "ada@example.org", "🚀", "Ada 🚀 Lovelace", "x" * 10_240, "word " * 2048, "\u202eevoL adA",
    "Ada Лавлейс", "Ada\tLovelace", "NASA", "'; DROP TABLE authors; --", "a" * 199, "%", "_", "O'Brien", "王小明",
    "Lovelace, Ada, et al.", ",,,,", "Dr.", "J", "𝕬𝖉𝖆 𝕷𝖔𝖛𝖊𝖑𝖆𝖈𝖊", "مُحَمَّد بن مُوسَى", "a\nb", "Jr.", "PhD", "-",
]  # fmt: skip


async def test_whatever_stands_where_a_name_should(ada: Account, by: By, normalize: Normalize) -> None:
    one = await by(*ODD)
    names = [link.name for link in await links(one)]
    assert "Ada Lovelace" in names
    assert {"NASA", "王小明", "Ada Лавлейс"} <= set(names)
    assert names.count("Ada Lovelace") == 1  # in three spellings
    assert not any("@" in name or len(name) > 200 or not name.strip() for name in names)
    before = await rows()
    await normalize(one)
    assert await rows() == before


async def test_a_resource_that_is_deleted_while_its_task_waits(ada: Account, by: By, normalize: Normalize) -> None:
    gone = await by("Ada Lovelace")
    waiting = await add(ada, "Waiting", "A text.", authors=["Grace Hopper"])
    async with reading() as session:
        draft = await normalization.drafted(session, waiting)
    assert draft is not None
    async with transaction() as session:
        for one in (gone, waiting):
            await resources.remove(session, ada, one)
    async with transaction() as session:
        assert await normalization.normalize(session, draft, normalization.named(draft.written)) is False
    for one in (gone, waiting, uuid4()):
        await normalize(one)
    async with transaction() as session:
        assert await normalization.announce_stale(session, age=0) == 0
    assert await rows() == [[], [], [], []]


async def test_a_resource_that_is_changed_between_reading_and_writing(ada: Account, normalize: Normalize) -> None:
    one = await add(ada, "One", "A text.", authors=["Ada Lovelace"])
    async with reading() as session:
        draft = await normalization.drafted(session, one)
    assert draft is not None
    async with transaction() as session:
        await resources.change(session, ada, one, {"authors": ["Grace Hopper"]})
    async with transaction() as session:
        assert await normalization.normalize(session, draft, normalization.named(draft.written)) is False
    await normalize(one)
    assert [link.name for link in await links(one)] == ["Grace Hopper"]


async def test_the_reconciler_finds_what_was_not_read(ada: Account, ben: Account, by: By, normalize: Normalize) -> None:
    await by("Ada Lovelace")
    await add(ada, "None", "A text.")
    waiting = await add(ben, "Waiting", "A text.", authors=["Grace Hopper"], private=True)
    async with transaction() as session:
        assert await normalization.announce_stale(session, age=0) == 1
    assert await emitted("authors.stale") == [{"resource_id": str(waiting), "audience": ben.id}]
    await normalize(waiting)
    async with transaction() as session:
        assert await normalization.announce_stale(session, age=0) == 0
