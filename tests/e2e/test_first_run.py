"""An empty library, the sample set in and out, pages that explain themselves once, and notifications by e-mail."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.digests.mail_server import MailServer, serving
from tests.e2e.test_page import AUDIT
from tests.installation import Installation, installed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# What is wider than the window, with its words.
WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`)"""
READ = 90_000  # ms until ten texts are read
KNOWN = {"1280 light": (1280, 900, False), "390 dark": (390, 800, True), "320 light": (320, 700, False)}


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    """A mail server in a thread of its own."""
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(stack.enter_async_context(serving()), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def fresh(mail: MailServer) -> Iterator[Installation]:
    """A Pharos that nobody has used."""
    smtp = {"PHAROS_SMTP_HOST": "127.0.0.1", "PHAROS_SMTP_PORT": str(mail.port), "PHAROS_SMTP_TLS": "none"}
    with installed(**smtp, PHAROS_SMTP_FROM="Pharos <pharos@example.org>") as made:
        made.up()
        yield made


@pytest.fixture(scope="module")
def cookies(browser: Browser, fresh: Installation) -> list[dict[str, str]]:
    found = re.search(r"http://\S+/ui/login\?code=\S+", fresh.up())
    assert found is not None
    context = browser.new_context()
    page = context.new_page()
    page.goto(found[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ui/")
    kept = [dict(cookie) for cookie in context.cookies()]  # type: ignore[arg-type]
    context.close()
    return kept


@pytest.fixture
def window(browser: Browser, fresh: Installation, cookies: list[dict[str, str]]) -> Iterator[Page]:
    """A window of who signed in; what it complains about fails the test."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{fresh.port}", timezone_id="Europe/Berlin", reduced_motion="reduce"
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on(
        "console",
        lambda message: (
            faults.append(message.text) if message.type in ("error", "warning") and "422" not in message.text else None
        ),
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def looked_at(page: Page, pictures: Path, name: str) -> None:
    """Have a page audited, and keep pictures of it."""
    for label, (width, height, dark) in KNOWN.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.screenshot(path=pictures / f"{name}-{label.replace(' ', '-')}.png", full_page=True)
        assert page.evaluate(WIDE) == [], label
        assert page.evaluate(AUDIT) == [], label
        assert Axe().run(page).response["violations"] == [], label
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_an_empty_library_says_what_to_do_and_each_page_explains_itself_once(window: Page, pictures: Path) -> None:
    window.goto("/ui/")
    hint = window.get_by_role("complementary", name="About this page")
    expect(hint).to_contain_text("Everything that you add stands here")
    empty = window.locator("#empty")
    for words in (
        "Add a page",
        "Add a file",
        "Bring in what you have",
        "Save while you read",
        "Try it with a sample set",
    ):
        expect(empty.get_by_role("heading", name=words)).to_be_visible()
    expect(empty.get_by_role("link", name="Bring in what you have")).to_have_attribute("href", "/ui/import")
    looked_at(window, pictures, "first-run")

    hint.get_by_role("button", name="Got it").focus()
    window.keyboard.press("Enter")
    expect(hint).to_have_count(0)
    expect(window.locator("#main")).to_be_focused()
    expect(window.locator("#announcer")).to_have_text("The hint is put away")
    window.reload()
    expect(window.locator("#empty")).to_be_visible()
    expect(hint).to_have_count(0)
    window.goto("/ui/graph")
    expect(hint).to_contain_text("A dot is a text")
    looked_at(window, pictures, "hint-graph")
    window.locator("#account summary").click()
    window.get_by_role("button", name="Explain the pages again").click()
    window.goto("/ui/")
    expect(hint).to_be_visible()


def test_the_sample_set_gives_every_page_something_to_show(window: Page, pictures: Path) -> None:
    window.goto("/ui/")
    window.get_by_role("button", name="Add the sample set").click()
    window.wait_for_url("**/ui/?batch=*")
    expect(window.locator("#batch-counts [data-count=done] dd")).to_have_text("10", timeout=READ)
    expect(window.locator("#items .item")).to_have_count(10)
    expect(window.get_by_text("The sample set is in your library.")).to_be_visible()
    looked_at(window, pictures, "sample")
    window.get_by_role("link", name="See its collection").click()
    expect(window.locator("#items .item")).to_have_count(4)
    expect_soon(window, "/ui/categories", window.locator("main a[href^='/ui/categories/']").first)
    window.goto("/ui/search?query=forgetting+curve")
    window.get_by_role("link", name="How forgetting works").first.click()
    expect_soon(window, window.url, window.get_by_role("link", name="Spaced repetition").first)
    window.screenshot(path=pictures / "sample-text.png", full_page=True)

    window.goto("/ui/")
    window.once("dialog", lambda dialog: dialog.accept())
    window.get_by_role("button", name="Remove the sample set").click()
    expect(window.locator("#empty")).to_be_visible()
    expect(window.get_by_text("The sample set is removed")).to_be_visible()


def expect_soon(page: Page, path: str, what: Locator) -> None:
    """Load a page until it shows what is derived a little later."""
    for _ in range(60):
        page.goto(path)
        if what.count():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"{path} never showed it")


def test_notifications_by_e_mail(browser: Browser, window: Page, mail: MailServer, pictures: Path) -> None:
    window.goto("/ui/notifications")
    section = window.get_by_role("region", name="By e-mail")
    section.get_by_label("Your address").fill("not an address@x")
    section.get_by_role("button", name="Send a link").click()
    assert mail.taken == []  # the browser itself says what is wrong
    section.get_by_label("Your address").fill("ada@example")
    section.get_by_role("button", name="Send a link").click()
    expect(section.get_by_role("alert")).to_contain_text("is no e-mail address")
    section.get_by_label("Your address").fill("ada@example.org")
    window.keyboard.press("Enter")
    expect(section.get_by_text("A link was sent to ada@example.org. Open it")).to_be_visible()
    looked_at(window, pictures, "digest-asked")

    body = mail.taken[-1].get_body(("plain",))
    assert body is not None
    link = re.search(r"http://\S+/ui/public/digest/confirm\S+", body.get_content())
    assert link is not None
    window.goto(link[0])
    looked_at(window, pictures, "digest-confirm")
    window.get_by_role("button", name="Yes, send them here").press("Enter")
    expect(window.get_by_role("status").filter(has_text="Confirmed.")).to_be_visible()
    window.get_by_role("link", name="Notifications and e-mails").click()

    expect(section.get_by_text("Confirmed: ada@example.org")).to_be_visible()
    expect(section.locator("[name=weekday]")).to_be_hidden()
    section.get_by_label("How often").select_option("Once a week")
    section.locator("[name=weekday]").select_option("Friday")
    section.get_by_label("Hour").select_option("18:00")
    expect(section.get_by_label("Time zone")).to_have_value("Europe/Berlin")  # as the browser says
    section.get_by_label("Time zone").fill("Nowhere")
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_role("alert")).to_contain_text("is the IANA name of a time zone")
    section.get_by_label("Time zone").fill("Europe/Berlin")
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_text("The next one:")).to_be_visible()
    expect(section.get_by_role("alert")).to_have_count(0)  # an empty one is none
    section.get_by_role("button", name="Send a test").click()
    expect(window.locator("#toasts")).to_contain_text("A test was sent to ada@example.org.")
    assert mail.taken[-1]["Subject"] == "Letters arrive"
    looked_at(window, pictures, "digest-set")
    window.reload()
    expect(section.get_by_label("How often")).to_have_value("weekly")
    expect(section.get_by_label("Hour")).to_have_value("18")
    html = mail.taken[0].get_body(("html",))
    assert html is not None
    letter = browser.new_page()  # as a mail program shows it, outside of our pages and their policy
    letter.set_content(html.get_content())
    letter.screenshot(path=pictures / "digest-letter.png", full_page=True)
    letter.close()
    section.get_by_role("button", name="Forget the address").click()
    expect(section.get_by_text("Confirmed: ada@example.org")).to_have_count(0)
    expect(section.get_by_label("How often")).to_have_value("off")
