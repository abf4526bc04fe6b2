"""People at the picture of what cites what: seen, moved, zoomed, and gone through by the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.test_library import call, violations
from tests.installation import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY = 90  # seconds that a citation may take to be found on a busy machine


def box(page: Page) -> list[float]:
    return [float(one) for one in str(page.locator("#graph").get_attribute("viewBox")).split()]


def test_a_picture_of_what_cites_what(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    words = "The keeper of the tower writes down what the tide brings. " * 8
    url = "https://example.org/the-cited-lamp"
    cited = call(page, "POST", "/resources", {"title": "The lamp that is cited", "content": words, "url": url})["id"]
    said = f"{words} As it is said at {url} already."
    citing = call(page, "POST", "/resources", {"title": "The log that cites it", "content": said})["id"]

    def linked() -> bool:
        citations = call(page, "GET", f"/resources/{citing}/citations")["citations"]
        return any(one["target_id"] == cited for one in citations)  # pyright: ignore

    assert until(linked, READY)
    page.goto(f"/ui/resources/{citing}")
    page.get_by_role("link", name="Graph").first.click()
    page.goto(f"/ui/graph?center={citing}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The log that cites it")
    nodes = page.locator("#graph .node")
    expect(page.locator('#graph .edge[data-kind="cites"]').first).to_be_attached()
    assert nodes.count() >= 2
    assert violations(page) == []

    whole = box(page)
    page.get_by_role("button", name="Zoom in").click()
    assert box(page)[2] < whole[2]
    page.locator("#graph").focus()
    page.keyboard.press("ArrowRight")
    assert box(page)[0] != whole[0]
    page.keyboard.press("0")
    assert box(page) == whole
    lamp = page.locator("#graph").get_by_role("link", name="The lamp that is cited")
    lamp.focus()
    expect(page.locator("#graph .edge[data-near]").first).to_be_attached()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="The lamp that is cited")).to_be_visible()
    expect(page.locator(".about").get_by_role("link", name="The log that cites it").first).to_be_visible()  # cited by
