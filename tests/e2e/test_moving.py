"""People who want nothing to move, and people without a pointer."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.test_library import call, note

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PAGES = [
    "/ui/", "/ui/search?query=tower", "/ui/graph", "/ui/reading", "/ui/collections", "/ui/feeds", "/ui/operations",
    "/ui/documents", "/ui/notifications",
]  # fmt: skip
# Each running animation, by its name or the property that it changes, also of pseudo-elements.
RUNNING = """() => document.getAnimations().filter((one) => one.playState === "running")
    .map((one) => one.animationName ?? one.transitionProperty ?? "script")"""
SMOOTH = """() => [...document.querySelectorAll("*")]
    .filter((one) => getComputedStyle(one).scrollBehavior === "smooth").map((one) => one.tagName)"""
# What can be used, but cannot be seen, outside of what a button or a summary opens; a label may cover its input.
UNSEEN = """() => [...document.querySelectorAll("a[href], button, summary, input, select, textarea")].filter((one) => {
    const box = one.getBoundingClientRect();
    const hidden = !one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const closed = one.closest("dialog, [hidden], .menu-panel, details:not([open])");
    return box.width > 1 && box.height > 1 && hidden && !one.labels?.length && !closed;
}).map((one) => one.outerHTML.slice(0, 120))"""


def test_nothing_moves_where_that_is_not_wanted(open_page: Open, browser: Browser, address: str) -> None:
    moving = browser.new_context(base_url=address, reduced_motion="no-preference").new_page()
    moving.goto("/ui/login")
    assert moving.evaluate(RUNNING) != []  # the light of the tower turns
    moving.context.close()
    signed_out = open_page(signed_in=False)
    signed_out.goto("/ui/login")
    assert (signed_out.evaluate(RUNNING), signed_out.evaluate(SMOOTH)) == ([], [])
    page = open_page()
    page.goto("/ui/")
    id = note(page, "The tower that stands still")
    for path in [*PAGES, f"/ui/resources/{id}"]:
        page.goto(path)
        assert (page.evaluate(RUNNING), page.evaluate(SMOOTH)) == ([], []), path
    category = call(page, "GET", "/taxonomy")["items"][0]["path"]  # pyright: ignore
    page.get_by_label("It belongs to another category").fill(category)  # pyright: ignore
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()  # a line that would slide in
    assert page.evaluate(RUNNING) == []


def without_pointer(browser: Browser, address: str, cookies: list[dict[str, str]]) -> Page:
    """A tablet: nothing hovers there, and there is room for all that is not in a menu."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, base_url=address, has_touch=True, is_mobile=True
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    return context.new_page()


def test_nothing_needs_a_pointer_that_hovers(
    browser: Browser, address: str, session_cookies: list[dict[str, str]]
) -> None:
    page = without_pointer(browser, address, session_cookies)
    page.goto("/ui/")
    id = note(page, "The tower by touch", tags=["light"], authors=["Ines Marlow"])
    page.goto("/ui/")
    assert page.evaluate("matchMedia('(hover: none)').matches")
    for path in [*PAGES, f"/ui/resources/{id}"]:
        page.goto(path)
        assert page.evaluate(UNSEEN) == [], path
    page.goto("/ui/")
    pick = page.locator(f'[data-pick-one="{id}"]')
    expect(pick).to_have_css("opacity", "1")
    pick.tap()
    expect(page.locator("#pick-bar")).to_be_visible()
    page.evaluate("document.querySelector('#pick-bar button').style.opacity = 0")
    assert page.evaluate(UNSEEN) != []  # it would be found
    page.context.close()
