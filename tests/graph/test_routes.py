"""The graph over HTTP: neighbours with reasons, what lies around, paths, and nothing that is another's."""

from array import array
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from service.database import transaction
from service.graph.neighbours import overlap, weight
from service.search.vectors import to_text
from service.tasks import GRAPH
from tests.graph.conftest import Update, cite
from tests.sent import Sent

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def page(client: httpx.AsyncClient, name: str, *cites: str, **fields: Any) -> UUID:
    """Add a page that has a name as its address, and cites others by theirs."""
    body = {"title": name.title(), "content": f"Of {name}.", "url": f"https://example.org/{name}", **fields}
    made = await client.post("/resources", json=body)
    assert made.status_code == 201, made.text
    id = UUID(made.json()["id"])
    await cite(id, *(("url", f"https://example.org/{other}") for other in cites))
    return id


async def meaning(resource_id: UUID, *first: float) -> None:
    """Give a resource an embedding whose first dimensions are these."""
    vector = [*first, *([0.0] * (384 - len(first)))]
    async with transaction() as session:
        await session.execute(
            text(
                "INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)"
                " VALUES (:id, '', '', CAST(:vector AS vector), 0, false)"
            ),
            {"id": resource_id, "vector": to_text(array("f", vector).tobytes())},
        )


