"""What got worse and what stands out: found once, told once, and settled by people."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select, text

from service.database import reading, transaction
from service.quality import monitoring, reviews
from service.quality.tables import Quality, QualityReview
from service.security.accounts import Account
from service.tasks import DEGRADATION, OUTLIERS
from tests.quality.conftest import TEXT, Run, add, assessed, correct, pass_days, row, told

pytestmark = pytest.mark.integration

USUAL = {"accuracy": 0.6, "completeness": 0.6, "consistency": 0.6, "timeliness": 0.6, "relevance": 0.6}


async def queue() -> list[tuple[UUID, str, bool]]:
    async with reading() as session:
        rows = await session.scalars(select(QualityReview).order_by(QualityReview.resource_id, QualityReview.kind))
        return [(one.resource_id, one.kind, one.settled_at is None) for one in rows]


async def scored(owner: Account, name: str, private: bool = False, **values: float) -> UUID:
    """Add a resource with these scores."""
    id = await add(owner, name, f"{TEXT} {name}", private=private)
    await assessed(id)
    await correct(owner, id, **{**USUAL, **values})
    return id


async def settle(account: Account, id: UUID) -> None:
    async with transaction() as session:
        await reviews.settle(session, account, id, "dismissed", kind=None, note=None)


# degradation


async def test_a_drop_against_30_days_ago_is_found_once(run: Run, ada: Account) -> None:
    fell, stayed = await scored(ada, "Fell", accuracy=0.9), await scored(ada, "Stayed")
    await pass_days(31)
    await correct(ada, fell, accuracy=0.05)
    await correct(ada, stayed, accuracy=0.5)
    assert await run(DEGRADATION) == {"degraded": 1}
    assert await queue() == [(fell, "degraded", True)]
    [event] = await told("quality.degraded")
    assert event.data == {"resource_id": str(fell), "score": 0.4625, "previous": 0.675}
    async with reading() as session:
        [entry] = await session.scalars(select(QualityReview))
    assert "Its accuracy fell from 0.90 to 0.05 within 30 days." in entry.reasons
    assert await run(DEGRADATION) == {"degraded": 0}


@pytest.mark.parametrize(("days", "low", "found"), [(29, 0.0, 0), (31, 0.1, 0), (31, 0.09, 1), (400, 0.0, 1)])
async def test_the_bounds_of_a_drop(run: Run, ada: Account, days: int, low: float, found: int) -> None:
    """0.25 * (0.9 - 0.1) = 0.2 is not more than 0.2."""
    id = await scored(ada, "Fell", accuracy=0.9)
    await pass_days(days)
    await correct(ada, id, accuracy=low)
    assert await run(DEGRADATION) == {"degraded": found}


async def test_a_settled_drop_comes_back_when_it_goes_on(run: Run, ada: Account) -> None:
    id = await scored(ada, "Fell", accuracy=1.0)
    await pass_days(31)
    await correct(ada, id, accuracy=0.1)
    await run(DEGRADATION)
    await settle(ada, id)
    assert await run(DEGRADATION) == {"degraded": 0}
    assert await queue() == [(id, "degraded", False)]
    await correct(ada, id, completeness=0.0, consistency=0.2)
    assert await run(DEGRADATION) == {"degraded": 1}
    assert await queue() == [(id, "degraded", True)]


async def test_two_watchers_at_once_find_it_once(run: Run, ada: Account) -> None:
    id = await scored(ada, "Fell", accuracy=1.0)
    await pass_days(31)
    await correct(ada, id, accuracy=0.0)
    found = await asyncio.gather(*(run(DEGRADATION) for _ in range(3)))
    assert sum(one["degraded"] for one in found) == 1
    assert len(await told("quality.degraded")) == 1


async def test_steps_go_over_everything(run: Run, ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [await scored(ada, f"Note {n}", accuracy=1.0) for n in range(5)]
    await pass_days(31)
    for id in ids:
        await correct(ada, id, accuracy=0.0)
    monkeypatch.setattr(monitoring, "STEP", 2)
    for name in ("_COMPARED", "_NEXT"):
        monkeypatch.setattr(monitoring, name, text(str(getattr(monitoring, name)).replace("LIMIT 500", "LIMIT 2")))
    assert await run(DEGRADATION) == {"degraded": 5}
    assert await run(OUTLIERS) == {"outliers": 0}


async def test_what_is_private_is_told_to_its_owner_only(run: Run, ada: Account) -> None:
    id = await scored(ada, "Diary", private=True, accuracy=1.0)
    await pass_days(31)
    await correct(ada, id, accuracy=0.0)
    await run(DEGRADATION)
    assert [event.audience for event in await told("quality.degraded")] == [ada.id]


# outliers


async def usual(owner: Account, number: int) -> list[UUID]:
    return [await scored(owner, f"Note {n}", accuracy=0.58 + 0.01 * (n % 5)) for n in range(number)]


async def outliers() -> Sequence[UUID]:
    async with reading() as session:
        return (await session.scalars(select(Quality.resource_id).where(Quality.is_outlier))).all()


async def test_what_is_unlike_all_others_is_found_once_and_says_why(run: Run, ada: Account) -> None:
    await usual(ada, 12)
    odd = await scored(ada, "Odd", timeliness=0.0, relevance=1.0)
    assert await run(OUTLIERS) == {"outliers": 1}
    assert await outliers() == [odd]
    [event] = await told("quality.outlier_detected")
    assert event.data == {
        "resource_id": str(odd), "score": (await row(odd)).overall, "dimensions": ["timeliness", "relevance"]
    }  # fmt: skip
    async with reading() as session:
        [entry] = await session.scalars(select(QualityReview))
    assert entry.reasons[0] == "Its timeliness is 0.00; in the middle of the library stands 0.60."
    assert await run(OUTLIERS) == {"outliers": 0}
    assert (await queue(), len(await told("quality.outlier_detected"))) == ([(odd, "outlier", True)], 1)


async def test_fewer_than_ten_have_no_outlier(run: Run, ada: Account) -> None:
    await usual(ada, 8)
    odd = await scored(ada, "Odd", timeliness=0.0)
    assert await run(OUTLIERS) == {"outliers": 0}
    await scored(ada, "The tenth")
    assert await run(OUTLIERS) == {"outliers": 1}
    assert await outliers() == [odd]


async def test_one_that_stands_out_no_more_leaves_the_queue(run: Run, ada: Account) -> None:
    await usual(ada, 12)
    odd = await scored(ada, "Odd", timeliness=0.0)
    await run(OUTLIERS)
    await correct(ada, odd, timeliness=0.6)
    assert await run(OUTLIERS) == {"outliers": 0}
    assert (await outliers(), await queue()) == ([], [])


async def test_a_settled_outlier_is_not_found_again(run: Run, ada: Account) -> None:
    await usual(ada, 12)
    odd = await scored(ada, "Odd", timeliness=0.0)
    await run(OUTLIERS)
    await settle(ada, odd)
    assert await run(OUTLIERS) == {"outliers": 0}
    assert (await outliers(), await queue()) == ([odd], [(odd, "outlier", False)])


async def test_two_detectors_at_once_find_it_once(run: Run, ada: Account) -> None:
    await usual(ada, 12)
    await scored(ada, "Odd", timeliness=0.0)
    found = await asyncio.gather(*(run(OUTLIERS) for _ in range(3)))
    assert sum(one["outliers"] for one in found) == 1
    assert len(await told("quality.outlier_detected")) == 1


async def test_scores_that_changed_meanwhile_are_left_alone(ada: Account) -> None:
    await usual(ada, 12)
    odd = await scored(ada, "Odd", timeliness=0.0)
    async with reading() as session:
        measure = monitoring.measured(*await monitoring.reference(session))
        rows = await monitoring.following(session, None)
    await correct(ada, odd, timeliness=0.6)
    async with transaction() as session:
        assert await monitoring.mark(session, rows, monitoring.judged(rows, measure)) == 0
    assert await outliers() == []


async def test_private_ones_are_judged_by_what_is_shared_and_measure_nobody(
    run: Run, ada: Account, grace: Account
) -> None:
    await usual(ada, 12)
    odd = await scored(grace, "Odd and hers", private=True, timeliness=0.0)
    assert await run(OUTLIERS) == {"outliers": 1}
    assert [event.audience for event in await told("quality.outlier_detected")] == [grace.id]
    async with reading() as session:
        ids, _ = await monitoring.reference(session)
    assert odd not in ids
    assert len(ids) == 12


async def test_an_empty_library_is_no_error(run: Run, ada: Account) -> None:
    assert await run(DEGRADATION) == {"degraded": 0}
    assert await run(OUTLIERS) == {"outliers": 0}
