"""Pages for people: who is let in, where errors lead, what is shown and what is escaped."""

from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from lxml.html import document_fromstring
from sqlalchemy import text, update

from service.database import transaction
from service.ingestion.actions import request_page
from service.ingestion.tables import Ingestion
from service.notifications.actions import mark_all_read
from service.quality.tables import Quality
from service.resources.tables import Resource
from service.security.accounts import Account, change_user, create_user
from service.security.invitations import invite
from service.security.login_links import create_login_link
from service.taxonomy import actions as taxonomy
from service.taxonomy import tree
from service.ui import pages
from tests.notifications.conftest import facts, happened
from tests.ui.conftest import PASSWORD, Add

pytestmark = pytest.mark.integration

NOTHING = "00000000-0000-7000-8000-000000000000"  # nobody made a resource with this id


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/", "/ui/"),
        ("/ui", "/ui/"),
        ("/ui/", "/ui/login"),
        ("/ui/search?query=a%20b", "/ui/login?next=%2Fui%2Fsearch%3Fquery%3Da%2520b"),
        (f"/ui/resources/{NOTHING}", "/ui/login?next=%2Fui%2Fresources%2F"),
    ],
)
async def test_who_is_signed_out_is_led_on(client: httpx.AsyncClient, path: str, to: str) -> None:
    answer = await client.get(path)
    assert answer.is_redirect
    assert answer.headers["location"].startswith(to)


async def test_a_module_gets_401_instead_of_the_sign_in_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ui/items", headers={"Sec-Fetch-Mode": "cors"})
    assert answer.status_code == 401


async def test_signing_in_leads_back_to_where_one_was(client: httpx.AsyncClient, ada: Account) -> None:
    form = {"username": "ada", "password": PASSWORD, "next": "/ui/search?query=light"}
    answer = await client.post("/ui/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/search?query=light")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await client.get("/ui/")).status_code == 200


@pytest.mark.parametrize(
    "next", ["https://elsewhere.example/", "//elsewhere.example", "/ui/\\elsewhere", "/ui/\r\nX: y", "javascript:1", ""]
)
async def test_signing_in_leads_nowhere_else(client: httpx.AsyncClient, ada: Account, next: str) -> None:
    answer = await client.post("/ui/login", data={"username": "ada", "password": PASSWORD, "next": next})
    assert answer.headers["location"] == "/ui/"


async def test_a_wrong_password_is_said_on_the_form(client: httpx.AsyncClient, ada: Account) -> None:
    answer = await client.post("/ui/login", data={"username": "ada", "password": "darkness", "next": "/ui/search"})
    assert answer.status_code == 401
    assert "The username or the password is wrong." in answer.text
    assert 'value="ada"' in answer.text
    assert "darkness" not in answer.text
    assert 'name="next" value="/ui/search"' in answer.text


async def test_a_link_signs_in_once_and_only_by_its_button(client: httpx.AsyncClient, ada: Account) -> None:
    code = await create_login_link("ada")
    for _ in range(2):  # a mail scanner, then the person
        page = await client.get("/ui/login", params={"code": code})
        assert code in page.text
        assert "Sign in as ada" in page.text
        assert page.headers["cache-control"] == "no-store"
    answer = await client.post("/ui/login", data={"code": code})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/")
    client.cookies.clear()
    again = await client.post("/ui/login", data={"code": code})
    assert again.status_code == 401
    for page in (again, await client.get("/ui/login", params={"code": code})):
        assert "used already" in page.text
        assert code not in page.text
        assert 'type="password"' in page.text


async def test_signing_out_ends_the_session(signed_in: httpx.AsyncClient) -> None:
    cookie = dict(signed_in.cookies)
    answer = await signed_in.post("/ui/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/login")
    assert (await signed_in.get("/ui/", headers={"Cookie": f"pharos_session={cookie['pharos_session']}"})).is_redirect