def test_the_parts_of_a_weight() -> None:
    assert weight(1, 1, 1) == pytest.approx(1)
    assert weight(1, 1) == pytest.approx(0.9)
    assert weight(0.5, 0.2) == pytest.approx(0.36)
    assert overlap({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert overlap(set(), set()) == 0


async def test_neighbours_with_weights_and_reasons(api: httpx.AsyncClient, update: Update) -> None:
    center = await page(api, "center", "cited", "x", "y", subjects=["Sea"])
    cited, shares = await page(api, "cited"), await page(api, "shares", "x", "y", "z")
    subject, far = await page(api, "subject", subjects=["sea", "land"]), await page(api, "far")
    await meaning(center, 1.0)
    await meaning(shares, 0.6, 0.8)
    await update(center, cited, shares, subject, far)
    answer = (await api.get(f"/resources/{center}/neighbors")).json()["items"]
    found = {one["id"]: one for one in answer}
    assert [one["id"] for one in answer] == [str(shares), str(cited), str(subject)]
    assert found[str(shares)]["weight"] == pytest.approx(0.6 * 0.6 + 0.3 * 0.5, abs=1e-4)  # 2 of 4 works, cosine 0.6
    assert found[str(shares)]["reasons"] == ["2 citations in common", "0.60 alike in meaning"]
    assert (found[str(cited)]["weight"], found[str(cited)]["reasons"]) == (0.3, ["it is cited here"])
    assert found[str(subject)]["weight"] == pytest.approx(0.15)
    assert found[str(subject)]["reasons"] == ["about sea"]
    [first] = (await api.get(f"/resources/{center}/neighbors?limit=1")).json()["items"]
    assert first["id"] == str(shares)
    back = (await api.get(f"/resources/{cited}/neighbors")).json()["items"]
    assert [(one["id"], one["reasons"]) for one in back] == [(str(center), ["it cites this"])]


async def test_a_common_category_counts_a_tenth(api: httpx.AsyncClient, update: Update) -> None:
    sea = (await api.post("/taxonomy", json={"name": "Sea"})).json()["id"]
    waves = (await api.post("/taxonomy", json={"name": "Waves", "parent_id": sea})).json()["id"]
    center, same, above = await page(api, "center", "same", "above"), await page(api, "same"), await page(api, "above")
    for id, category in ((center, waves), (same, waves), (above, sea)):
        label = {"category_id": category}
        assert (await api.put(f"/resources/{id}/classification", json=label)).status_code == 200
    await update(center, same, above)
    first, second = (await api.get(f"/resources/{center}/neighbors")).json()["items"]
    assert (first["id"], first["weight"], first["category"]) == (str(same), pytest.approx(0.4), 1)
    assert first["reasons"] == ["it is cited here", "both in Waves"]
    assert (second["id"], second["weight"]) == (str(above), pytest.approx(0.3 + 0.1 * 0.5))  # one of two levels


async def test_citations_name_the_item_that_they_lead_to(api: httpx.AsyncClient, update: Update) -> None:
    citing, cited = await page(api, "citing", "cited", "nowhere"), await page(api, "cited")
    await update(citing, cited)
    out = (await api.get(f"/resources/{citing}/citations")).json()["citations"]
    assert [(one["target_id"], one["target_title"]) for one in out] == [(str(cited), "Cited"), (None, None)]
    back = (await api.get(f"/resources/{cited}/citations")).json()["cited_by"]
    assert back == [{"id": str(citing), "title": "Citing"}]


async def test_what_lies_around(api: httpx.AsyncClient, update: Update) -> None:
    chain = [await page(api, f"p{n}", f"p{n + 1}") for n in range(5)]
    await update(*chain)
    near = (await api.get("/graph", params={"center": str(chain[2])})).json()
    assert {one["id"]: one["depth"] for one in near["nodes"]} == {
        str(chain[2]): 0, str(chain[1]): 1, str(chain[3]): 1,
    }  # fmt: skip
    assert {(one["source"], one["target"]) for one in near["edges"]} == {
        (str(chain[1]), str(chain[2])), (str(chain[2]), str(chain[3])),
    }  # fmt: skip
    far = (await api.get("/graph", params={"center": str(chain[2]), "depth": 2})).json()
    assert (len(far["nodes"]), len(far["edges"]), far["truncated"]) == (5, 4, False)
    every = (await api.get("/graph")).json()
    assert every["nodes"][0]["id"] == str(chain[4])  # the most important
    assert (len(every["nodes"]), len(every["edges"])) == (5, 4)
    few = (await api.get("/graph", params={"center": str(chain[2]), "depth": 4, "limit": 3})).json()
    assert (len(few["nodes"]), few["truncated"]) == (3, True)
    for bad in ({"center": "odd"}, {"depth": 0}, {"depth": 5}, {"limit": 201}, {"odd": 1}):
        assert (await api.get("/graph", params=bad)).status_code == 422
    assert (await api.get("/graph", params={"center": str(uuid4())})).status_code == 404


async def test_a_hub_is_cut_at_two_hundred(api: httpx.AsyncClient, update: Update) -> None:
    hub = await page(api, "hub")
    leaves = [await page(api, f"leaf{n}", "hub") for n in range(230)]
    await update(hub, *leaves)
    graph = (await api.get("/graph", params={"center": str(hub), "depth": 3})).json()
    assert (len(graph["nodes"]), len(graph["edges"]), graph["truncated"]) == (200, 199, True)


async def test_a_shortest_path(api: httpx.AsyncClient, update: Update) -> None:
    chain = [await page(api, f"p{n}", f"p{n + 1}") for n in range(4)]
    short = await page(api, "short", "p0", "p3")
    alone = await page(api, "alone")
    await update(*chain, short, alone)

    async def path(start: UUID, end: UUID) -> dict[str, Any]:
        answer = await api.get("/graph/path", params={"from": str(start), "to": str(end)})
        assert answer.status_code == 200
        return answer.json()

    found = await path(chain[0], chain[3])
    assert ([one["id"] for one in found["nodes"]], found["length"]) == (
        [str(chain[0]), str(short), str(chain[3])], 2,
    )  # fmt: skip
    assert {(one["source"], one["target"]) for one in found["edges"]} == {
        (str(short), str(chain[0])), (str(short), str(chain[3])),
    }  # fmt: skip
    assert [one["id"] for one in (await path(chain[1], chain[1]))["nodes"]] == [str(chain[1])]
    nothing = await path(chain[0], alone)
    assert (nothing["found"], nothing["nodes"], nothing["edges"]) == (False, [], [])
    for bad in ({}, {"from": str(short)}, {"from": "odd", "to": str(short)}):
        assert (await api.get("/graph/path", params=bad)).status_code == 422
    unknown = {"from": str(short), "to": str(uuid4())}
    assert (await api.get("/graph/path", params=unknown)).status_code == 404


async def test_a_path_has_an_end_of_its_length(api: httpx.AsyncClient, update: Update) -> None:
    chain = [await page(api, f"p{n}", f"p{n + 1}") for n in range(11)]
    await update(*chain)
    for length, there in ((8, True), (9, False)):
        ends = {"from": str(chain[0]), "to": str(chain[length])}
        assert (await api.get("/graph/path", params=ends)).json()["found"] is there


async def test_what_is_private_is_in_no_graph_of_others(api: httpx.AsyncClient, person: Person, update: Update) -> None:
    mira = await person("mira")
    first, last = await page(api, "first", "zyzzyva"), await page(api, "last")
    hidden = await page(mira, "zyzzyva", "last", "first", private=True, subjects=["sea"])
    await update(first, last, hidden)
    for path in (
        f"/graph?center={first}&depth=4", "/graph", f"/graph/path?from={first}&to={last}",
        f"/resources/{first}/neighbors", f"/resources/{last}/citations",
    ):  # fmt: skip
        assert str(hidden) not in (await api.get(path)).text, path
        assert str(hidden) in (await mira.get(path)).text, path
    [cited] = (await api.get(f"/resources/{first}/citations")).json()["citations"]
    assert (cited["target_id"], cited["target_title"]) == (None, None)
    assert (await api.get(f"/graph/path?from={first}&to={last}")).json()["found"] is False
    for path in (f"/graph?center={hidden}", f"/graph/path?from={first}&to={hidden}", f"/resources/{hidden}/neighbors"):
        assert (await api.get(path)).status_code == 404


async def test_events_that_matter_gather_in_one_task(api: httpx.AsyncClient, sent: Sent) -> None:
    made = (await api.post("/resources", json={"title": "N", "content": "C"})).json()["id"]
    asked = await sent.expect(GRAPH, resource_id=made)
    assert (asked.lane, asked.after) == ("default", 30)
    sent.asked.clear()
    await api.put(f"/resources/{made}", json={"description": "D"})
    await api.delete(f"/resources/{made}")
    await sent.expect(GRAPH, resource_id=made)
    assert len(sent.of(GRAPH)) == 1
