"""Quality is computed from what the resource is now, once, and told of; what people say outranks it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, text

from service.database import transaction
from service.errors import NotFound
from service.graph.actions import replace_citations
from service.ingestion.extracted import Citation
from service.quality import actions
from service.quality.actions import KEPT, NotComputed
from service.quality.scores import DIMENSIONS
from service.queue.tables import DeadLetter
from service.recommendations.actions import track
from service.resources import actions as resources
from service.security.accounts import Account
from service.settings import settings
from tests.quality.conftest import (
    TEXT,
    add,
    age_all,
    assessed,
    change,
    correct,
    drafted,
    history,
    kept,
    known,
    mean,
    remove,
    row,
    told,
    years_ago,
)

pytestmark = pytest.mark.integration


async def stale() -> int:
    async with transaction() as session:
        return await actions.announce_stale(session)


async def test_it_is_computed_once_and_told_once(ada: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    assert await assessed(id)
    first = await row(id)
    assert not await assessed(id)
    second = await row(id)
    assert (second.computed_at, second.reasons) == (first.computed_at, first.reasons)
    [event] = await told("quality.computed")
    dimensions = {name: getattr(first, name) for name in DIMENSIONS}
    assert event.data == {"resource_id": str(id), "score": first.overall, "dimensions": dimensions}
    assert len(await history(id)) == 1


async def test_two_at_once_leave_one_row_and_one_event(ada: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    drafts = await asyncio.gather(*(drafted(id) for _ in range(4)))
    done = await asyncio.gather(*(kept(draft) for draft in drafts if draft))
    assert sorted(done) == [False, False, False, True]
    assert (len(await told("quality.computed")), len(await history(id))) == (1, 1)


async def test_every_input_of_the_resource_counts(ada: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    await assessed(id)
    for fields in (
        {"title": "Lamps"}, {"description": "On lamps."}, {"url": "https://example.org/"}, {"language": "de"},
        {"authors": ["Ada"]}, {"subjects": ["sea"]}, {"tags": ["x"]}, {"type": "news"}, {"content": "Dark now."},
        {"published_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ):  # fmt: skip
        before = (await row(id)).input_hash
        await change(ada, id, **fields)
        assert await assessed(id), fields
        assert (await row(id)).input_hash != before


async def test_a_private_one_is_told_to_its_owner_only(ada: Account) -> None:
    await assessed(await add(ada, "Diary", TEXT, private=True))
    assert [event.audience for event in await told("quality.computed")] == [ada.id]


async def test_citations_and_use_are_read(ada: Account, grace: Account) -> None:
    cited = await add(ada, "Cited", TEXT, url="https://example.org/a", canonical_url="https://example.org/a")
    citing = await add(grace, "Citing", TEXT)
    async with transaction() as session:
        found = [Citation("url", "https://example.org/a", "a"), Citation("reference", "ibid.", "ibid.")]
        await replace_citations(session, citing, found)
    await assessed(cited)
    await assessed(citing)
    assert "1 resource of the library cites it." in (await row(cited)).reasons["relevance"]
    [reason, *_] = (await row(citing)).reasons["accuracy"]
    assert reason.startswith("1 of 2 citations are in the library (1) or well formed.")


async def test_what_others_keep_for_themselves_shows_nowhere(ada: Account, grace: Account) -> None:
    private = {"url": "https://example.org/b", "canonical_url": "https://example.org/b", "private": True}
    hidden = await add(grace, "Hidden", TEXT, **private)
    shared = await add(ada, "Shared", TEXT, url="https://example.org/a", canonical_url="https://example.org/a")
    async with transaction() as session:
        await replace_citations(session, hidden, [Citation("url", "https://example.org/a", "a")])
        await replace_citations(session, shared, [Citation("url", "https://example.org/b", "b")])
    await assessed(shared)
    await assessed(hidden)
    assert "Nothing in the library cites it." in (await row(shared)).reasons["relevance"]
    assert "(0)" in (await row(shared)).reasons["accuracy"][0]
    assert "(1)" in (await row(hidden)).reasons["accuracy"][0]  # its owner sees both


async def test_near_versions_tell_what_is_superseded(ada: Account) -> None:
    old = await add(ada, "Version 1", TEXT + "a", published_at=years_ago(2))
    await add(ada, "Version 2", TEXT + "b", published_at=years_ago(1), near_duplicate_of=old)
    copy = await add(ada, "Copy", TEXT + "a")
    for id in (old, copy):
        await assessed(id)
    assert "A newer version of nearly the same text is in the library." in (await row(old)).reasons["timeliness"]
    assert "The same text came into the library earlier." in (await row(copy)).reasons["timeliness"]


async def test_nearness_to_the_library_is_read_from_the_embeddings(ada: Account) -> None:
    for n in range(12):
        await mean(await add(ada, f"Note {n}", f"{TEXT}{n}"), 1, 0.1 * n)
    near, far = await add(ada, "Near", TEXT), await add(ada, "Far", "Bank. " * 100, private=True)
    assert await assessed(far)
    assert (await row(far)).relevance == 0.5
    await mean(near, 1, 0.5)
    await mean(far, 0, 0, 1)
    assert [await assessed(near), await assessed(far)] == [True, True]
    assert (await row(near)).relevance == 1.0
    assert (await row(far)).relevance == 0.0


# corrections


async def test_a_correction_outranks_what_is_computed_later_until_it_is_withdrawn(ada: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    await assessed(id)
    computed = await row(id)
    corrected = await correct(ada, id, accuracy=1.0, relevance=0.0)
    assert (corrected.accuracy, corrected.relevance, corrected.timeliness) == (1.0, 0.0, computed.timeliness)
    difference = 0.25 * (1 - computed.accuracy) - 0.15 * computed.relevance
    assert corrected.overall == pytest.approx(computed.overall + difference, abs=1e-3)
    assert corrected.computed["accuracy"] == computed.accuracy
    await change(ada, id, content="Dark now.")
    assert await assessed(id)
    again = await row(id)
    assert (again.accuracy, again.relevance) == (1.0, 0.0)
    assert again.completeness < computed.completeness
    withdrawn = await correct(ada, id, accuracy=None, relevance=None)
    assert (withdrawn.accuracy, withdrawn.corrections) == (withdrawn.computed["accuracy"], {})
    assert len(await told("quality.computed")) == len(await history(id)) == 4


async def test_the_same_correction_again_is_no_change(ada: Account) -> None:
    id = await add(ada, "Lamps", TEXT)
    await assessed(id)
    first = await correct(ada, id, accuracy=0.3)
    assert (await correct(ada, id, accuracy=0.3)).corrections == first.corrections
    await correct(ada, id, relevance=None)
    assert len(await told("quality.computed")) == 2


async def test_a_correction_and_a_computation_at_once_lose_nothing(ada: Account) -> None:
    id = await add(ada, "Lamps", TEXT)
    await assessed(id)
    await change(ada, id, title="The keeper", authors=["Ada"])
    await asyncio.gather(assessed(id), correct(ada, id, accuracy=0.9), correct(ada, id, timeliness=0.1))
    found = await row(id)
    assert (found.accuracy, found.timeliness) == (0.9, 0.1)
    assert not await assessed(id)


async def test_nobody_corrects_what_is_not_there_or_not_theirs(ada: Account, grace: Account) -> None:
    id = await add(ada, "Diary", TEXT, private=True)
    with pytest.raises(NotComputed):
        await correct(ada, id, accuracy=1.0)
    await assessed(id)
    for resource_id in (id, uuid4()):
        with pytest.raises(NotFound):
            await correct(grace, resource_id, accuracy=1.0)
    assert (await row(id)).corrections == {}


# what does not match its source


async def test_what_was_overtaken_is_not_written(ada: Account) -> None:
    changed, gone = await add(ada, "Changed", TEXT), await add(ada, "Gone", TEXT + "!")
    drafts = [await drafted(changed), await drafted(gone)]
    await change(ada, changed, content="Dark now.")
    await remove(ada, gone)
    for draft in drafts:
        assert draft is not None
        assert not await kept(draft)
    assert (await known(changed), await known(gone)) == (None, None)
    assert await told("quality.computed") == []


async def test_without_text_or_resource_there_is_nothing_to_do(ada: Account) -> None:
    async with transaction() as session:
        pending = await resources.create(session, ada, {"title": "Soon"}, source="url", status="pending")
    assert [await assessed(pending.id), await assessed(uuid4())] == [False, False]


async def test_deleting_a_resource_deletes_its_quality(ada: Account) -> None:
    id = await add(ada, "Lamps", TEXT)
    await assessed(id)
    await remove(ada, id)
    assert (await known(id), await history(id)) == (None, [])


async def test_what_is_missing_or_outdated_is_asked_for_again(ada: Account) -> None:
    id = await add(ada, "Lamps", TEXT)
    assert await stale() == 0  # its task is on its way
    await age_all()
    assert await stale() == 1
    assert [event.subject for event in await told("quality.stale")] == [id]
    await assessed(id)
    assert await stale() == 0
    await mean(id, 1, 0.5)
    assert await stale() == 1
    assert not await assessed(id)  # in a library this small, its meaning changes nothing
    assert await stale() == 0


async def test_other_weights_and_another_version_make_every_row_stale(
    ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await add(ada, "Lamps", TEXT)
    await assessed(id)
    await age_all()
    monkeypatch.setenv("PHAROS_QUALITY_WEIGHTS", "1,0,0,0,0")
    settings.cache_clear()
    assert await stale() == 1
    assert await assessed(id)
    found = await row(id)
    assert found.overall == found.accuracy


async def test_what_ages_is_computed_again_each_month(ada: Account) -> None:
    dated = await add(ada, "Dated", TEXT, published_at=years_ago(3), type="webpage")
    undated = await add(ada, "Undated", TEXT + "!")
    for id in (dated, undated):
        await assessed(id)
    assert (await row(dated)).timeliness == pytest.approx(0.5, abs=0.02)
    await age_all()
    for months, number in ((0, 0), (1, 1)):
        later = str(actions.inputs.STALE).replace("now() AT TIME", f"(now() + interval '{months} months') AT TIME")
        parameters = {"most": 10, "age": 0, "task": "q", "weights": "0.25,0.25,0.2,0.15,0.15"}
        async with transaction() as session:
            assert len((await session.execute(text(later), parameters)).all()) == number


async def test_the_sweep_is_bounded_and_what_failed_for_good_waits(ada: Account) -> None:
    ids = [await add(ada, f"Note {n}", f"{TEXT}{n}") for n in range(3)]
    await age_all()
    async with transaction() as session:
        assert await actions.announce_stale(session, limit=2) == 2
        session.add(
            DeadLetter(
                task_id="x", name="recompute_quality", queue="x", arguments={"resource_id": str(ids[0])},
                exception="boom", attempts=3, reason="exhausted",
            )
        )  # fmt: skip
    assert await stale() == 2
    async with transaction() as session:
        await session.execute(delete(DeadLetter))
    assert await stale() == 3


# history


async def test_the_history_is_bounded_and_keeps_what_is_compared_with(ada: Account) -> None:
    id = await add(ada, "Lamps", TEXT)
    await assessed(id)
    async with transaction() as session:
        await session.execute(text("UPDATE quality_history SET recorded_at = now() - interval '40 days'"))
    old = (await history(id))[0].id
    for n in range(KEPT + 5):
        await correct(ada, id, accuracy=n / 1000)
    kept_rows = await history(id)
    assert len(kept_rows) == KEPT + 1
    assert kept_rows[0].id == old
    assert kept_rows[-1].accuracy == (KEPT + 4) / 1000
    assert kept_rows[-1].recorded_at > datetime.now(UTC) - timedelta(minutes=5)


async def test_readers_besides_the_owner_lift_relevance_and_make_it_stale(ada: Account, grace: Account) -> None:
    id = await add(ada, "The keeper of the lighthouse", TEXT)
    assert await assessed(id)
    before = await row(id)

    async def read_by(reader: Account) -> None:
        async with transaction() as session:
            await track(session, reader.id, id, "view", dwell_seconds=1)

    await read_by(ada)
    await age_all()
    assert await stale() == 0  # its owner is no reader
    await read_by(grace)
    await read_by(grace)
    assert await stale() == 1
    assert await assessed(id)
    after = await row(id)
    assert after.relevance > before.relevance
    assert after.reasons["relevance"][2] == "1 person besides its owner used it lately."
