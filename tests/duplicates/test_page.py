"""The page of duplicates as the server writes it."""

import httpx
import pytest

from tests.trash.test_trash import note

pytestmark = pytest.mark.integration


async def test_it_shows_what_differs(api: httpx.AsyncClient) -> None:
    one, other = await note(api, "Lamp", tags=["light"]), await note(api, "Lamp")
    for path in ("/ui/duplicates", f"/ui/duplicates?of={one}"):
        page = await api.get(path)
        assert page.status_code == 200
        assert all(words in page.text for words in ("The same text", "Tags", "light", f'value="{other}"'))
        assert "Address" not in page.text
    assert "Nothing is in your library twice" in (await api.get("/ui/duplicates?page=2")).text
