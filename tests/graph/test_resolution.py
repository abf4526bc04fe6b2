"""Citations find their items, whatever comes first, and again when items change or go."""

import asyncio
from itertools import permutations
from uuid import UUID

import pytest

from service.database import reading, transaction
from service.graph import importance, resolution
from service.graph.actions import citations_of, cited_by
from service.resources import actions as resources
from service.security.accounts import Account
from tests.graph.conftest import Update, cite, emitted, item, ranks, rows_of_graph, targets

pytestmark = pytest.mark.integration

DOI = ("doi", "10.1000/182")


async def paper(owner: Account, title: str = "A paper", **fields: object) -> UUID:
    return await item(owner, title, url="https://doi.org/10.1000/182", **fields)


async def test_a_citation_finds_an_item_that_is_there(ada: Account, update: Update) -> None:
    target = await paper(ada)
    citing = await item(ada, "Citing", DOI, ("url", "https://nowhere.example/"))
    await update(target, citing)
    assert await targets(citing) == [target, None]
    assert sum((await ranks()).values()) == pytest.approx(1)
    assert (await ranks())[target] > (await ranks())[citing]
    [resolved] = await emitted("citations.resolved")
    assert resolved == {"resource_id": str(citing), "count": 1, "audience": None}
    assert (await emitted("graph.updated"))[-1]["nodes"] == 2


async def test_a_citation_finds_an_item_that_comes_later(ada: Account, update: Update) -> None:
    citing = await item(ada, "Citing", DOI)
    await update(citing)
    assert await targets(citing) == [None]
    target = await paper(ada)
    await update(target)
    assert await targets(citing) == [target]


@pytest.mark.parametrize(
    ("cites", "fields"),
    [
        (("doi", "10.1000/182"), {"url": "https://dl.example.org/doi/abs/10.1000/182?utm_source=x"}),
        (("doi", "10.1000/182"), {"content": "A study. doi:10.1000/182\nAbstract.", "type": "document"}),
        (("arxiv", "1706.03762"), {"url": "https://arxiv.org/pdf/1706.03762v5"}),
        (("arxiv", "1706.03762"), {"content": "arXiv:1706.03762v7 [cs.CL]", "type": "document"}),
        (("doi", "10.1000/182"), {"identifiers": ["doi:10.1000/182"], "url": "https://journal.example/article/7"}),
        (("isbn", "9783161484100"), {"content": "ISBN 978-3-16-148410-0", "type": "book"}),
        (("pmid", "31452104"), {"url": "https://pubmed.ncbi.nlm.nih.gov/31452104/"}),
        (("url", "https://example.org/a"), {"url": "http://example.org/a/#top"}),
        (
            ("url", "https://example.org/a"),
            {"url": "https://m.example.org/x", "canonical_url": "https://example.org/a"},
        ),
        (
            ("reference", "Vaswani, A. et al. (2017). Attention is all you need. Advances in NeurIPS, 30."),
            {"title": "Attention Is All You Need"},
        ),
        (
            ("reference", "A. Vaswani, N. Shazeer, “Attention is all you need,” in Proc. NIPS, 2017, pp. 1-11."),
            {"title": "[1706.03762] Attention Is All You Need | arXiv"},
        ),
        (
            ("reference", "A. Brown and C. Dee. The colour of lighthouses on the north coast. Sea Letters, 1987."),
            {"title": "The color of lighthouses on the north coast"},  # very like it
        ),
    ],
)
async def test_by_what_an_item_is_recognised(
    ada: Account, update: Update, cites: tuple[str, str], fields: dict[str, str]
) -> None:
    title = fields.pop("title", "Something")
    first = await item(ada, "Citing first", cites)
    await update(first)
    target = await item(ada, title, **fields)
    await update(target)
    second = await item(ada, "Citing second", cites)
    await update(second)
    assert await targets(first) == await targets(second) == [target]


