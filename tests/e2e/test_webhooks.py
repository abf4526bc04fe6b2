"""The page of webhooks in a real browser: add one, copy its secret, test it, see what became of it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.test_page import AUDIT, fits

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


class Hook(BaseHTTPRequestHandler):
    """Says yes, but 500 to the first."""

    heard = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).heard += 1
        self.send_response(500 if type(self).heard == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hook() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_add_test_and_look(open_page: Open, hook: str, pictures: Path) -> None:
    page = open_page()
    page.goto("/ui/")
    page.locator("#account summary").click()
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("Address that is told").fill(hook)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#hook-secret")).to_be_visible()
    assert page.locator("#hook-secret-text").input_value().startswith("whsec_")

    page.get_by_role("button", name=f"Send a test to {hook}").click()
    sent = page.locator("#deliveries > li")
    expect(sent).to_have_count(1)
    expect(sent).to_contain_text("answered 500", timeout=15_000)
    page.get_by_role("button", name=f"Send a test to {hook}").press("Enter")
    expect(sent).to_have_count(2)
    expect(sent.first).to_contain_text("answered 200", timeout=15_000)
    sent.first.get_by_text("What is sent").click()
    expect(sent.first.locator("pre")).to_contain_text('"webhook.tested"')
    page.screenshot(path=pictures / "webhooks.png", full_page=True)
    assert page.evaluate(AUDIT) == []
    assert Axe().run(page).response["violations"] == []
    sent.first.get_by_role("button", name="Send webhook.tested again").click()
    expect(sent.first).to_contain_text("1 attempt")

    dark = open_page(320, 800, dark=True)
    dark.goto(page.url)
    expect(dark.locator("#deliveries > li")).to_have_count(2)
    assert fits(dark)
    dark.screenshot(path=pictures / "webhooks-320-dark.png", full_page=True)
    assert dark.evaluate(AUDIT) == []
    assert Axe().run(dark).response["violations"] == []

    page.get_by_role("button", name=f"Switch off {hook}").click()
    expect(page.locator(".hooks").first).to_contain_text("You switched it off.")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Delete {hook}").click()
    expect(page.locator("#hooks")).to_contain_text("You have no webhook yet.")
