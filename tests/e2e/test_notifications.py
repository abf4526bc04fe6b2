"""The bell and its list, in a real browser: something fails, and who asked for it hears of it."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.site import Site
from tests.e2e.test_page import AUDIT, add, fits

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FAILED = 45_000  # ms until a page that is not there has failed, with its retries


def streams(page: Page) -> list[str]:
    """Return the event streams that a page has opened, from now on."""
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/events/stream" in request.url else None)
    return opened


def test_who_asked_hears_of_it_wherever_they_are(open_page: Open, address: str, site: Site, pictures: Path) -> None:
    library, other = open_page(), open_page()
    for one in library.request.get("/notifications?limit=100").json()["items"]:  # of other tests
        library.request.delete(f"/notifications/{one['id']}", headers={"Origin": address})
    opened = streams(library)
    library.goto("/ui/")
    other.goto("/ui/search?query=light")
    bell = other.get_by_role("link", name="Notifications")
    expect(bell.locator(".badge")).to_be_hidden()
    for number in range(2):
        add(library, site.url(f"nowhere-{number}"))
        expect(bell).to_have_attribute("aria-label", "Notifications: 1 unread", timeout=FAILED)
    expect(other.locator("#announcer")).to_contain_text("could not be read")
    expect(library.get_by_role("link", name="Notifications: 1 unread")).to_be_visible()
    assert len(opened) == 1  # for the list and the bell together

    bell.focus()
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", level=1, name="Notifications")).to_be_visible()
    told = other.locator(".told li")
    expect(told).to_have_count(1)
    expect(told).to_contain_text("2 items could not be read", timeout=FAILED)
    other.screenshot(path=pictures / "notifications.png")
    add(library, site.url("nowhere-2"))
    expect(told).to_contain_text("3 items could not be read", timeout=FAILED)  # without a reload

    other.get_by_role("button", name="Mark as read: 3 items").press("Enter")
    expect(other.get_by_role("link", name="Notifications", exact=True).first).to_be_visible()
    expect(told.get_by_role("link")).to_be_focused()
    other.get_by_role("link", name="Unread").click()
    expect(other.get_by_text("You have read everything.")).to_be_visible()
    other.get_by_role("link", name="All", exact=True).click()
    other.get_by_role("button", name="Delete: 3 items").press("Enter")
    expect(other.get_by_text("Nothing yet.")).to_be_visible()

    other.get_by_text("What I want to hear of").click()
    box = other.get_by_label("A page could not be read")
    box.uncheck()
    expect(other.locator("#announcer")).to_have_text("Saved")
    other.reload()
    other.get_by_text("What I want to hear of").click()
    expect(box).not_to_be_checked()
    box.check()
    expect(other.locator("#announcer")).to_have_text("Saved")


@pytest.mark.parametrize("dark", [False, True])
def test_the_list_fits_and_can_be_used_by_everybody(open_page: Open, site: Site, pictures: Path, dark: bool) -> None:
    page = open_page(320, 700, dark=dark)
    page.goto("/ui/")
    add(page, site.url(f"nowhere-{dark}"))
    expect(page.get_by_role("link", name="unread")).to_be_visible(timeout=FAILED)
    page.goto("/ui/notifications")
    expect(page.locator(".told li")).not_to_have_count(0)
    page.get_by_text("What I want to hear of").click()
    assert fits(page)
    assert page.evaluate(AUDIT) == []
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=pictures / f"notifications-{'dark' if dark else 'light'}.png", full_page=True)