@pytest.mark.parametrize(
    ("cites", "fields"),
    [
        (("doi", "10.1000/182"), {"content": "See 10.1000/182 and 10.1000/183.", "type": "document"}),  # which is it?
        (("doi", "10.1000/182"), {"content": "As doi:10.1000/182 says.", "type": "webpage"}),
        (("doi", "10.1000/182"), {"url": "https://doi.org/10.1000/1820"}),
        (("url", "https://example.org/a"), {"url": "https://example.org/a/b"}),
        (("reference", "A. Brown. Introduction. In Sea Letters, 1987."), {"title": "Introduction"}),
        (
            ("reference", "A. Brown (1987). The colour of lighthouses, part II. Sea Letters."),
            {"title": "The colour of lighthouses, part I"},
        ),
    ],
)
async def test_what_is_not_certain_stays_unresolved(
    ada: Account, update: Update, cites: tuple[str, str], fields: dict[str, str]
) -> None:
    title = fields.pop("title", "Something")
    other = await item(ada, title, **fields)
    citing = await item(ada, "Citing", cites)
    await update(other, citing)
    assert await targets(citing) == [None]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_of_duplicates_the_oldest_is_meant_in_any_order(
    ada: Account, update: Update, order: tuple[int, ...]
) -> None:
    oldest, younger, citing = await paper(ada, "One"), await paper(ada, "Two"), await item(ada, "Citing", DOI)
    made = [oldest, younger, citing]
    for place in order:
        await update(made[place])
    assert await targets(citing) == [oldest]


async def test_when_an_item_goes_its_duplicate_is_meant(ada: Account, update: Update) -> None:
    oldest, younger, citing = await paper(ada, "One"), await paper(ada, "Two"), await item(ada, "Citing", DOI)
    await update(oldest, younger, citing)
    async with transaction() as session:
        await resources.remove(session, ada, oldest)
    await update(oldest)
    assert await targets(citing) == [younger]
    async with transaction() as session:
        await resources.remove(session, ada, younger)
    await update(younger)
    assert await targets(citing) == [None]
    assert await ranks() == {citing: 1.0}


async def test_when_an_item_changes_its_address_or_title(ada: Account, update: Update) -> None:
    target = await item(ada, "The colour of lighthouses", url="https://example.org/a")
    citing = await item(
        ada, "Citing", ("url", "https://example.org/a"), ("url", "https://example.org/b"),
        ("reference", "A. Brown (1987). On the height of lighthouses. Sea Letters."),
    )  # fmt: skip
    await update(target, citing)
    assert await targets(citing) == [target, None, None]
    async with transaction() as session:
        changed = {"url": "https://example.org/b", "title": "On the height of lighthouses"}
        await resources.change(session, ada, target, changed)
    await update(target)
    assert await targets(citing) == [None, target, target]


async def test_citing_oneself_and_each_other_is_harmless(ada: Account, update: Update) -> None:
    one = await item(
        ada, "One", ("url", "https://example.org/1"), ("url", "https://example.org/2"), url="https://example.org/1"
    )
    two = await item(ada, "Two", ("url", "https://example.org/1"), url="https://example.org/2")
    copy = await item(ada, "Copy of one", ("url", "https://example.org/1"), url="https://example.org/1")
    await update(one, two, copy)
    assert await targets(one) == [one, two]
    assert await targets(two) == [one]
    assert await targets(copy) == [copy]  # not its twin
    found = await ranks()
    assert found[one] == pytest.approx(found[two])
    assert sum(found.values()) == pytest.approx(1)


async def test_what_is_private_is_named_to_its_owner_only(ada: Account, ben: Account, update: Update) -> None:
    hidden = await paper(ben, "A secret", private=True)
    citing = await item(ada, "Citing", DOI)
    private = await item(ben, "A private note", DOI, private=True)
    await update(hidden, citing, private)
    assert await targets(citing) == [hidden]
    async with reading() as session:
        [seen] = await citations_of(session, ada, citing)
        assert (seen.target_id, seen.target_title, seen.value) == (None, None, "10.1000/182")
        [seen] = await citations_of(session, ben, citing)
        assert (seen.target_id, seen.target_title) == (hidden, "A secret")
        assert [row.id for row in await cited_by(session, ben, hidden)] == [citing, private]
    shared = await paper(ada, "The shared copy")
    await update(shared)
    assert await targets(citing) == [shared]  # what more people may see comes first
    async with reading() as session:
        assert [row.id for row in await cited_by(session, ada, shared)] == [citing]
    told = [one for one in await emitted("citations.resolved") if one["resource_id"] == str(citing)]
    assert [(one["count"], one["audience"]) for one in told] == [(0, None), (1, None)]


