"""Each page explains itself, to each account, until it is put away."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from service.hints.actions import HINTS
from service.ui.pages import Page
from service.ui.routes import routes
from service.ui.text import text

pytestmark = pytest.mark.integration

NewPerson = Callable[..., Awaitable[httpx.AsyncClient]]
SAYS = 'id="hint"'


def test_every_hint_has_a_page_and_words() -> None:
    hinted = [route.app.hint for route in routes if isinstance(getattr(route, "app", None), Page) and route.app.hint]  # pyright: ignore[reportAttributeAccessIssue]
    assert sorted(hinted) == sorted(HINTS)
    for hint in HINTS:
        assert 40 < len(text(f"hint.{hint}")) < 260


async def test_a_hint_is_put_away_for_one_account_and_page(person: NewPerson) -> None:
    ada, ben = await person("ada", "reader"), await person("ben")
    assert SAYS in (await ada.get("/ui/")).text
    for _ in range(2):
        assert (await ada.put("/hints/library")).status_code == 204
    assert (await ada.get("/hints")).json() == {"hints": list(HINTS), "dismissed": ["library"]}
    assert SAYS not in (await ada.get("/ui/")).text
    assert SAYS in (await ada.get("/ui/graph")).text
    assert SAYS in (await ben.get("/ui/")).text
    assert (await ada.delete("/hints")).status_code == 204
    assert SAYS in (await ada.get("/ui/")).text


async def test_there_is_no_other_hint(person: NewPerson) -> None:
    ada = await person("ada")
    for name in ("nothing", "x" * 5000, "%00"):
        assert (await ada.put(f"/hints/{name}")).status_code == 404
