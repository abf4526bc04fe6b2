"""People at their library: places, choosing many, collections, categories, authors, and what is known of an item."""

import re
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.installation import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY = 90  # seconds that an item may take on a busy machine


def call(page: Page, method: str, path: str, data: object = None) -> dict[str, object]:
    """Ask the API as the page does, with its cookie."""
    answer = page.request.fetch(path, method=method, data=data, headers={"Origin": page.url.split("/ui")[0]})
    assert answer.ok, answer.text()
    return answer.json() if answer.status != 204 else {}


def note(page: Page, title: str, **fields: object) -> str:
    """Put a note of one's own into the library."""
    text = f"{title}. The keeper of the tower writes down what the tide brings. " * 12
    made = call(page, "POST", "/resources", {"title": title, "content": text, "type": "note", **fields})
    return str(made["id"])


def choose(page: Page, *ids: str) -> None:
    for id in ids:
        page.locator(f'[data-pick-one="{id}"]').check()


def is_known(page: Page, id: str) -> bool:
    """Say whether the page of an item shows its quality and leads to its authors."""
    shown = page.request.get(f"/ui/resources/{id}").text()
    return 'id="quality"' in shown and 'href="/ui/authors/' in shown


def violations(page: Page) -> list[str]:
    return [
        f"{page.url}: {one['id']}: {node['html']}"
        for one in Axe().run(page).response["violations"]
        for node in one["nodes"]
    ]


def test_a_key_leads_to_every_place_and_marks_it(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    places = page.locator(".frame a[data-key]").evaluate_all("all => all.map(one => [one.dataset.key, one.pathname])")
    assert len(places) >= 9
    for key, path in places:
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(re.escape(path) + "$"))
        expect(page.locator(f'.frame a[data-key="{key}"]')).to_have_attribute("aria-current", "page")
        page.wait_for_load_state()  # only then the keys are heard


def test_a_narrow_page_has_the_places_in_a_menu(open_page: Open) -> None:
    page = open_page(320, 700)
    page.goto("/ui/")
    link = page.get_by_role("link", name="Collections")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_many_are_tagged_collected_and_shared_with_anyone(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    one, other = note(page, "Tower, north side"), note(page, "Tower, south side")
    page.goto("/ui/")
    choose(page, one, other)
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Tag of the selected items").fill("towers")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tagged 2 items")).to_be_visible()
    assert {str(call(page, "GET", f"/resources/{id}")["tags"]) for id in (one, other)} == {"['towers']"}

    choose(page, one, other)
    page.get_by_role("button", name="Collect", exact=True).click()
    page.get_by_label("Collection, one of yours").fill("Towers")
    page.keyboard.press("Enter")
    page.locator("#toasts").get_by_role("link", name="see it").click()
    expect(page.get_by_role("heading", level=1, name="Towers")).to_be_visible()
    expect(page.locator("#items .item")).to_have_count(2)
    choose(page, other)
    page.get_by_role("button", name="Take out").click()
    expect(page.locator("#items .item")).to_have_count(1)

    page.get_by_label("Who sees it").select_option("public")
    public = page.get_by_role("link", name="Public link").get_attribute("href")
    stranger = open_page(signed_in=False)
    stranger.goto(str(public))
    expect(stranger.get_by_role("heading", level=1, name="Towers")).to_be_visible()
    expect(stranger.get_by_text("Tower, north side")).to_be_visible()
    expect(stranger.get_by_text("Tower, south side")).to_have_count(0)
    page.goto(f"/ui/resources/{one}")
    expect(page.locator("#collections").get_by_role("link", name="Towers")).to_be_visible()