async def test_private_items_move_no_rank_that_others_see(ada: Account, ben: Account, update: Update) -> None:
    shared = [await item(ada, "A", ("url", "https://example.org/b")), await item(ada, "B", url="https://example.org/b")]
    other = await item(ada, "C")
    await update(*shared, other)
    before = await ranks()
    hidden = await item(ben, "Hidden", ("url", "https://example.org/b"), private=True)
    await update(hidden)
    after = await ranks()
    assert after[shared[1]] / after[other] == pytest.approx(before[shared[1]] / before[other])


async def test_running_twice_and_two_at_once_changes_nothing(ada: Account, update: Update) -> None:
    ids = [await paper(ada), await item(ada, "Citing", DOI, ("url", "https://x.example/")), await paper(ada, "Twin")]
    await update(*ids)
    before = await rows_of_graph()
    events = len(await emitted("citations.resolved")) + len(await emitted("graph.updated"))
    await update(*ids)
    await asyncio.gather(*(update(*ids) for _ in range(4)))
    assert await rows_of_graph() == before
    assert len(await emitted("citations.resolved")) + len(await emitted("graph.updated")) == events


async def test_items_and_citations_that_come_at_once_find_each_other(ada: Account, update: Update) -> None:
    papers = [await item(ada, f"P{n}", url=f"https://example.org/{n}") for n in range(8)]
    citing = [await item(ada, f"C{n}", ("url", f"https://example.org/{n}")) for n in range(8)]
    await asyncio.gather(*(update(one) for one in [*papers, *citing]))
    assert [await targets(one) for one in citing] == [[one] for one in papers]
    assert sum((await ranks()).values()) == pytest.approx(1)
    async with transaction() as session:
        assert await importance.announce_old(session) is False


async def test_a_resource_that_is_gone_or_has_no_text_is_no_error(ada: Account, update: Update) -> None:
    gone = await paper(ada)
    async with reading() as session:
        source = await resolution.source(session, gone)
    async with transaction() as session:
        await resources.remove(session, ada, gone)
    async with transaction() as session:
        assert await resolution.resolve(session, resolution.named(source)) == 0
    await update(gone, UUID(int=1))
    assert (await rows_of_graph())[:3] == [[], [], []]


async def test_the_reconciler_finds_what_leads_nowhere(ada: Account, update: Update) -> None:
    target, citing = await paper(ada), await item(ada, "Citing", DOI)
    async with transaction() as session:
        assert await resolution.announce_stale(session, age=0) == 2  # neither was looked at
    await update(target, citing)
    async with transaction() as session:
        assert await resolution.announce_stale(session, age=0) == 0
        assert await importance.announce_old(session) is False
    async with transaction() as session:
        await resources.remove(session, ada, target)
    async with transaction() as session:
        assert await resolution.announce_stale(session, age=0) == 1  # a target is gone
        assert await importance.announce_old(session) is True  # so the ranks are of another graph
    assert {one["resource_id"] for one in (await emitted("graph.stale"))[-2:]} == {str(citing)}
    await update(citing)
    assert await targets(citing) == [None]
    async with transaction() as session:
        assert await resolution.announce_stale(session, age=0) == 0
        assert await importance.announce_old(session) is False
    await cite(citing, DOI)  # read again
    async with transaction() as session:
        assert await resolution.announce_stale(session, age=0) == 1


async def test_the_reconciler_looks_at_so_many_at_a_time(ada: Account) -> None:
    for number in range(5):
        await item(ada, f"Item {number}", DOI)
    async with transaction() as session:
        assert await resolution.announce_stale(session, limit=3, age=0) <= 3


async def test_ranks_of_a_graph_that_changed_meanwhile_are_not_kept(ada: Account, update: Update) -> None:
    one = await item(ada, "One")
    async with reading() as session:
        graph = await importance.drawn(session)
    assert graph is not None
    two = await item(ada, "Two")
    async with transaction() as session:
        assert await importance.keep_ranks(session, graph, [1.0]) is False
    assert await ranks() == {}
    await update()
    assert await ranks() == {one: 0.5, two: 0.5}