async def test_another_site_cannot_sign_anybody_out(signed_in: httpx.AsyncClient) -> None:
    answer = await signed_in.post("/ui/logout", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert (await signed_in.get("/ui/")).status_code == 200


async def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline(signed_in: httpx.AsyncClient) -> None:
    answer = await signed_in.get("/ui/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for forbidden in (" style=", " onclick=", "<style", "http://", "https://"):
        assert forbidden not in answer.text
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/ui/nowhere", "/ui/resources/no-id", f"/ui/resources/{NOTHING}"])
async def test_what_is_not_there_is_a_page_too(signed_in: httpx.AsyncClient, path: str) -> None:
    answer = await signed_in.get(path)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert 'href="/ui/"' in answer.text


async def test_what_nobody_expected_is_a_page_too(
    signed_in: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("service.ui.library.counts", broken)
    answer = await signed_in.get("/ui/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "a secret detail" not in answer.text


async def test_a_wrong_address_says_what_is_wrong(signed_in: httpx.AsyncClient) -> None:
    answer = await signed_in.get("/ui/?page=none")
    assert answer.status_code == 422
    assert "page" in answer.text


async def test_an_empty_library_says_what_to_do(signed_in: httpx.AsyncClient) -> None:
    assert "Nothing here yet" in (await signed_in.get("/ui/")).text


async def test_the_library_shows_what_was_added(signed_in: httpx.AsyncClient, add: Add) -> None:
    found = await add("The lamp of Alexandria", url="https://www.example.org/lamp")
    page = (await signed_in.get("/ui/")).text
    assert f'id="item-{found.id}"' in page
    assert "The lamp of Alexandria" in page
    assert "example.org" in page
    assert 'data-step="indexed" data-state="completed"' in page
    assert 'data-step="embedded" data-state="pending"' in page
    part = (await signed_in.get("/ui/items", params={"id": [str(found.id), str(uuid4())]})).text
    assert part.count('class="item"') == 1
    assert 'data-working="1"' in part


async def test_other_peoples_private_items_are_nowhere(signed_in: httpx.AsyncClient, add: Add) -> None:
    async with transaction() as session:
        ben = await create_user(session, "ben", "editor")
    hidden = await add("What only Ben knows", "The password is lighthouse.", ben.id, private=True)
    for path in ("/ui/", f"/ui/items?id={hidden.id}", "/ui/search?query=lighthouse&mode=keyword"):
        answer = await signed_in.get(path)
        assert answer.status_code == 200
        assert "What only Ben knows" not in answer.text
    assert (await signed_in.get(f"/ui/resources/{hidden.id}")).status_code == 404


async def test_nothing_that_was_stored_becomes_markup(signed_in: httpx.AsyncClient, add: Add) -> None:
    evil = "<img src=x onerror=alert(1)>"
    found = await add(f"Title {evil}", f"Lighthouse {evil}\n\n{evil}", description=evil, authors=[evil], tags=[evil])
    for path in ("/ui/", f"/ui/resources/{found.id}", "/ui/search?query=lighthouse&mode=keyword"):
        answer = await signed_in.get(path)
        assert "Title &lt;img" in answer.text
        assert "<img" not in answer.text


async def test_the_reading_view_shows_text_and_facts(signed_in: httpx.AsyncClient, add: Add) -> None:
    found = await add(
        "The lamp",
        "One.\n\nTwo.",
        content_html="<h1>The lamp</h1><p>One <em>light</em>.</p>",
        authors=["Sostratus of Cnidus"],
        language="en",
        url="https://example.org/lamp",
    )
    page = (await signed_in.get(f"/ui/resources/{found.id}")).text
    assert '<div class="prose"><p>One <em>light</em>.</p></div>' in page  # without the heading that repeats the title
    assert "By Sostratus of Cnidus" in page
    assert 'href="https://example.org/lamp" rel="noopener noreferrer" target="_blank"' in page
    assert "English" in page


async def test_searching_by_words_without_the_model_server_says_so(signed_in: httpx.AsyncClient, add: Add) -> None:
    found = await add("The lamp of Alexandria", "It shone over the harbour for centuries.", language="en")
    page = (await signed_in.get("/ui/search", params={"query": "harbour"})).text
    assert "<mark>harbour</mark>" in page
    assert f'href="/ui/resources/{found.id}"' in page
    assert "Search by meaning is away" in page
    assert "1 result" in page


async def test_with_every_key_words_are_asked_for_alone(signed_in: httpx.AsyncClient, add: Add) -> None:
    await add("Harbour", "Ships of the harbour.")
    for mode, is_asked in (("hybrid", False), ("semantic", True)):  # what somebody chose is done
        asked = {"query": "harb", "mode": mode, "typing": "1", "quick": "1"}
        part = (await signed_in.get("/ui/search/results", params=asked)).text
        assert ("Search by meaning is away" in part) is is_asked  # no model server here


async def test_a_search_lives_in_its_address(signed_in: httpx.AsyncClient, add: Add) -> None:
    for number in range(25):
        await add(
            f"Harbour {number}", f"Ships of the harbour, part {number}.", type="note" if number % 2 else "webpage"
        )
    asked = {"query": "harbour", "mode": "keyword"}
    first = (await signed_in.get("/ui/search", params=asked)).text
    assert first.count('<li class="hit">') == 20
    assert "Page 1 of 2" in first
    assert 'href="/ui/search?query=harbour&amp;mode=keyword&amp;page=2"' in first
    assert 'href="/ui/search?query=harbour&amp;mode=keyword&amp;type=note"' in first
    second = (await signed_in.get("/ui/search", params={**asked, "page": 2})).text
    assert second.count('<li class="hit">') == 5
    notes = (await signed_in.get("/ui/search", params={**asked, "type": "note"})).text
    assert notes.count('<li class="hit">') == 12
    assert 'name="type" value="note"' in notes  # the search box keeps it
    part = (await signed_in.get("/ui/search/results", params={"query": "harb", "mode": "keyword", "typing": "1"})).text
    assert "25 results" in part
    assert "<html" not in part


async def test_nothing_found_is_said_with_a_way_on(signed_in: httpx.AsyncClient) -> None:
    page = (await signed_in.get("/ui/search", params={"query": "zzz <b>", "mode": "keyword"})).text
    assert "Nothing found for “zzz &lt;b&gt;”" in page
    assert "mode=semantic" in page


async def test_what_the_search_tells_is_shown_and_escaped(
    signed_in: httpx.AsyncClient, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await add("The lamp")
    hit = {"id": found.id, "title": "The lamp", "url": None, "type": "note", "language": "en", "published_at": None}
    hit |= {"snippet": "a <mark>lamp</mark>", "why": "its title <i>"}
    facets = {"type": {"note": 1, "book": 2}, "language": {}, "author": {"Eve <b>": 1, "Ada": 1}}

    async def search(*_: object, **__: object) -> tuple[SimpleNamespace, bool]:
        told = {"did_you_mean": "lamp & light", "degraded": [], "took_ms": 1.0}
        return SimpleNamespace(total=1, items=[hit], facets=facets, **told), False

    monkeypatch.setattr("service.ui.search.cached.search", search)
    page = (await signed_in.get("/ui/search", params={"query": "lmap", "type": "note"})).text
    assert 'Did you mean <a href="/ui/search?query=lamp+%26+light&amp;type=note">lamp &amp; light</a>' in page
    assert "its title &lt;i&gt;" in page
    assert "Eve &lt;b&gt;" in page
    assert "<small>2</small>" in page  # books
    assert "<h2>Language</h2>" not in page  # a facet without values
    assert 'aria-label="Remove filter: Note"' in page
    assert 'href="/ui/search?query=lmap"' in page  # without the filter


async def test_a_batch_is_counted_with_the_reasons_of_its_failures(
    signed_in: httpx.AsyncClient, ada: Account, add: Add
) -> None:
    batch, ids = uuid4(), []
    async with transaction() as session:
        ben = await create_user(session, "ben", "editor")
        other = Account(ben.id, "ben", "editor", ada.scopes)
        for number in range(4):
            url = f"https://example.org/{number}"
            asked = await request_page(session, ada, url, batch_id=batch)
            ids.append(asked.id)
        ids.sort()  # they are of one time
        await request_page(session, other, "https://example.org/hidden", private=True, batch_id=batch)
        for id in ids[:2]:
            await session.execute(update(Ingestion).where(Ingestion.resource_id == id).values(error="No <page>."))
            await session.execute(update(Resource).where(Resource.id == id).values(status="failed"))
    await add("Something else")
    page = (await signed_in.get("/ui/", params={"batch": str(batch)})).text
    assert '<div data-count="failed"><dt>Failed</dt><dd>2</dd></div>' in page
    assert '<div data-count="waiting"><dt>Waiting</dt><dd>2</dd></div>' in page
    assert "No &lt;page&gt;." in page
    assert f'data-retry-all="{ids[0]} {ids[1]}"' in page
    assert page.count('<li class="item"') == 4
    assert "Something else" not in page
    assert f'href="/ui/?batch={batch}&amp;show=failed"' in page or f'href="/ui/?batch={batch}&show=failed"' in page
    failed = (await signed_in.get("/ui/", params={"batch": str(batch), "show": "failed"})).text
    assert failed.count('<li class="item"') == 2
    part = (await signed_in.get("/ui/items", params={"batch": str(batch)})).text
    assert 'id="batch-counts"' in part
    empty = (await signed_in.get("/ui/", params={"batch": str(uuid4())})).text
    assert "Nothing here yet" not in empty
    assert (await signed_in.get("/ui/?batch=none")).status_code == 422


async def test_a_theme_that_was_chosen_is_there_from_the_start(signed_in: httpx.AsyncClient) -> None:
    assert '<html lang="en">' in (await signed_in.get("/ui/")).text
    signed_in.cookies.set("pharos_theme", "dark")
    assert 'data-theme="dark"' in (await signed_in.get("/ui/")).text
    signed_in.cookies.set("pharos_theme", '"><script>')
    assert "<script>" not in (await signed_in.get("/ui/")).text


def test_every_template_compiles() -> None:
    names = pages.templates.list_templates()
    assert "base.html" in names
    for name in names:
        pages.templates.get_template(name)


async def test_who_was_invited_joins_by_the_page(client: httpx.AsyncClient, ada: Account) -> None:
    async with transaction() as session:
        await change_user(session, ada.id, role="admin")
        _, code = await invite(session, ada.id, "reader", days=1)
    form = (await client.get("/ui/join", params={"code": code})).text
    assert f'name="code" value="{code}"' in form
    short = await client.post("/ui/join", data={"username": "ben", "password": "short", "code": code})
    assert short.status_code == 422
    assert 'role="alert"' in short.text
    taken = await client.post("/ui/join", data={"username": "ada", "password": "long enough", "code": code})
    assert (taken.status_code, "There is a user ada already" in taken.text) == (409, True)
    joined = await client.post("/ui/join", data={"username": "ben", "password": "long enough", "code": code})
    assert (joined.status_code, joined.headers["location"]) == (303, "/ui/")
    assert (await client.get("/ui/")).status_code == 200
    uninvited = await client.post("/ui/join", data={"username": "eve", "password": "long enough"})
    assert (uninvited.status_code, "by invitation" in uninvited.text) == (403, True)


async def test_notifications_are_listed_with_what_one_wants_to_hear_of(
    signed_in: httpx.AsyncClient, ada: Account, add: Add
) -> None:
    lamp = await add("<Lamp>")
    for name in ("quality.degraded", "indexing.completed"):
        data = {"resource_id": lamp.id, "user_id": ada.id, "score": 0.2, "previous": 0.9}
        await happened(facts(name, ada.id, **data))
    page = await signed_in.get("/ui/notifications")
    assert "“&lt;Lamp&gt;” is ready" in page.text
    assert f'href="/ui/resources/{lamp.id}"' in page.text
    assert page.text.count("data-unread>") == 2
    assert 'name="collection_changed" autocomplete' in page.text
    assert 'name="quiz_ready" checked' in page.text
    async with transaction() as session:
        await mark_all_read(session, ada)
    assert "You have read everything." in (await signed_in.get("/ui/notifications?unread=true")).text
    assert (await signed_in.get("/ui/notifications?page=0")).status_code == 422


async def test_the_bell_is_in_the_frame_of_who_is_signed_in(client: httpx.AsyncClient, ada: Account) -> None:
    assert 'id="bell"' not in (await client.get("/ui/login")).text
    await client.post("/ui/login", data={"username": "ada", "password": PASSWORD})
    for path in ("/ui/", "/ui/search", "/ui/notifications", "/ui/nowhere"):
        assert 'id="bell"' in (await client.get(path)).text


async def test_what_is_found_by_itself_is_told_from_what_a_person_said(
    signed_in: httpx.AsyncClient, add: Add, ada: Account
) -> None:
    one, other = await add("The lamp"), await add("The tower")
    async with transaction() as session:
        first, second = [(await tree.add(session, ada, name, None, None)).id for name in ("Lamps", "Towers")]
        for resource, predicted in ((one, True), (other, False)):
            await session.execute(
                text("INSERT INTO classifications (resource_id, is_predicted, rank, category_id, confidence, assigned)"
                     " VALUES (:id, :predicted, 0, :category, :sure, true)"),
                {"id": resource.id, "predicted": predicted, "category": first if predicted else second,
                 "sure": 0.82 if predicted else 1.0},
            )  # fmt: skip
    page = (await signed_in.get(f"/ui/resources/{one.id}")).text
    assert ("found by itself, 82 % sure" in page, f'data-right="{first}"' in page, "data-none" in page) == (True,) * 3
    page = (await signed_in.get(f"/ui/resources/{other.id}")).text
    assert ("said by a person" in page, "data-unsorted" in page, "found by itself" in page) == (True, True, False)
    assert "data-none" not in page
    async with transaction() as session:
        await taxonomy.label(session, ada, one.id)
    page = (await signed_in.get(f"/ui/resources/{one.id}")).text
    assert ("None of those found by itself" in page, "data-unsorted" in page) == (True, True)
    assert ("data-right" in page, "data-none" in page) == (False, False)


async def test_quality_is_a_meter_for_each_dimension_with_its_reasons(signed_in: httpx.AsyncClient, add: Add) -> None:
    lamp = await add("The lamp")
    assert 'id="quality"' not in (await signed_in.get(f"/ui/resources/{lamp.id}")).text  # nobody has measured it yet
    scores = {"accuracy": 0.5, "completeness": 0.25, "consistency": 1.0, "timeliness": 0.0, "relevance": 0.875}
    reasons = {name: [f"Why {name} is <so>"] for name in scores}
    async with transaction() as session:
        hashes = {"input_hash": "", "source_hash": ""}
        session.add(Quality(resource_id=lamp.id, overall=0.524, **scores, computed=scores, reasons=reasons, **hashes))
    page = document_fromstring((await signed_in.get(f"/ui/resources/{lamp.id}")).text)
    (panel,) = page.xpath("//section[@id='quality']")
    assert "52 %" in panel.xpath("string(h2)")
    shown = {
        bar.xpath("string(.//meter/@aria-label)"): (
            float(bar.xpath("string(.//meter/@value)")), bar.xpath("string(.//b)"), bar.xpath(".//li/text()"),
        )
        for bar in panel.xpath("details")
    }  # fmt: skip
    assert shown == {
        name.capitalize(): (score, str(round(100 * score)), reasons[name]) for name, score in scores.items()
    }
    assert {(one.get("min"), one.get("max")) for one in panel.xpath(".//meter")} == {("0", "1")}
