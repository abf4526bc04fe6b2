"""What a request asks the workers for; and that the helper, which these tests read by, says what it saw."""

import asyncio

import httpx
import pytest

from service.tasks import EMBED, GRAPH, INDEX, INGEST, INVALIDATE, PROCESS, QUALITY
from tests.sent import Sent

pytestmark = pytest.mark.integration

LAMP = {"title": "Lamps", "content": "A lamp by the sea."}


async def test_a_new_text_is_indexed_and_embedded(api: httpx.AsyncClient, sent: Sent) -> None:
    id = (await api.post("/resources", json=LAMP)).json()["id"]
    index, embed = await sent.expect(INDEX, resource_id=id), await sent.expect(EMBED, resource_id=id)
    assert (index.lane, index.after, embed.lane, embed.after) == ("urgent", 1, "high_priority", 5)


async def test_a_change_asks_for_what_it_makes_stale_and_no_more(api: httpx.AsyncClient, sent: Sent) -> None:
    id = (await api.post("/resources", json=LAMP)).json()["id"]
    await sent.expect(EMBED, resource_id=id)
    sent.asked.clear()
    await api.put(f"/resources/{id}", json=LAMP)
    await api.put(f"/resources/{id}", json={"title": "Lanterns"})
    await sent.expect(INDEX, resource_id=id)
    for task in (QUALITY, GRAPH, INVALIDATE):
        await sent.expect(task, resource_id=id)
    sent.refute(EMBED)
    assert len(sent.asked) == 4


async def test_each_way_in_has_its_task(api: httpx.AsyncClient, sent: Sent) -> None:
    page = (await api.post("/ingest", json={"url": "https://example.org/lamp"})).json()
    file = (await api.post("/documents", files={"file": ("lamp.txt", b"A lamp.", "text/plain")})).json()["items"][0]
    assert (await sent.expect(INGEST, resource_id=page["id"])).message_id == page["task_id"]
    assert (await sent.expect(PROCESS, resource_id=file["resource_id"])).message_id == file["task_id"]


async def test_what_is_missing_is_told_beside_what_was_sent(api: httpx.AsyncClient, sent: Sent) -> None:
    id = (await api.post("/resources", json=LAMP)).json()["id"]
    await asyncio.gather(sent.expect(INDEX), sent.expect(EMBED))
    with pytest.raises(AssertionError) as missing:
        await sent.expect(INDEX, seconds=0.05, resource_id="another")
    told = f"update_search_index(resource_id=another) was not sent within 0.05 s, but\n{sent}"
    assert str(missing.value).startswith(told)
    assert f"    regenerate_embedding(resource_id={id})" in told
    with pytest.raises(AssertionError, match=r"regenerate_embedding.* was sent, among"):
        sent.refute(EMBED, resource_id=id)
    sent.refute(INGEST)
