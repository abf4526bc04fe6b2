"""Many things added together: how far they are, why some failed, trying those again."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY = 60_000  # ms that a batch may take on a busy machine
BUOYS = 5


def buoy(number: int) -> str:
    told = " ".join(f"Buoy {number} lies {number * 7 + turn} cables off the {turn}th mark." for turn in range(20))
    return f"<html lang='en'><title>Buoy {number}</title><main><article><h1>Buoy {number}</h1><p>{told}</p></article>"


def count(page: Page, name: str, value: int) -> None:
    expect(page.locator(f'#batch-counts [data-count="{name}"] dd')).to_have_text(str(value), timeout=READY)


def test_many_links_are_counted_survive_a_reload_and_are_tried_again(open_page: Open, site: Site) -> None:
    paths = [f"/buoy-{number}" for number in range(BUOYS)]
    site.pages |= {path: buoy(number) for number, path in enumerate(paths)}
    site.held.add(paths[0])
    page = open_page()
    page.goto("/ui/")
    try:
        links = [site.address + path for path in (*paths, "/sunk-1", "/sunk-2")]
        links.append("https://me:secret@example.org/")
        page.get_by_label("Links to add").fill("\n".join(links))
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page).to_have_url(re.compile(r"/ui/\?batch=[0-9a-f-]{36}$"))
        count(page, "failed", 2)
        count(page, "done", BUOYS - 1)
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("user name or a password")
        count(page, "waiting", 1)
        count(page, "failed", 2)
        expect(page.get_by_label("Why some failed")).to_contain_text("404 Not Found")
        page.get_by_role("link", name=re.compile("^Failed")).click()
        expect(page).to_have_url(re.compile("batch=.*&show=failed"))
        expect(page.locator("#items .item")).to_have_count(2)
    finally:
        site.held.clear()
    count(page, "done", BUOYS)
    site.pages |= {f"/sunk-{number}": buoy(number + BUOYS) for number in (1, 2)}
    page.get_by_label("Why some failed").get_by_role("button", name="Try again").click()
    count(page, "done", BUOYS + 2)
    count(page, "failed", 0)
    page.get_by_role("link", name="Show everything").click()
    expect(page).to_have_url(re.compile(r"/ui/$"))
    expect(page.locator("#batch")).to_be_hidden()


def test_a_batch_that_is_longer_than_a_page_has_pages(open_page: Open, site: Site) -> None:
    page = open_page()
    page.goto("/ui/")
    page.get_by_label("Links to add").fill("\n".join(site.url(f"lost-{number}") for number in range(30)))
    page.get_by_role("button", name="Add", exact=True).click()
    count(page, "failed", 30)
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("batch=.*&page=2"))
    expect(page.locator("#items .item")).to_have_count(5)
    page.go_back()
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator("#batch")).to_be_hidden()


def test_many_files_are_counted_too(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    page.get_by_label("Choose files").set_input_files(
        [
            {"name": f"watch-{n}.md", "mimeType": "text/markdown", "buffer": f"# Watch {n}\n\nBell {n} rang.".encode()}
            for n in range(3)
        ]
    )
    expect(page).to_have_url(re.compile(r"/ui/\?batch="))
    count(page, "done", 3)
    page.reload()
    count(page, "done", 3)
    expect(page.locator("#items .item")).to_have_count(3)
