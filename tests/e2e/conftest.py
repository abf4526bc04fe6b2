"""A whole Pharos, a web site for it to read, and a browser in front of it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.e2e.site import Site, serving
from tests.installation import Installation, installed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A running Pharos that may fetch from 127.0.0.1."""
    with installed(PHAROS_EGRESS_ALLOW="127.0.0.0/8") as made:
        made.up()
        yield made


@pytest.fixture(scope="session")
def address(installation: Installation) -> str:
    return f"http://127.0.0.1:{installation.port}"


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("The tests of the page need Chromium: install the package `chromium`.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


LoginLink = Callable[[], str]


@pytest.fixture(scope="session")
def login_link(installation: Installation) -> LoginLink:
    """Has `make up` print a new one-time link."""

    def link() -> str:
        found = re.search(r"http://\S+/ui/login\?code=\S+", installation.up())
        assert found is not None
        return found[0]

    return link


@pytest.fixture(scope="session")
def session_cookies(browser: Browser, login_link: LoginLink) -> list[dict[str, str]]:
    """The cookies of somebody who signed in by the link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(login_link())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ui/")
    cookies = context.cookies()
    context.close()
    return [dict(cookie) for cookie in cookies]  # type: ignore[arg-type]


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str, session_cookies: list[dict[str, str]]) -> Iterator[Open]:
    """Opens windows that are signed in; whatever they complain about, or load from elsewhere, fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.location["url"].endswith("/ui/nowhere"):
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:")):
            faults.append(f"loads {request.url}")

    def open_page(width: int = 1280, height: int = 860, *, dark: bool = False, signed_in: bool = True) -> Page:
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, base_url=address, reduced_motion="reduce"
        )
        contexts.append(context)
        if signed_in:
            context.add_cookies(session_cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", asked)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder PHAROS_TEST_PICTURES, to look at them or to renew `docs/screenshots`."""
    folder = os.environ.get("PHAROS_TEST_PICTURES")
    if folder is None:
        return tmp_path_factory.mktemp("pictures")
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)
