"""The tools as an assistant uses them, over both transports, with the official client."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from service.database import transaction
from service.search.actions import index
from tests.mcp.conftest import Assistant, Person, token

pytestmark = pytest.mark.integration

TEXT = "The keeper lights the lamp when fog comes in from the sea. " * 300


async def note(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    answer = await client.post("/resources", json={"title": title, "content": TEXT, "language": "en", **fields})
    assert answer.status_code == 201, answer.text
    async with transaction() as session:
        await index(session, UUID(answer.json()["id"]))
    return answer.json()["id"]


def said(result: Any) -> str:
    return "".join(block.text for block in result.content)


async def test_a_session(assistant: Assistant, person: Person) -> None:
    ada = await person("ada")
    id = await note(ada, "Lamps & fog", authors=["Ada Lovelace"], url="https://doi.org/10.1000/lamp", private=True)
    await ada.post("/collections", json={"name": "Lamps"})
    async with assistant(await token(ada)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "search", "read", "cite", "add", "list_collections",
        }  # fmt: skip

        found = (await client.call_tool("search", {"query": "keeper", "mode": "keyword"})).structured_content
        assert found is not None
        assert (found["total"], found["items"][0]["id"]) == (1, id)
        assert "**keeper**" in found["items"][0]["snippet"]

        text, offset = "", 0
        while offset is not None:
            piece = (await client.call_tool("read", {"id": id, "offset": offset, "length": 10_000})).structured_content
            assert piece is not None
            text, offset = text + piece["text"], piece["next_offset"]
        assert text == TEXT

        cited = said(await client.call_tool("cite", {"id": id}))
        assert cited.startswith("@article{lovelacelamps,")
        assert r"Lamps \& fog" in cited
        assert '"DOI": "10.1000/lamp"' in said(await client.call_tool("cite", {"id": id, "format": "csl"}))

        listed = (await client.call_tool("list_collections", {})).structured_content
        assert listed is not None
        assert [item["name"] for item in listed["items"]] == ["Lamps"]

        collection = listed["items"][0]["id"]
        note_ = {"title": "Reefs", "content": "A reef.", "tags": ["sea"], "private": True, "collection_id": collection}
        added = (await client.call_tool("add", note_)).structured_content
        assert added is not None
        page = (await client.call_tool("add", {"url": "https://example.org/reef"})).structured_content
        again = (await client.call_tool("add", {"url": "https://example.org/reef#top"})).structured_content
        assert page is not None
        assert again == page | {"duplicate": True}
    kept = (await ada.get(f"/resources/{added['id']}")).json()
    assert (kept["title"], kept["tags"]) == ("Reefs", ["sea"])
    assert (await ada.get(f"/collections/{collection}/resources")).json()["total"] == 1


async def test_the_permissions_of_the_token(assistant: Assistant, person: Person) -> None:
    ada, ben = await person("ada"), await person("ben")
    hers = await note(ada, "Secret", private=True)
    async with assistant(await token(ben, "read")) as client:
        for tool, arguments in (("read", {"id": hers}), ("cite", {"id": hers}), ("read", {"id": str(uuid4())})):
            refused = await client.call_tool(tool, arguments)
            assert refused.is_error
            assert "There is no resource" in said(refused)
        found = (await client.call_tool("search", {"query": "keeper", "mode": "keyword"})).structured_content
        assert found is not None
        assert found["total"] == 0
        refused = await client.call_tool("add", {"title": "Mine", "content": "A text."})
        assert refused.is_error
        assert "scope `write`" in said(refused)
    assert (await ben.get("/resources")).json()["total"] == 0


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("add", {}, "Give either"),
        ("add", {"url": "https://example.org/", "content": "x"}, "Give either"),
        ("add", {"content": "x"}, "needs a `title`"),
        ("add", {"url": "http://169.254.169.254/"}, "PHAROS_EGRESS_ALLOW"),
        ("add", {"title": "x", "content": "x", "collection_id": str(uuid4())}, "There is no collection"),
        ("search", {"query": ""}, "query"),
        ("search", {"query": "x", "limit": 5000}, "limit"),
        ("read", {"id": "../users"}, "id"),
    ],
)
async def test_errors_are_told_as_errors_of_the_tool(
    assistant: Assistant, person: Person, tool: str, arguments: dict[str, Any], reason: str
) -> None:
    ada = await person("ada")
    async with assistant(await token(ada)) as client:
        result = await client.call_tool(tool, arguments)
        assert result.is_error, said(result)
        assert reason in said(result)


async def test_without_a_token_nothing_is_told(address: str, api: httpx.AsyncClient) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx.AsyncClient(base_url=address) as stranger:
        for headers in ({}, {"Authorization": "Bearer nothing"}):
            answer = await stranger.post("/mcp", json=call, headers=headers)
            assert answer.status_code == 401, answer.text
        assert (await stranger.get("/mcp")).status_code == 405
