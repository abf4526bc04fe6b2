"""People and what they read: put on the list, taken up where they left it, set as they like it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.site import ARTICLES
from tests.e2e.test_library import call, choose, violations
from tests.e2e.test_page import AUDIT, fits
from tests.installation import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PLACE = """() => {
    const { top, height } = document.querySelector(".prose").getBoundingClientRect();
    return -top / (height - innerHeight);
}"""


def text(page: Page, title: str, length: int = 12, **fields: object) -> str:
    """Put a text of many paragraphs into the library."""
    paragraphs = [part for article in ARTICLES.values() for part in article[5].split("\n\n")]
    body = "\n\n".join(" ".join(one.split()) for one in (paragraphs * length)[:length])
    given = {"title": title, "content": f"{title}\n\n{body}", "language": "en", **fields}
    return str(call(page, "POST", "/resources", given)["id"])


def kept(page: Page, id: str) -> dict[str, object]:
    return call(page, "GET", f"/resources/{id}/reading")


def scroll_to(page: Page, place: float) -> None:
    """Scroll as a person does, whose hand the page feels."""
    page.wait_for_load_state()
    page.mouse.move(200, 300 + 100 * place)
    page.evaluate(
        """(place) => {
            const { top, height } = document.querySelector(".prose").getBoundingClientRect();
            scrollTo(0, scrollY + top + place * (height - innerHeight));
        }""",
        place,
    )


def audit(page: Page) -> list[str]:
    return [*page.evaluate(AUDIT), *violations(page)]


def test_a_text_waits_on_the_list_and_is_taken_up_where_it_was_left(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    title = "The long way round the lamp"
    id = text(page, title, 40)
    page.goto("/ui/")
    bookmark = page.get_by_role("button", name=f"Read later: {title}")
    bookmark.click()
    expect(bookmark).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="See the list").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert kept(page, id)["state"] == "unread"

    page.get_by_role("link", name=title).click()
    scroll_to(page, 0.4)
    page.goto("/ui/reading")  # what was read is told while the page goes
    assert until(lambda: kept(page, id)["progress"] == pytest.approx(0.4, abs=0.01))
    page.reload()
    row = page.locator(f"#item-{id}")
    expect(row.get_by_role("progressbar")).to_have_attribute("value", re.compile("^(39|40|41)$"))

    phone = open_page(390, 800)  # another device
    phone.goto(f"/ui/resources/{id}")
    expect(phone.get_by_text(re.compile("You were here: (39|40|41) %"))).to_be_visible()
    assert phone.evaluate(PLACE) == pytest.approx(0.4, abs=0.02)
    phone.get_by_role("button", name="From the top").click()
    assert phone.evaluate("scrollY") == 0
    phone.clock.install()
    scroll_to(phone, 1)
    phone.clock.fast_forward(4000)  # while it stays open
    expect(phone.get_by_role("button", name="Mark as read")).to_have_attribute("aria-pressed", "true")
    assert kept(page, id)["state"] == "read"

    page.reload()
    expect(page.get_by_role("heading", name=title)).to_have_count(0)
    page.get_by_role("link", name=re.compile(r"^Read \d")).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_a_glance_is_no_reading(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id, short = text(page, "Looked at only", 40), text(page, "Fits on one screen", 1)
    for one in (id, short):
        page.goto(f"/ui/resources/{one}")
        expect(page.locator(".prose")).to_be_visible()
        page.mouse.move(200, 300)
    page.goto(f"/ui/resources/{id}")
    page.evaluate("scrollTo(0, 1000)")  # as a link to a passage does
    page.goto("/ui/")
    text(page, "Something else")  # a request that comes after all others
    assert (kept(page, id)["state"], kept(page, short)["state"]) == (None, None)


def test_what_is_read_leaves_the_list_and_comes_back_with_undo(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    ids = [text(page, f"Undone {number}") for number in range(3)]
    call(page, "POST", "/reading", {"resource_ids": ids})
    call(page, "PUT", f"/resources/{ids[1]}/reading", {"progress": 0.6})
    page.goto("/ui/reading")
    for button, state in (("Mark as read", "read"), ("Archive", "archived"), ("Take off the list", None)):
        page.get_by_role("button", name=f"{button}: Undone 1").press("Enter")
        expect(page.locator(f"#item-{ids[1]}")).to_have_count(0)
        expect(page.locator("#items h3 a:focus")).to_have_count(1)
        assert kept(page, ids[1])["state"] == state
        page.get_by_role("button", name="Undo").last.click()
        expect(page.locator(f"#item-{ids[1]}")).to_be_visible()
        assert (kept(page, ids[1])["state"], kept(page, ids[1])["progress"]) == ("reading", 0.6)
        page.reload()


def test_many_are_put_on_the_list(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    ids = [text(page, f"Many {number}") for number in range(2)]
    page.goto("/ui/")
    choose(page, *ids)
    page.locator("#pick-bar").get_by_role("button", name="Read later").click()
    expect(page.get_by_text("2 items are on your reading list")).to_be_visible()
    assert [kept(page, id)["state"] for id in ids] == ["unread", "unread"]
    expect(page.get_by_role("button", name="Read later: Many 1")).to_have_attribute("aria-pressed", "true")


def test_the_list_has_pages(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    ids = [text(page, f"Paged {number:02}", 1) for number in range(30)]
    for id in ids:
        call(page, "PUT", f"/resources/{id}/reading", {"state": "archived"})
    page.goto("/ui/reading?show=archived")
    seen = page.locator("#items h3").all_text_contents()
    page.get_by_role("link", name="More").click()
    expect(page.get_by_role("link", name="Back to the start")).to_be_visible()
    seen += page.locator("#items h3").all_text_contents()
    assert sorted(one for one in seen if one.startswith("Paged")) == [f"Paged {number:02}" for number in range(30)]


STYLE = """() => {
    const style = getComputedStyle(document.querySelector(".prose"));
    const { width } = document.querySelector(".prose").getBoundingClientRect();
    return {
        font: style.fontFamily, size: parseFloat(style.fontSize), spacing: style.letterSpacing, width,
        leading: parseFloat(style.lineHeight) / parseFloat(style.fontSize),
        theme: document.documentElement.dataset.theme,
        align: getComputedStyle(document.querySelector(".prose p")).textAlign,
        ground: getComputedStyle(document.documentElement).backgroundColor,
    };
}"""


def test_a_text_is_set_by_the_keyboard_and_stays_so_without_a_flash(open_page: Open, address: str) -> None:
    page = open_page(1600)
    page.goto("/ui/")
    id = text(page, "Set as one likes it", 30)
    page.goto(f"/ui/resources/{id}")
    before = page.evaluate(STYLE)
    page.get_by_label("Text settings").first.press("Enter")
    page.get_by_role("radio", name="Serif").press("ArrowRight")
    expect(page.get_by_role("radio", name="Sans")).to_be_checked()
    page.get_by_role("slider", name="Size").press("ArrowRight")
    page.get_by_role("group", name="Line height").get_by_role("radio", name="Loose").press(" ")
    page.get_by_role("group", name="Width").get_by_role("radio", name="Wide").press(" ")
    page.get_by_role("radio", name="Sepia").press(" ")
    page.get_by_role("checkbox", name="Fill lines").press(" ")
    after = page.evaluate(STYLE)
    assert after["font"] != before["font"]
    assert after["size"] > before["size"]
    assert after["leading"] > before["leading"] + 0.2
    assert after["width"] > before["width"] + 100
    assert (after["align"], after["theme"]) == ("justify", "sepia")
    page.keyboard.press("Escape")
    expect(page.get_by_role("slider", name="Size")).to_be_hidden()

    html = page.request.get(f"/ui/resources/{id}").text()  # as it is sent, before any script
    root = re.search("<html[^>]*>", html)
    assert root is not None
    for said in (
        'data-theme="sepia"',
        'data-font="sans"',
        'data-size="4"',
        'data-leading="loose"',
        'data-measure="wide"',
    ):
        assert said in root[0]
    page.reload()
    assert page.evaluate(STYLE) == after
    page.get_by_label("Text settings").first.click()
    expect(page.get_by_role("radio", name="Sans")).to_be_checked()
    page.get_by_role("button", name="As it was").click()
    assert page.evaluate(STYLE) == before
    assert not [one for one in page.context.cookies() if one.get("name") in ("pharos_reader", "pharos_theme")]


def test_the_line_that_is_read_stays_while_the_text_grows(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id = text(page, "It stays in its place", 40)
    page.goto(f"/ui/resources/{id}")
    scroll_to(page, 0.5)
    line = """() => {
        const lines = [...document.querySelectorAll(".prose > *")];
        return lines.findIndex((one) => one.getBoundingClientRect().bottom > 100);
    }"""
    before = page.evaluate(line)
    page.get_by_label("Text settings").first.click()
    for _ in range(3):
        page.get_by_role("slider", name="Size").press("ArrowRight")
    assert page.evaluate(line) == before


@pytest.mark.parametrize("theme", ["light", "sepia", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_an_audit_finds_nothing_in_any_colours(open_page: Open, pictures: Path, theme: str, width: int) -> None:
    page = open_page(width, dark=theme == "dark")
    page.goto("/ui/")
    if theme == "sepia":
        page.evaluate("document.cookie = 'pharos_theme=sepia; path=/'")
    titles = ("How a thin lens sends a flame to sea", "The log of the keeper", "What an index knows")
    ids = [text(page, title, 4 * length, authors=["Ines Marlow"]) for length, title in enumerate(titles, 2)]
    call(page, "POST", "/reading", {"resource_ids": ids})
    call(page, "PUT", f"/resources/{ids[0]}/reading", {"progress": 0.42})
    call(page, "PUT", f"/resources/{ids[1]}/reading", {"progress": 0.8})
    name = f"{width}-{theme}"
    found: list[str] = []
    for place in ("next", "read"):
        page.goto(f"/ui/reading?show={place}")
        assert fits(page)
        found += audit(page)
        page.screenshot(path=pictures / f"reading-list-{place}-{name}.png")
    page.goto("/ui/")
    assert fits(page)
    found += audit(page)
    page.screenshot(path=pictures / f"library-reading-{name}.png")
    page.goto(f"/ui/resources/{ids[2]}")
    found += audit(page)
    page.screenshot(path=pictures / f"reader-{name}.png")
    page.get_by_label("Text settings").first.click()
    assert fits(page)
    found += audit(page)
    page.screenshot(path=pictures / f"reader-settings-{name}.png")
    page.get_by_role("radio", name="Spaced").check(force=True)
    page.keyboard.press("Escape")
    found += audit(page)
    page.screenshot(path=pictures / f"reader-spaced-{name}.png")
    page.get_by_role("button", name="Mark as read").scroll_into_view_if_needed()
    page.screenshot(path=pictures / f"reader-end-{name}.png")
    assert found == []