def test_many_are_exported_and_read_again(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    ids = [note(page, f"Exported {number}", tags=["out"]) for number in range(2)]
    note(page, "Not exported")
    page.goto("/ui/")
    choose(page, *ids)
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Export {kind}").click()
        assert download.value.suggested_filename == f"pharos.{kind.lower()}"
        whole = Path(download.value.path()).read_text()
        assert [title in whole for title in ("Exported 0", "Exported 1", "Not exported")] == [True, True, False]
    page.locator("#pick-bar").get_by_role("button", name="Read again").click()
    expect(page.get_by_text("Trying 2 items again")).to_be_visible()
    expect(page.locator("#pick-bar")).to_be_hidden()
    for id in ids:
        assert until(lambda id=id: is_ready(page, id), READY)


def is_ready(page: Page, id: str) -> bool:
    steps = call(page, "GET", f"/resources/{id}/status")["steps"]
    return all(step["state"] == "completed" for step in steps)  # pyright: ignore


def test_what_is_found_by_itself_is_outranked_by_a_person_and_comes_back(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id = note(page, "Sorted by hand")
    first, second = call(page, "GET", "/taxonomy")["items"][:2]  # pyright: ignore
    page.goto(f"/ui/resources/{id}")
    panel, field = page.locator("#categories"), page.get_by_label("It belongs to another category")
    for category, before in ((first, None), (second, first)):
        field.fill(category["path"])  # pyright: ignore
        field.press("Enter")
        said = panel.locator("li").filter(has_text="said by a person")
        expect(said).to_contain_text(category["name"])  # pyright: ignore
        if before:
            page.get_by_role("button", name="Undo").last.click()
            expect(said).to_contain_text(before["name"])
    page.goto(f"/ui/categories/{first['id']}")  # pyright: ignore
    expect(page.get_by_role("heading", name="Sorted by hand")).to_be_visible()
    page.goto(f"/ui/resources/{id}")
    page.get_by_role("button", name=f"Take it back: {first['name']}").press("Enter")  # pyright: ignore
    expect(said).to_have_count(0)
    refused = page.context.new_page()  # the answer 422 is a line in the console
    refused.goto(page.url)
    refused.get_by_label("It belongs to another category").fill("no/such/category")
    refused.keyboard.press("Enter")
    expect(refused.locator("#toasts")).to_contain_text("no/such/category")


def test_what_is_found_by_itself_can_be_rejected_as_a_whole(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    text = "The rings of the planet are made of ice; a probe photographed its moons, and a telescope its storms. " * 12
    id = str(call(page, "POST", "/resources", {"title": "Saturn", "content": text, "type": "note"})["id"])
    assert until(lambda: "data-none" in page.request.get(f"/ui/resources/{id}").text(), READY)
    page.goto(f"/ui/resources/{id}")
    panel, back = page.locator("#categories"), page.get_by_role("button", name="Take it back: none of them")
    none = panel.get_by_role("button", name="None of them", exact=True)
    none.press("Enter")
    expect(back).to_be_visible()
    expect(panel).not_to_contain_text("% sure")
    expect(page.get_by_label("It belongs to another category")).to_be_focused()
    page.get_by_role("button", name="Undo").last.click()
    expect(none).to_be_visible()
    none.click()
    expect(back).to_be_visible()
    assert call(page, "GET", f"/resources/{id}/classification")["none"] is True
    page.reload()
    back.click()
    expect(none).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    expect(back).to_be_visible()


def test_an_author_leads_to_what_is_there_and_to_who_wrote_along(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    ids = [
        note(page, "Tides of the reef", authors=["Wilhelmina Quist", "Tomasz Brandvold"]),
        note(page, "Bells in the fog", authors=["Quist, Wilhelmina"]),
    ]
    assert until(lambda: all(is_known(page, id) for id in ids), READY)
    page.goto(f"/ui/resources/{ids[0]}")
    page.locator(".byline").get_by_role("link", name="Wilhelmina Quist").click()
    expect(page.get_by_role("heading", level=1, name="Wilhelmina Quist")).to_be_visible()
    main = page.locator("main")
    expect(main).to_contain_text("2 items")
    expect(main.get_by_role("link", name="Tides of the reef")).to_be_visible()
    expect(main).to_contain_text("Quist, Wilhelmina")  # written as
    main.get_by_role("link", name="Tomasz Brandvold").click()
    expect(page.get_by_role("heading", level=1, name="Tomasz Brandvold")).to_be_visible()
    expect(main.get_by_role("link", name="Bells in the fog")).to_have_count(0)
    main.get_by_role("link", name="Wilhelmina Quist").click()
    main.get_by_role("link", name="Bells in the fog").click()
    expect(page.get_by_role("heading", level=1, name="Bells in the fog")).to_be_visible()
    page.goto("/ui/authors")
    page.get_by_label("Find by name").fill("quist")
    page.keyboard.press("Enter")
    main.get_by_role("link", name="Wilhelmina Quist").click()
    page.get_by_role("link", name="All authors").click()
    expect(page.get_by_role("heading", level=1, name="Authors")).to_be_visible()
    page.goto("/ui/authors?q=nobody-of-that-name")
    expect(page.get_by_text("No author here matches.")).to_be_visible()


def test_deleting_can_be_undone_and_leaving_the_page_carries_it_out(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    one, other = note(page, "To be kept after all"), note(page, "To be let go")
    page.goto("/ui/")
    choose(page, one)
    page.locator("#pick-bar").get_by_role("button", name="Delete").click()
    expect(page.locator(f"#item-{one}")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#item-{one}")).to_be_visible()
    assert call(page, "GET", f"/resources/{one}")["title"] == "To be kept after all"

    choose(page, other)
    page.locator("#pick-bar").get_by_role("button", name="Delete").click()
    expect(page.locator(f"#item-{other}")).to_be_hidden()
    assert call(page, "GET", f"/resources/{other}")["title"] == "To be let go"  # not yet
    page.goto("/ui/collections")
    assert until(lambda: page.request.get(f"/resources/{other}").status == 404)


@pytest.mark.parametrize(("dark", "width"), [*product((False, True), (1280, 320))])
def test_an_audit_finds_nothing(open_page: Open, pictures: Path, dark: bool, width: int) -> None:
    page = open_page(width, dark=dark)
    page.goto("/ui/")
    id = note(page, f"Lenses of the tower, {width} {dark}", authors=["Ines Marlow", "Ruth Okafor"], tags=["glass"])
    collection = call(page, "POST", "/collections", {"name": f"Glass {width} {dark}", "visibility": "public"})["id"]
    call(page, "POST", f"/collections/{collection}/resources", {"resource_ids": [id]})
    category = call(page, "GET", "/taxonomy")["items"][0]["id"]  # pyright: ignore[reportIndexIssue]
    call(page, "PUT", f"/resources/{id}/classification", {"category_id": category})
    found: list[str] = []
    assert until(lambda: is_known(page, id), READY)
    page.goto(f"/ui/resources/{id}")
    author = page.locator(".byline a").first.get_attribute("href")
    pages = {
        "library": "/ui/", "resource": f"/ui/resources/{id}", "collections": "/ui/collections",
        "collection": f"/ui/collections/{collection}", "public": f"/ui/public/collections/{collection}",
        "categories": "/ui/categories", "category": f"/ui/categories/{category}", "authors": "/ui/authors",
        "author": str(author),
    }  # fmt: skip
    for name, address in pages.items():
        page.goto(address)
        if name in ("library", "collection"):
            choose(page, id)
        if name == "resource":
            page.locator("#quality summary").first.click()
        found += violations(page)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            found.append(f"{name} is wider than {width}")
        page.screenshot(path=pictures / f"library-{name}-{width}{'-dark' if dark else ''}.png")
    assert found == []
