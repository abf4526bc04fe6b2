"""People who deleted something, or have it twice: the trash, and the page of duplicates."""

import re
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.test_library import call, choose, note, violations
from tests.installation import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY = 60  # seconds that indexing may take on a busy machine


def found(page: Page, words: str) -> list[str]:
    """Return what a search finds by its words."""
    answer = call(page, "GET", f"/search?mode=keyword&query={words}")
    return [one["id"] for one in answer["items"]]  # pyright: ignore


def duplicates(page: Page, title: str) -> tuple[str, str]:
    """Put a text into the library twice, of which the second has more that people made."""
    one, other = note(page, title, tags=["first"]), note(page, title, tags=["second", "more"], authors=["Ines Marlow"])
    marked = {"start": 4, "end": 10, "note": "worth reading"}
    call(page, "POST", f"/resources/{other}/annotations", marked)
    return one, other


def test_what_was_deleted_is_restored_and_found_again(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id, gone = note(page, "Quillfeather, the keeper", tags=["birds"]), note(page, "Quillfeather, a draft")
    assert until(lambda: sorted(found(page, "quillfeather")) == sorted([id, gone]), READY)
    page.goto(f"/ui/resources/{id}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("It is in the trash").get_by_role("link", name="see it").click()
    expect(page).to_have_url(re.compile("/ui/trash$"))
    assert found(page, "quillfeather") == [gone]
    call(page, "DELETE", f"/resources/{gone}")
    page.reload()

    page.get_by_role("checkbox", name="Select Quillfeather, a draft").check()
    page.get_by_text("Delete selected for good").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status").get_by_text("1 item is deleted for good.")).to_be_visible()
    expect(page.get_by_role("heading", name="Quillfeather, a draft")).to_have_count(0)

    page.get_by_role("button", name="Restore Quillfeather, the keeper").press("Enter")
    expect(page.get_by_role("status").get_by_text("1 item is back in the library.")).to_be_visible()
    expect(page.get_by_role("heading", name="Quillfeather, the keeper")).to_have_count(0)
    assert until(lambda: found(page, "quillfeather") == [id], READY)
    page.goto("/ui/search?query=quillfeather")
    page.locator("#main").get_by_role("link", name="Quillfeather, the keeper").click()
    expect(page.locator("#tags").get_by_role("link", name="birds")).to_be_visible()
    page.get_by_text("Timeline").click()
    expect(page.locator("#timeline").get_by_text("Restored from the trash")).to_be_visible()


def test_it_comes_back_into_a_list_that_is_open(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id = note(page, "A lamp that was missed")
    page.goto("/ui/")
    choose(page, id)
    page.locator("#pick-bar").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 item is in the trash")).to_be_visible(timeout=15_000)
    expect(page.locator(f"#item-{id}")).to_have_count(0)
    call(page, "POST", f"/resources/{id}/restore")
    expect(page.locator(f"#item-{id}")).to_be_visible()


def test_duplicates_are_compared_and_merged(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    one, other = duplicates(page, "Twins of the harbour light")
    page.goto(f"/ui/resources/{other}")
    page.get_by_role("link", name="Compare and merge").click()
    group = page.locator("form.alike")
    expect(group).to_have_count(1)
    expect(group.get_by_role("heading", level=2)).to_contain_text("The same text")
    differing = group.locator("li").nth(0).locator("dt")
    expect(differing).to_have_text(["By", "Tags", "Your highlights"])
    keep = group.get_by_role("radio", name="Keep this one")
    expect(keep.nth(1)).to_be_checked()  # more was made of it
    keep.nth(0).check()
    group.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("1 item was merged and is in the trash now.")).to_be_visible()
    assert call(page, "GET", f"/resources/{one}")["tags"] == ["first", "second", "more"]
    assert call(page, "GET", f"/resources/{one}/annotations")["total"] == 1
    page.locator("#main").get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Restore Twins of the harbour light").click()
    assert call(page, "GET", f"/resources/{other}")["tags"] == ["second", "more"]


def test_what_is_no_duplicate_leaves_the_page_until_it_is_undone(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    title = "Alike, and yet two editions"
    one, _ = duplicates(page, title)
    shown = page.get_by_role("button", name=f"They are no duplicates: {title}")
    for undo in ("Undo", f"They are duplicates after all: {title}"):
        page.goto(f"/ui/duplicates?of={one}")
        shown.press("Enter")
        expect(page.get_by_role("status").get_by_text("are not shown here again")).to_be_visible()
        expect(shown).to_have_count(0)
        if undo != "Undo":
            page.get_by_role("link", name="No duplicates").click()
        page.get_by_role("button", name=undo).press("Enter")
        expect(page).to_have_url(re.compile("/ui/duplicates$"))
        expect(shown).to_have_count(1)


def test_both_pages_work_without_scripts(
    open_page: Open, browser: Browser, address: str, session_cookies: list[dict[str, str]]
) -> None:
    signed_in = open_page()
    signed_in.goto("/ui/")
    duplicates(signed_in, "Twins without a script")
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        context.add_cookies(session_cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/ui/duplicates")
        page.get_by_role("button", name="They are no duplicates: Twins without a script").click()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Merge Twins without a script").click()
        expect(page.get_by_text("1 item was merged and is in the trash now.")).to_be_visible()
        page.goto("/ui/trash")
        page.get_by_role("button", name="Restore selected").click()
        expect(page.get_by_text("Nothing was selected")).to_be_visible()
        page.get_by_role("checkbox", name="Select Twins without a script").check()
        page.get_by_role("button", name="Restore selected").click()
        expect(page.get_by_text("1 item is back in the library.")).to_be_visible()


@pytest.mark.parametrize(("dark", "width"), [*product((False, True), (1280, 390, 320))])
def test_an_audit_finds_nothing(open_page: Open, pictures: Path, dark: bool, width: int) -> None:
    page = open_page(width, dark=dark)
    page.goto("/ui/")
    name = f"{width}{'-dark' if dark else ''}"
    twins = duplicates(page, f"Tide tables of the northern coast, {name}")
    note(page, f"Tide tables of the northern coast, {name}", tags=["tides"])
    long = "https://example.org/" + "a-very-long-address-without-a-blank/" * 4
    for id in (note(page, f"The lamp of {name}"), note(page, long, url=long, private=True)):
        call(page, "DELETE", f"/resources/{id}")
    faults: list[str] = []
    call(page, "POST", "/duplicates/separations", {"ids": [note(page, f"Edition {n} of {name}") for n in range(2)]})
    said = call(page, "POST", "/duplicates/separations", {"ids": [note(page, f"Print of {name}") for _ in range(2)]})
    apart = f"/ui/duplicates?apart={said['id']}"
    for path in ("/ui/trash", f"/ui/duplicates?of={twins[0]}", "/ui/duplicates", "/ui/duplicates?show=apart", apart):
        page.goto(path)
        faults += violations(page)
        if path == "/ui/trash":
            page.get_by_role("checkbox").first.check()
            page.get_by_text("Delete selected for good").click()
            page.screenshot(path=pictures / f"trash-{name}.png")
            faults += violations(page)
        if "show=" in path:
            page.screenshot(path=pictures / f"no-duplicates-{name}.png", full_page=True)
        if path == apart:
            page.screenshot(path=pictures / f"duplicates-said-{name}.png")
        if "of=" in path:
            page.screenshot(path=pictures / f"duplicates-{name}.png", full_page=True)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            faults.append(f"{path} is wider than {width}")
    assert faults == []
