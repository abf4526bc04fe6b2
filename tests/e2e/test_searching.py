"""Searching in a real browser: instant results, filters, keys, and what an accessibility audit says."""

import json
import re
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Open
from tests.e2e.site import ARTICLES, Site
from tests.installation import Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NOTE = {"title": "A note about the sea", "content": "The sea, as a note.", "type": "note", "tags": ["water"]}


@pytest.fixture(scope="module", autouse=True)
def batch(installation: Installation, site: Site) -> str:
    """A library that holds every article, a note, and a batch in which something failed."""
    links = [site.url(name) for name in (*ARTICLES, "wreck")]
    _, asked = installation.call("POST", "/ingest", {"urls": links})
    installation.call("POST", "/resources", NOTE)

    def found(title: str) -> bool:
        _, answer = installation.call("POST", "/search", {"query": f'"{title}"', "mode": "keyword"})
        return answer["total"] > 0

    assert until(lambda: all(found(title) for title in (NOTE["title"], *(one[0] for one in ARTICLES.values()))), 90)
    return asked["batch_id"]


def field(page: Page) -> str:
    return page.evaluate("document.activeElement.id")


def test_a_filter_lives_in_the_address_and_going_back_takes_it_away(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search")
    page.keyboard.type("the sea")
    expect(page.locator(".hit").nth(1)).to_be_visible()
    assert field(page) == "query"  # typing goes on
    page.evaluate("window.here = true")
    kinds = page.locator(".facets section").filter(has=page.get_by_role("heading", name="Type"))
    kinds.get_by_role("link", name=re.compile("^Note")).click()
    expect(page).to_have_url(re.compile("query=the\\+sea&type=note"))
    expect(page.locator(".hit")).to_contain_text([NOTE["title"]])
    page.get_by_label("Search your library").press("Escape")
    assert field(page) != "query"
    expect(page.get_by_label("Remove filter: Note")).to_be_visible()  # the filter stays
    page.get_by_label("Search your library").fill("a note")
    expect(page).to_have_url(re.compile("query=a\\+note&type=note|type=note&query=a\\+note"))
    page.go_back()
    expect(page).to_have_url(re.compile("query=the\\+sea$"))
    expect(page.locator(".hit").nth(1)).to_be_visible()
    expect(page.get_by_label("Search your library")).to_have_value("the sea")
    page.go_forward()
    expect(page.get_by_label("Remove filter: Note")).to_be_visible()
    page.get_by_label("Remove filter: Note").click()
    expect(page.locator(".chosen")).to_have_count(0)
    assert page.evaluate("window.here") is True  # all of it without a new page


def test_an_answer_that_comes_late_is_dropped(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search")
    held: list[Route] = []
    page.route("**/ui/search/results?query=salt*", lambda route: held.append(route))
    page.keyboard.type("salt")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    page.get_by_label("Search your library").fill("twelfths")
    expect(page.locator(".hit").first).to_contain_text("Reading a tide table")
    for route in held:
        route.abort()
    expect(page.locator(".hit").first).to_contain_text("Reading a tide table")
    expect(page).to_have_url(re.compile("query=twelfths"))


def test_keys_go_through_results_and_never_disturb_typing(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search?query=the+sea")
    hits = page.locator(".hit h2 a")
    page.keyboard.press("j")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(hits.nth(1)).to_be_focused()
    expect(hits.nth(1)).to_be_in_viewport()
    page.keyboard.press("k")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("j")  # nothing moves behind it
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("j?/")
    expect(page.get_by_label("Search your library")).to_have_value("j?/")  # it was selected: typing replaces it
    expect(sheet).to_be_hidden()
    page.goto("/ui/search?query=the+sea")
    title = hits.nth(0).inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    page.goto("/ui/")
    page.evaluate("window.here = true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.evaluate("window.here") is True
    page.keyboard.press("j")
    expect(page.locator("#items .item h3 a").first).to_be_focused()


def test_suggestions_are_a_combobox(open_page: Open) -> None:
    page = open_page()
    answer = {"suggestions": [{"text": "tide table", "kind": "title"}, {"text": "tide <b>", "kind": "query"}]}
    page.route("**/search/suggest?*", lambda route: route.fulfill(body=json.dumps(answer)))
    page.goto("/ui/search")
    query = page.get_by_label("Search your library")
    page.keyboard.type("tide")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.nth(1)).to_contain_text("tide <b>")
    expect(query).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(query).to_have_attribute("aria-activedescendant", "suggestion-0")
    page.keyboard.press("Escape")
    expect(query).to_have_attribute("aria-expanded", "false")
    expect(query).to_be_focused()
    page.keyboard.type(" ")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(query).to_have_value("tide table")
    expect(page).to_have_url(re.compile(r"query=tide\+table"))


def test_on_a_phone_filters_are_behind_a_button(open_page: Open) -> None:
    page = open_page(390, 844)
    page.goto("/ui/search?query=the+sea")
    button = page.get_by_role("button", name="Filters")
    expect(page.locator("#facets")).to_be_hidden()
    button.click()
    expect(page.locator("#facets")).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_the_server_suggests_and_finds_similar_is_shown(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search")
    page.keyboard.type("wo")
    expect(page.get_by_role("option").first).to_contain_text("wo")
    page.goto("/ui/search?query=the+sea")
    page.locator(".hit h2 a").first.click()
    expect(page.locator("#similar").get_by_role("link").first).to_be_visible()


@pytest.mark.parametrize(("dark", "width"), [*product((False, True), (1280, 390))])
def test_an_audit_finds_nothing_serious(open_page: Open, batch: str, dark: bool, width: int) -> None:
    page, outside = open_page(width, dark=dark), open_page(width, dark=dark, signed_in=False)
    axe, found = Axe(), []

    def audit(page: Page, what: str) -> None:
        for violation in axe.run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.extend(f"{what}: {violation['id']}: {node['html']}" for node in violation["nodes"])

    outside.goto("/ui/login")
    audit(outside, "login")
    page.goto("/ui/")
    audit(page, "home")
    page.keyboard.press("?")
    audit(page, "keys")
    page.goto(f"/ui/?batch={batch}")
    expect(page.locator(".reasons")).to_be_visible(timeout=45_000)
    audit(page, "batch")
    page.goto("/ui/search?query=the+sea&type=webpage")
    page.get_by_text("How to ask").click()
    audit(page, "search")
    page.goto("/ui/search?query=zzzqqq&mode=keyword")
    audit(page, "nothing found")
    page.goto("/ui/search?query=the+sea")
    page.locator(".hit a").first.click()
    page.locator(".prose").wait_for()
    audit(page, "resource")
    assert found == []


def test_tags_are_put_on_and_taken_off_and_narrow_a_search(open_page: Open) -> None:
    page = open_page(390, 844)
    page.goto("/ui/search?query=the+sea")
    page.locator(".hit h2 a").first.click()
    title = page.get_by_role("heading", level=1).inner_text()
    field = page.get_by_label("Add a tag", exact=True)
    deep, salty = (page.locator("#tags .tag").filter(has_text=tag) for tag in ("deep <b> Sea", "brine"))
    for typed in ("  deep <b> Sea ", "DEEP <B> SEA", "brine"):
        field.fill(typed)
        field.press("Enter")
        expect(field).to_have_value("")
    expect(salty).to_have_count(1)
    expect(deep).to_have_text(["deep <b> Sea"])  # once, as it was first spelled
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Remove the tag brine").click()
    expect(salty).to_have_count(0)
    expect(field).to_be_focused()
    page.reload()
    deep.get_by_role("link").click()
    expect(page.get_by_label("Remove filter: deep <b> Sea")).to_be_visible()

    def narrowed() -> bool:
        page.reload()
        page.locator(".empty, .hit").first.wait_for()
        return page.locator(".hit h2 a").all_inner_texts() == [title]

    assert until(narrowed, 20)
