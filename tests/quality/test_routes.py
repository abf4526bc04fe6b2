"""Quality over HTTP, and what starts its tasks."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

import schedules
from service.database import transaction
from service.hooks import HOOKS
from service.quality.events import QualityStale
from service.quality.scores import DIMENSIONS
from service.resources.events import ResourceContentChanged, ResourceCreated, ResourceMetadataChanged
from service.search import actions as search
from service.tasks import DEGRADATION, OUTLIERS, QUALITY, RECONCILE
from tests.quality.conftest import TEXT, Run, assessed
from tests.queue.conftest import until
from tests.sent import Sent

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def note(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": title, "content": f"{TEXT} {title}", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def good(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    """Add a resource whose quality is computed."""
    id = await note(client, title, **fields)
    assert await assessed(UUID(id))
    return id


async def test_it_is_answered_with_reasons(run: Run, api: httpx.AsyncClient) -> None:
    id = await note(api, "The keeper of the lighthouse", language="en")
    early = await api.get(f"/resources/{id}/quality")
    assert early.status_code == 404
    assert "is not computed yet" in early.json()["detail"]
    await run(QUALITY, UUID(id))
    shown = (await api.get(f"/resources/{id}/quality")).json()
    assert set(shown) == {
        "overall", "dimensions", "reasons", "readability", "corrections", "computed_at", "is_outlier"
    }  # fmt: skip
    assert list(shown["dimensions"]) == list(shown["reasons"]) == list(DIMENSIONS)
    weights = (0.25, 0.25, 0.2, 0.15, 0.15)
    mean = sum(weight * value for weight, value in zip(weights, shown["dimensions"].values(), strict=True))
    assert shown["overall"] == pytest.approx(mean, abs=1e-4)
    assert all(sentence.endswith(".") for reasons in shown["reasons"].values() for sentence in reasons)
    assert set(shown["readability"]) >= {"flesch_reading_ease", "flesch_kincaid_grade"}
    assert (shown["corrections"], shown["is_outlier"]) == ({}, False)


async def test_a_correction_is_shown_as_such_and_null_withdraws_it(api: httpx.AsyncClient) -> None:
    id = await good(api, "Lamps")
    path = f"/resources/{id}/quality"
    computed = (await api.get(path)).json()
    shown = (await api.put(path, json={"accuracy": 0.9, "timeliness": 0})).json()
    assert (shown["dimensions"]["accuracy"], shown["dimensions"]["timeliness"]) == (0.9, 0)
    assert shown["corrections"]["accuracy"]["value"] == 0.9
    assert shown["corrections"]["accuracy"]["computed"] == computed["dimensions"]["accuracy"]
    assert shown["reasons"]["accuracy"][0].startswith("A person set this to 0.9 on ")
    assert (await api.get(path)).json() == shown
    await api.put(f"/resources/{id}", json={"content": "Dark now."})
    await assessed(UUID(id))
    assert (await api.get(path)).json()["dimensions"]["accuracy"] == 0.9
    withdrawn = (await api.put(path, json={"accuracy": None, "timeliness": None})).json()
    assert withdrawn["corrections"] == {}
    assert withdrawn["dimensions"]["accuracy"] != 0.9


@pytest.mark.parametrize(
    "body",
    [{}, {"accuracy": 1.1}, {"accuracy": -0.1}, {"accuracy": "much"}, {"odd": 1}, {"overall": 1}, [], {"accuracy": []}],
)
async def test_what_is_no_correction_is_refused(api: httpx.AsyncClient, body: object) -> None:
    id = await good(api, "Lamps")
    answer = await api.put(f"/resources/{id}/quality", json=body)
    assert answer.status_code == 422, answer.text


async def test_nobody_sees_or_corrects_what_is_anothers(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    hidden, shared = await good(api, "Diary", private=True), await good(api, "Shared")
    for id in (hidden, str(uuid4()), "odd"):
        assert (await mira.get(f"/resources/{id}/quality")).status_code == 404
        assert (await mira.put(f"/resources/{id}/quality", json={"accuracy": 1})).status_code == 404
        assert (await mira.post(f"/quality/review/{id}", json={"decision": "dismissed"})).status_code == 404
    reader = await person("rita", "reader")
    assert (await reader.get(f"/resources/{shared}/quality")).status_code == 200
    assert (await reader.put(f"/resources/{shared}/quality", json={"accuracy": 1})).status_code == 403


async def test_the_distribution_counts_what_one_may_see(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    empty = (await mira.get("/quality/distribution")).json()
    assert (empty["total"], empty["overall"]) == (0, {"counts": [0] * 10, "mean": None})
    for n, value in enumerate((0, 0.05, 0.1, 0.99, 1)):
        id = await good(api, f"Note {n}", private=n == 4)
        await api.put(f"/resources/{id}/quality", json={"accuracy": value})
    hers, his = (await mira.get("/quality/distribution")).json(), (await api.get("/quality/distribution")).json()
    assert (hers["total"], his["total"]) == (4, 5)
    assert hers["edges"] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert hers["dimensions"]["accuracy"] == {"counts": [2, 1, 0, 0, 0, 0, 0, 0, 0, 1], "mean": 0.285}
    assert his["dimensions"]["accuracy"]["counts"][9] == 2
    assert set(hers["dimensions"]) == set(DIMENSIONS)


async def test_trends_are_means_by_day(api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    first, second = await good(api, "One"), await good(api, "Two")
    await api.put(f"/resources/{first}/quality", json={"accuracy": 0.1})
    await api.put(f"/resources/{second}/quality", json={"accuracy": 0.3})
    async with transaction() as session:
        await session.execute(text("UPDATE quality_history SET recorded_at = recorded_at - interval '3 days'"))
    await api.put(f"/resources/{first}/quality", json={"accuracy": 0.8})
    hidden = await good(api, "Diary", private=True)
    await api.put(f"/resources/{hidden}/quality", json={"accuracy": 0})
    before, today = (await mira.get("/quality/trends")).json()["days"]
    assert (before["resources"], before["dimensions"]["accuracy"]) == (2, 0.2)
    assert (today["resources"], today["dimensions"]["accuracy"]) == (1, 0.8)
    assert len((await mira.get("/quality/trends?days=1")).json()["days"]) == 1
    for days in ("0", "366", "many"):
        assert (await mira.get(f"/quality/trends?days={days}")).status_code == 422


async def test_the_review_queue_is_listed_and_settled(run: Run, api: httpx.AsyncClient, person: Person) -> None:
    mira = await person("mira")
    ids = [await good(api, f"Note {n}", private=n == 2) for n in range(3)]
    for id in ids:
        await api.put(f"/resources/{id}/quality", json={"accuracy": 1})
    async with transaction() as session:
        await session.execute(text("UPDATE quality_history SET recorded_at = recorded_at - interval '31 days'"))
    for id in ids:
        await api.put(f"/resources/{id}/quality", json={"accuracy": 0})
    assert await run(DEGRADATION) == {"degraded": 3}
    hers = (await mira.get("/quality/review")).json()
    assert (hers["total"], hers["limit"], hers["offset"]) == (2, 25, 0)
    assert {item["resource_id"] for item in hers["items"]} == set(ids[:2])
    assert {item["kind"] for item in hers["items"]} == {"degraded"}
    assert (await api.get("/quality/review?limit=1&offset=2")).json()["total"] == 3
    assert (await api.get("/quality/review?kind=outlier")).json()["total"] == 0
    assert (await api.get("/quality/review?kind=odd")).status_code == 422

    said = {"decision": "confirmed", "note": "The source went away."}
    settled = await mira.post(f"/quality/review/{ids[0]}", json=said)
    assert settled.json() == {"resource_id": ids[0], "settled": ["degraded"], "decision": "confirmed"}
    assert (await mira.get("/quality/review")).json()["total"] == 1
    [done] = (await mira.get("/quality/review?settled=true")).json()["items"]
    assert (done["decision"], done["note"], done["title"]) == ("confirmed", "The source went away.", "Note 0")
    again = await mira.post(f"/quality/review/{ids[0]}", json=said)
    assert again.status_code == 404
    assert "No review" in again.json()["detail"]
    assert (await mira.post(f"/quality/review/{ids[1]}", json={"decision": "odd"})).status_code == 422
    wrong_kind = {"decision": "dismissed", "kind": "outlier"}
    assert (await mira.post(f"/quality/review/{ids[1]}", json=wrong_kind)).status_code == 404


# what starts the tasks


def test_the_contract_of_the_table() -> None:
    rows = {row.event: row for row in HOOKS if row.run is QUALITY}
    for event in (ResourceCreated, ResourceContentChanged, ResourceMetadataChanged):
        assert (rows[event].after, rows[event].at_most) == (10, 60)
    assert (QUALITY.name, QUALITY.queue.name, QUALITY.retries, QUALITY.limit, QUALITY.key) == (
        "recompute_quality", "ml_tasks", 2, 120, "resource_id",
    )  # fmt: skip
    assert QualityStale in rows
    times = {task: str(when) for when, task in schedules.TIMETABLE}
    assert (times[DEGRADATION], times[OUTLIERS]) == ("0 2 * * *", "0 3 * * 7")


async def test_a_new_resource_and_a_change_ask_for_it(api: httpx.AsyncClient, sent: Sent) -> None:
    id = await note(api, "Lamps")
    assert (await sent.expect(QUALITY, resource_id=id)).after == pytest.approx(10, abs=1)
    for number, change in ((3, {"tags": ["sea"]}), (4, {"content": "Dark now."})):  # 2: of its text, too
        await api.put(f"/resources/{id}", json=change)
        await until(lambda number=number: len(sent.of(QUALITY, resource_id=id)) == number)


async def test_the_reconciler_has_what_is_missing_computed(run: Run, api: httpx.AsyncClient, sent: Sent) -> None:
    id = await note(api, "Lamps")
    async with transaction() as session:
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '1 hour'"))
    assert (await run(RECONCILE))["quality"] == 1
    await until(lambda: [one for one in sent.of(QUALITY, resource_id=id) if one.lane == "ml_tasks:bulk"])
    await run(QUALITY, UUID(id))
    assert (await run(RECONCILE))["quality"] == 0


async def test_it_stands_with_each_resource_and_narrows_lists_and_searches(api: httpx.AsyncClient) -> None:
    ids = [await note(api, f"Lamp {number}") for number in range(2)]
    async with transaction() as session:
        for id in ids:
            await search.index(session, UUID(id))
    assert "quality" not in (await api.get(f"/resources/{ids[0]}")).json()
    for id in ids:
        assert await assessed(UUID(id))
    corrected = await api.put(
        f"/resources/{ids[0]}/quality",
        json=dict.fromkeys(("accuracy", "completeness", "consistency", "timeliness", "relevance"), 1),
    )
    assert corrected.status_code == 200
    assert (await api.get(f"/resources/{ids[0]}")).json()["quality"] == {"overall": 1}
    for path in ("/resources", "/search?query=lamp&mode=keyword"):
        joint = "&" if "?" in path else "?"
        assert (await api.get(path)).json()["total"] == 2
        good = (await api.get(f"{path}{joint}min_quality=0.99")).json()
        assert [item["id"] for item in good["items"]] == [ids[0]]
        assert (await api.get(f"{path}{joint}min_quality=1.5")).status_code == 422
    (hit,) = (await api.get("/search?query=lamp&mode=keyword&min_quality=0.99")).json()["items"]
    assert hit["quality"] == {"overall": 1}
