"""The page of the graph: as a list without any script, and nothing of others."""

import re

import httpx
import pytest
from sqlalchemy import text

from service.database import transaction
from service.graph.actions import replace_citations
from service.ingestion.extracted import Citation
from service.security.accounts import create_user
from tests.ui.conftest import Add

pytestmark = pytest.mark.integration


async def link(source: object, target: object) -> None:
    async with transaction() as session:
        [id] = await replace_citations(session, source, [Citation("url", "https://example.org/", "x")])  # type: ignore[arg-type]
        await session.execute(
            text("UPDATE citations SET target_id = :target WHERE id = :id"), {"target": target, "id": id}
        )


async def test_a_list_says_what_the_picture_shows(signed_in: httpx.AsyncClient, add: Add) -> None:
    one, other, alone = await add("The lamp </script><i>"), await add("The tower"), await add("Something else")
    await link(one.id, other.id)
    answer = await signed_in.get(f"/ui/graph?center={one.id}")
    page = answer.text
    assert answer.status_code == 200
    assert re.findall(r'<li><a href="/ui/resources/([^"]+)">', page) == [str(one.id), str(other.id)]
    assert "Something else" not in page
    assert "</script><i>" not in page
    assert "\\u003c/script>\\u003ci>" in page
    assert '"edges":[[0,1,"cites",1.0]]' in page
    for forbidden in (" style=", " onclick=", "<style"):
        assert forbidden not in page
    reading = (await signed_in.get(f"/ui/resources/{one.id}")).text
    assert f'href="/ui/graph?center={one.id}"' in reading
    assert f'href="/ui/resources/{other.id}" title="The tower"' in reading
    assert "Nothing here cites" in (await signed_in.get(f"/ui/graph?center={alone.id}")).text
    for path in ("/ui/graph", f"/ui/graph?center={one.id}&depth=3"):
        assert (await signed_in.get(path)).status_code == 200
    assert (await signed_in.get("/ui/graph?depth=9")).status_code == 422


async def test_other_peoples_private_items_are_not_in_it(signed_in: httpx.AsyncClient, add: Add) -> None:
    async with transaction() as session:
        ben = await create_user(session, "ben", "editor")
    mine, hidden = await add("Mine"), await add("What only Ben knows", "Secret.", ben.id, private=True)
    await link(mine.id, hidden.id)
    for path in (f"/ui/graph?center={mine.id}", "/ui/graph", f"/ui/resources/{mine.id}"):
        page = (await signed_in.get(path)).text
        assert str(hidden.id) not in page
        assert "What only Ben knows" not in page
    assert (await signed_in.get(f"/ui/graph?center={hidden.id}")).status_code == 404
