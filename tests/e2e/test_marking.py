"""People who mark what they read: highlights and notes, found again in the text."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.test_library import call, violations
from tests.e2e.test_page import AUDIT, fits
from tests.installation import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

HTML = """<h1>The log</h1><p>🌊 The keeper <em>lights</em> the lamp at dusk.</p>
<p>Each night the <a href="https://example.org/lamp">lamp of the tower</a> turns twice a minute.</p>
<p>At dawn the keeper lights nothing, and sleeps until noon.</p>
<p>Once more, as every night: the keeper lights the lamp.</p>"""

SELECT = """([words, nth]) => {
    const walker = document.createTreeWalker(document.querySelector(".prose"), NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    const whole = nodes.map((node) => node.data).join("");
    let from = -1;
    for (let turn = 0; turn <= nth; turn += 1) from = whole.indexOf(words, from + 1);
    const at = (place) => {
        for (const node of nodes) {
            if (place <= node.data.length) return [node, place];
            place -= node.data.length;
        }
    };
    const [start, end] = [at(from), at(from + words.length)];
    getSelection().setBaseAndExtent(...start, ...end);
}"""

SHOWN = """() => {
    const line = (range) => range.startContainer.parentElement.closest("li, p").textContent;
    const told = (name, range) => [name, range.toString(), line(range)];
    return [...CSS.highlights].flatMap(([name, ranges]) => [...ranges].map((range) => told(name, range)));
}"""


def select(page: Page, words: str, nth: int = 0) -> None:
    page.evaluate(SELECT, [words, nth])
    expect(page.get_by_role("toolbar", name="What to do with the selected words")).to_be_visible()


def text(page: Page, title: str) -> str:
    id = str(call(page, "POST", "/resources", {"title": title, "html": HTML, "language": "en"})["id"])
    assert until(lambda: call(page, "GET", f"/resources/{id}")["content"], 60)
    return id


def test_words_are_highlighted_get_a_note_and_are_let_go(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id = text(page, "A log to be marked")
    page.goto(f"/ui/resources/{id}")
    marks = page.locator("#marks")
    expect(marks).to_contain_text("Select words in the text")
    select(page, "the keeper lights", 1)
    page.get_by_role("button", name="Highlight").click()
    expect(marks.locator("li")).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("Highlighted")
    expect(page.locator("#mark-bar")).to_be_hidden()
    [[name, words, line]] = page.evaluate(SHOWN)
    assert (name, words) == ("mark-yellow", "the keeper lights")
    assert line == "Once more, as every night: the keeper lights the lamp."  # the one that was selected, of two
    [kept] = call(page, "GET", f"/resources/{id}/annotations")["items"]  # pyright: ignore[reportGeneralTypeIssues]
    assert kept["quote"] == "the keeper lights"  # pyright: ignore[reportArgumentType]

    select(page, "lamp of the tower turns")  # across a link
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Your note")
    expect(dialog).to_contain_text("turns")
    dialog.get_by_role("textbox").fill("How fast?\n<b>Twice</b>")
    dialog.get_by_role("button", name="Save").click()
    expect(marks.locator(".note")).to_have_text("How fast?\n<b>Twice</b>")
    select(page, "lights the lamp at dusk")  # across two elements, by the keyboard alone
    page.keyboard.press("h")
    expect(marks.locator("li")).to_have_count(3)

    page.reload()
    expect(marks.locator("li .quote")).to_have_text(
        [re.compile("at dusk$"), re.compile("turns$"), "the keeper lights"]
    )  # as they stand in the text
    assert {words for _, words, _ in page.evaluate(SHOWN)} == {
        "lights the lamp at dusk", "lamp of the tower turns", "the keeper lights",
    }  # fmt: skip
    marks.get_by_role("button", name="the keeper lights", exact=True).press("Enter")
    assert page.evaluate("String(getSelection())") == "the keeper lights"
    marks.get_by_role("button", name=re.compile("^Note on: .*turns")).click()
    dialog.get_by_role("textbox").fill("Twice a minute.")
    dialog.get_by_role("button", name="Save").click()
    expect(marks.locator(".note")).to_have_text("Twice a minute.")
    marks.get_by_role("button", name=re.compile("^Remove the highlight: .*turns")).click()
    expect(marks.locator("li")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(marks.locator(".note")).to_have_text("Twice a minute.")
    assert len(page.evaluate(SHOWN)) == 3


def test_what_is_gone_from_the_text_is_kept_in_the_list(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    id = str(
        call(page, "POST", "/resources", {"title": "Changing", "content": "The lamp is lit.\n\nThe sea is calm."})["id"]
    )
    call(page, "POST", f"/resources/{id}/annotations", {"start": 0, "end": 15, "note": "when?", "colour": "green"})
    page.goto(f"/ui/resources/{id}")
    assert [name for name, _, _ in page.evaluate(SHOWN)] == ["mark-green"]
    call(page, "PUT", f"/resources/{id}", {"content": "The harbour was closed for a whole winter."})
    expect(page.locator(".prose")).to_contain_text("harbour")
    expect(page.locator("#marks")).to_contain_text("It is not in the text any more.", timeout=30_000)
    assert page.evaluate(SHOWN) == []
    expect(page.locator("#marks [data-go]")).to_be_disabled()
    expect(page.locator("#marks .note")).to_have_text("when?")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True), (320, False)])
def test_an_audit_finds_nothing(open_page: Open, pictures: Path, width: int, dark: bool) -> None:
    page = open_page(width, dark=dark)
    page.goto("/ui/")
    id = text(page, f"A log that was marked, {width}")
    page.goto(f"/ui/resources/{id}")
    select(page, "The keeper lights the lamp")
    page.keyboard.press("h")
    expect(page.locator("#marks li")).to_have_count(1)
    select(page, "turns twice a minute")
    found = [*page.evaluate(AUDIT), *violations(page)]
    page.screenshot(path=pictures / f"marking-{width}{'-dark' if dark else ''}.png")
    page.keyboard.press("n")
    found += [*page.evaluate(AUDIT), *violations(page)]
    page.screenshot(path=pictures / f"marking-note-{width}{'-dark' if dark else ''}.png")
    page.get_by_role("dialog").get_by_role("textbox").fill("Is it?")
    page.keyboard.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="Save").press("Enter")
    expect(page.locator("#marks .note")).to_have_text("Is it?")
    page.locator("#marks").scroll_into_view_if_needed()
    found += [*page.evaluate(AUDIT), *violations(page)]
    page.screenshot(path=pictures / f"marks-{width}{'-dark' if dark else ''}.png")
    assert found == []
    assert fits(page)
