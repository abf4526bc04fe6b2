"""The page of documents in Chromium: upload, watch, subjects, many at once, with the keyboard and on a small screen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.ingestion.samples import SENTENCE, pdf

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def text(number: int) -> bytes:
    return " ".join(f"Keeper {number}-{n} saw ship {n} pass reef {n * number} at dawn." for n in range(60)).encode()


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        "#files", [{"name": name, "mimeType": "application/octet-stream", "buffer": body} for name, body in files]
    )


def shown(page: Page, name: str, pictures: Path) -> None:
    page.screenshot(path=pictures / f"{name}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0, f"{name} is {width} pixels too wide"


def test_documents_are_uploaded_watched_and_put_away(open_page: Open, address: str, pictures: Path) -> None:
    page = open_page()
    for one in page.request.get("/documents?limit=100").json()["items"]:  # of other tests
        page.request.delete(f"/documents/{one['id']}", headers={"Origin": address})
    page.goto("/ui/")
    page.get_by_role("link", name="Documents").click()
    expect(page.get_by_role("heading", name="Nothing to study yet")).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("Optics")
    upload(
        page, ("light.pdf", pdf([SENTENCE * 5 for _ in range(20)], title="On light")), ("keepers.txt", text(1)),
        ("broken.pdf", b"%PDF-1.7 nothing"),
    )  # fmt: skip
    rows = page.locator(".paper")
    expect(rows).to_have_count(3)
    expect(page.locator(".paper[data-status=ready]")).to_have_count(2, timeout=60_000)  # without a reload
    expect(page.locator(".paper[data-status=failed] .paper-error")).to_have_text(re.compile("^The PDF is broken"))
    optics = page.get_by_role("navigation", name="Subjects").get_by_role("link", name="Optics")
    expect(optics).to_contain_text("2 of 3 ready")
    shown(page, "documents", pictures)

    upload(page, ("again.txt", text(1)))
    expect(page.get_by_text("again.txt is there already, as keepers.txt")).to_be_visible()
    expect(rows).to_have_count(3)

    page.get_by_text("New subject", exact=True).click()
    page.get_by_label("Name of the new subject").fill("History")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("No document here matches.")).to_be_visible()
    page.get_by_role("navigation", name="Subjects").get_by_role("link", name="All").click()
    page.get_by_label("Select keepers.txt").check()
    page.locator("#move").select_option(label="History")
    expect(page.get_by_role("link", name="History")).to_contain_text("1 of 1 ready")
    page.locator("#sieve [name=status]").select_option("failed")
    expect(rows).to_have_count(1)

    page.get_by_label("Select all on this page").check()
    page.locator("#delete-chosen").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0, timeout=30_000)  # the task has done it
    page.goto("/ui/documents")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="On light").click()
    expect(page.get_by_role("heading", name="On light").first).to_be_visible()


def test_the_page_works_by_keyboard_on_a_small_screen_in_the_dark(open_page: Open, pictures: Path) -> None:
    page = open_page(320, 640, dark=True)
    page.goto("/ui/documents")
    upload(page, ("a-file-with-a-rather-long-name-that-has-no-blank-in-it-at-all.txt", text(2)))
    row = page.locator(".paper", has_text="a-file-with")
    expect(row).to_have_attribute("data-status", "ready", timeout=60_000)
    shown(page, "documents-small", pictures)
    row.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen-count")).to_have_text("1 selected")
    shown(page, "documents-chosen", pictures)
    row.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)


def test_files_can_be_dropped_anywhere(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/documents")
    dropped = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["Dropped by a hand. ".repeat(60)], "dropped.txt", { type: "text/plain" }));
            return data;
        }"""
    )
    page.dispatch_event("#papers", "dragenter", {"dataTransfer": dropped})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("#papers", "drop", {"dataTransfer": dropped})
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.locator(".paper", has_text="dropped.txt")).to_have_attribute("data-status", "ready", timeout=60_000)
