"""What other programs hand over: nothing happens before a person confirms it; links, notes, what is there already."""

import re
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from service.database import reading, transaction
from service.ingestion.actions import request_page
from service.resources.tables import Resource
from service.security.accounts import Account, create_user
from service.security.passwords import hash_password
from service.ui.assets import FOLDER
from service.ui.save import link_in
from tests.ui.conftest import PASSWORD, Add

pytestmark = pytest.mark.integration

URL = "https://example.org/lamp"


async def count() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(Resource)) or 0


async def saved(client: httpx.AsyncClient, **form: str) -> tuple[str, UUID]:
    """Send the form; return what the answer leads to: `added` or `known`, and the id."""
    answer = await client.post("/ui/add", data=form)
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/ui/add\?(added|known)=(.+)", answer.headers["location"])
    assert found is not None
    return found[1], UUID(found[2])


@pytest.mark.parametrize(
    ("url", "words", "found"),
    [
        (URL, "A text.", (URL, "A text.")),
        ("", f"Read this: {URL}.", (URL, "Read this: .")),
        ("", f"({URL})", (URL, "()")),
        ("", URL, (URL, "")),
        ("", "javascript:alert(1)", ("", "javascript:alert(1)")),
        ("", "", ("", "")),
    ],
)
def test_the_link_is_found_in_the_text(url: str, words: str, found: tuple[str, str]) -> None:
    assert link_in(url, words) == found


async def test_to_open_it_changes_nothing(signed_in: httpx.AsyncClient) -> None:
    hostile = '"><script>alert(1)</script>'
    answer = await signed_in.get("/ui/add", params={"url": URL, "title": hostile, "text": f"</textarea>{hostile}"})
    assert answer.status_code == 200
    assert f'value="{URL}"' in answer.text
    assert "<script>alert" not in answer.text
    assert await count() == 0


async def test_another_site_cannot_confirm_it(signed_in: httpx.AsyncClient) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        answer = await signed_in.post("/ui/add", data={"url": URL, "keep": "page"}, headers=headers)
        assert answer.status_code == 403
    assert await count() == 0


async def test_a_page_is_added_once(signed_in: httpx.AsyncClient) -> None:
    outcome, id = await saved(signed_in, url=URL, title="The lamp", keep="page")
    assert outcome == "added"
    assert await saved(signed_in, url=f"{URL}?utm_source=x#top", keep="page") == ("known", id)
    assert await count() == 1
    shown = await signed_in.get("/ui/add", params={"url": URL})
    assert "Already in your library." in shown.text
    assert f'href="/ui/resources/{id}"' in shown.text
    assert "Add the page" not in shown.text
    with_text = await signed_in.get("/ui/add", params={"url": URL, "text": "Nine tenths of the flame."})
    assert "Already in your library." in with_text.text
    assert "Keep the text as a note" in with_text.text
    assert "Add the page" not in with_text.text
    assert "Added to your library." in (await signed_in.get("/ui/add", params={"added": str(id)})).text


async def test_a_text_becomes_a_note_once(signed_in: httpx.AsyncClient) -> None:
    shown = await signed_in.get("/ui/add", params={"text": "The keeper sleeps.\nThe lamp does not."})
    assert "Keep the text as a note" in shown.text
    assert "Add the page" not in shown.text
    outcome, id = await saved(signed_in, text="The keeper sleeps.\nThe lamp does not.", url=URL, keep="note")
    assert outcome == "added"
    async with reading() as session:
        note = await session.get_one(Resource, id)
    assert (note.title, note.type, note.url) == ("The keeper sleeps.", "note", URL)
    assert await saved(signed_in, text="The keeper sleeps.\nThe lamp does not.", keep="note") == ("known", id)


async def test_a_private_page_of_somebody_else_is_not_told(
    signed_in: httpx.AsyncClient, ada: Account, add: Add
) -> None:
    async with transaction() as session:
        other = await create_user(session, "bob", "editor", await hash_password(PASSWORD))
        bob = Account(other.id, "bob", "editor", ada.scopes)
        hidden = await request_page(session, bob, URL, private=True)
    assert "Already in your library." not in (await signed_in.get("/ui/add", params={"url": URL})).text
    assert (await signed_in.get("/ui/add", params={"known": str(hidden.id)})).status_code == 404
    assert (await saved(signed_in, url=URL, keep="page"))[0] == "added"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"keep": "page"}, "There is no link to add."),
        ({"keep": "note", "url": URL}, "There is no text to keep."),
        ({"keep": "page", "url": "javascript:alert(1)"}, "only http:// and https:// addresses can"),
        ({"keep": "page", "url": "http://127.0.0.1/"}, "127.0.0.1 may not be fetched"),
        ({"keep": "page", "url": "https://ada:secret@example.org/"}, "holds a user name or a password"),
        ({"keep": "note", "url": "file:///etc/passwd", "text": "A text."}, "only http:// and https:// addresses can"),
        ({"keep": "note", "text": "A\x00text."}, "not valid: see text"),
        ({"keep": "page", "url": "https://example.org/" + "a" * 5000}, "not valid: see url"),
        ({"keep": "everything"}, "not valid: see keep"),
        ({"keep": "note", "text": "x" * 2**21}, "larger than 1048576 bytes"),
    ],
)
async def test_what_cannot_be_added_is_said(signed_in: httpx.AsyncClient, form: dict[str, str], told: str) -> None:
    answer = await signed_in.post("/ui/add", data=form)
    assert answer.status_code in (413, 422)
    assert told in answer.text
    assert await count() == 0


async def test_who_is_signed_out_comes_back(client: httpx.AsyncClient, ada: Account) -> None:
    led = await client.get("/ui/add", params={"url": URL, "text": "ä" * 500})
    to_sign_in = httpx.URL(led.headers["location"])
    form = {"username": "ada", "password": PASSWORD, "next": to_sign_in.params["next"]}
    assert (await client.get(to_sign_in)).status_code == 200
    back = (await client.post("/ui/login", data=form)).headers["location"]
    assert "ä" * 500 in (await client.get(back)).text
    client.cookies.clear()
    led = await client.get("/ui/add", params={"text": "ä" * 5000})  # too much to carry through the sign-in page
    assert led.headers["location"] == "/ui/login?next=%2Fui%2Fadd"


async def test_a_reader_is_told_that_this_needs_more(client: httpx.AsyncClient) -> None:
    async with transaction() as session:
        await create_user(session, "rhea", "reader", await hash_password(PASSWORD))
    await client.post("/ui/login", data={"username": "rhea", "password": PASSWORD})
    answer = await client.get("/ui/add", params={"url": URL})
    assert answer.status_code == 403
    assert "needs the scope `write`" in answer.text


async def test_the_manifest_names_what_is_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ui/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    told = answer.json()
    assert (told["share_target"]["action"], told["share_target"]["method"]) == ("/ui/add", "GET")
    assert told["share_target"]["params"] == {"url": "url", "title": "title", "text": "text"}
    assert {icon["sizes"] for icon in told["icons"]} == {"192x192", "512x512"}
    for icon in told["icons"]:
        file = await client.get(icon["src"])
        assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
        size = int.from_bytes(file.content[16:20])  # the width, in the first chunk of a PNG
        assert icon["sizes"] == f"{size}x{size}"
        assert (FOLDER / icon["src"].rpartition("/")[2]).read_bytes() == file.content
    page = await client.get("/ui/login")
    assert 'rel="manifest" href="/ui/manifest.webmanifest"' in page.text
    assert "manifest-src 'self'" in page.headers["content-security-policy"]
