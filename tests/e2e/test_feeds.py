"""The page of feeds: follow a site, see how it goes, stop and go on, bring and take a list."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.test_library import call, violations
from tests.e2e.test_page import AUDIT, fits

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READ = 60_000  # ms that a first look may take on a busy machine
ITEM = "<item><title>{title}</title><link>{base}/{path}</link><guid>{path}</guid></item>"
ARTICLE = "<html><head><title>{0}</title></head><body><article><h1>{0}</h1><p>{1}</p></article></body></html>"


class Blog(BaseHTTPRequestHandler):
    """A site with a feed that its front page names, another feed, and one that is broken."""

    posts: list[str]

    def do_GET(self) -> None:
        base = f"http://{self.headers['Host']}"
        status, kind, body = 200, "text/html; charset=utf-8", ""
        if self.path == "/":
            body = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
        elif self.path.endswith(".xml"):
            title = "Notes from the harbour" if self.path == "/feed.xml" else "The tide table"
            items = "".join(ITEM.format(title=post, base=base, path=f"{post}-{self.path[1:-4]}") for post in self.posts)
            kind = "application/rss+xml"
            body = f"<rss version='2.0'><channel><title>{title}</title><link>{base}/</link>{items}</channel></rss>"
        elif self.path == "/broken":
            status = 500
        else:
            body = ARTICLE.format(self.path[1:], "The keeper of the tower writes down what the tide brings. " * 20)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def blog() -> Iterator[str]:
    Blog.posts = ["Fog", "Lamps"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blog)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(open_page: Open) -> Iterator[Page]:
    page = open_page()
    page.goto("/ui/feeds")
    yield page
    page.goto("/ui/")
    for feed in call(page, "GET", "/feeds?limit=100")["items"]:  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        call(page, "DELETE", f"/feeds/{feed['id']}")


def follow(page: Page, url: str) -> None:
    page.get_by_label("Address of a feed or a site").fill(url)
    page.get_by_role("button", name="Follow", exact=True).click()


def row(page: Page, title: str) -> Locator:
    return page.locator(".feeds > li").filter(has=page.get_by_role("heading", name=title))


def test_a_site_is_followed_looked_at_paused_and_left(page: Page, blog: str) -> None:
    expect(page.get_by_role("heading", name="You follow nothing yet")).to_be_visible()
    follow(page, f"{blog}/")
    feed = row(page, "Notes from the harbour")
    expect(feed).to_contain_text("2 items taken in", timeout=READ)
    expect(feed).to_contain_text(f"{blog}/feed.xml")
    expect(feed).to_contain_text("Following")
    expect(feed).to_contain_text(re.compile(r"looked at\s+just now.*again in (1 hour|60 minutes)", re.DOTALL))
    expect(page.get_by_text("You follow Notes from the harbour")).to_be_visible()

    refused = page.context.new_page()  # a refusal is a line in the console
    refused.goto(page.url)
    for url, why in (
        (f"{blog}/feed.xml", "You follow this feed already"),
        ("http://169.254.169.254/x", "169.254.169.254"),
    ):
        follow(refused, url)
        expect(refused.locator("#feed-refusal")).to_contain_text(why)
        expect(refused.get_by_label("Address of a feed or a site")).to_be_focused()
    refused.close()

    Blog.posts = ["Fog", "Lamps", "Tides"]
    page.get_by_role("button", name="Look at Notes from the harbour now").press("Enter")
    expect(feed).to_contain_text("3 items taken in", timeout=READ)
    expect(page.get_by_text("Looked at Notes from the harbour: 1 new item")).to_be_visible()

    page.get_by_role("button", name="Pause Notes from the harbour").press("Enter")
    expect(feed).to_contain_text("Paused")
    expect(page.get_by_role("button", name="Go on with Notes from the harbour")).to_be_focused()
    page.get_by_role("button", name="Go on with Notes from the harbour").press("Enter")
    expect(feed).to_contain_text("Following")

    feed.get_by_role("link", name="Notes from the harbour").click()
    expect(page.locator(".entries > li")).to_have_count(3)
    page.get_by_role("link", name="Tides").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    page.goto("/ui/feeds")
    page.get_by_role("button", name="Follow Notes from the harbour no more").click()
    expect(page.get_by_role("heading", name="You follow nothing yet")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "Notes from the harbour")).to_contain_text("Following", timeout=READ)


def test_what_goes_wrong_is_said_in_words(page: Page, blog: str) -> None:
    follow(page, f"{blog}/broken")
    feed = page.locator(".feeds > li")
    expect(feed).to_contain_text("Failing", timeout=READ)
    expect(feed.locator(".feed-error")).to_contain_text("500")
    expect(feed).to_contain_text("1 failure in a row")
    page.get_by_role("link", name="Failing", exact=True).click()
    expect(feed).to_have_count(1)


def test_lists_come_in_and_go_out(page: Page, blog: str) -> None:
    outlines = [f"{blog}/feed.xml", f"{blog}/tides.xml", "http://169.254.169.254/feed"]
    opml = "\n".join(f'<outline type="rss" text="One" xmlUrl="{url}"/>' for url in outlines)
    file = {"name": "feeds.opml", "mimeType": "text/x-opml"}
    body = f'<opml version="2.0"><body><outline text="Sea">{opml}</outline></body></opml>'
    page.locator("#opml").set_input_files({**file, "buffer": body.encode()})  # type: ignore[arg-type]
    expect(page.get_by_text("2 feeds followed now, 0 were before, 1 cannot be")).to_be_visible()
    expect(page.locator("#opml-failed li")).to_contain_text("169.254.169.254")
    expect(page.locator(".feeds > li").first).to_contain_text("Sea")
    with page.expect_download() as going:
        page.get_by_role("link", name="Export OPML").click()
    written = Path(going.value.path()).read_text()
    assert f"{blog}/tides.xml" in written
    refused = page.context.new_page()  # a refusal is a line in the console
    refused.goto(page.url)
    refused.locator("#opml").set_input_files({**file, "buffer": b"no list"})  # type: ignore[arg-type]
    expect(refused.get_by_text("This is no OPML")).to_be_visible()
    refused.close()


def test_an_audit_finds_nothing(page: Page, open_page: Open, blog: str, pictures: Path) -> None:
    found = [*page.evaluate(AUDIT), *violations(page)]
    page.screenshot(path=pictures / "feeds-none-1280-light.png")
    for url, title in ((f"{blog}/", "Notes from the harbour"), (f"{blog}/tides.xml", "The tide table")):
        follow(page, url)
        expect(row(page, title)).to_contain_text("taken in", timeout=READ)
    follow(page, f"{blog}/broken")
    expect(page.locator('.feeds > [data-state="failing"]')).to_have_count(1, timeout=READ)
    page.get_by_role("button", name="Pause The tide table").click()
    expect(row(page, "The tide table")).to_contain_text("Paused")
    one = page.get_by_role("link", name="Notes from the harbour").get_attribute("href")
    for width, theme in ((1280, "light"), (1280, "dark"), (1280, "sepia"), (390, "light"), (320, "dark")):
        shown = open_page(width, dark=theme == "dark")
        shown.goto("/ui/feeds")
        if theme == "sepia":
            shown.evaluate("document.cookie = 'pharos_theme=sepia; path=/'")
        for name, address in (("feeds", "/ui/feeds"), ("feed", str(one))):
            shown.goto(address)
            assert fits(shown)
            found += [*shown.evaluate(AUDIT), *violations(shown)]
            shown.screenshot(path=pictures / f"{name}-{width}-{theme}.png")
    assert found == [], "\n".join(found)
