"""Saving from elsewhere in a real browser: what is shared, the bookmarklet, the extension."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Worker, expect

from service.embedded import free_port
from tests.e2e.conftest import ARGUMENTS, CHROMIUM, Open
from tests.e2e.site import Site, phrase
from tests.e2e.test_page import AUDIT, fits
from tests.installation import ROOT, Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def shared(**handed: str) -> str:
    return f"/ui/add?{urlencode(handed)}"


def looked_at(page: Page) -> None:
    """It fits, and neither our audit nor axe finds fault with it."""
    assert fits(page)
    assert page.evaluate(AUDIT) == []
    assert Axe().run(page).response["violations"] == []


def test_what_is_shared_is_added_once(open_page: Open, site: Site, pictures: Path) -> None:
    site.pages["/shared"] = site.pages["/salt"]  # an address that no other test adds
    url = site.url("shared")
    page = open_page(480, 640)
    page.goto(shared(title="Why the sea is salt", text=f"Worth reading: {url}"))
    expect(page.get_by_label("Link")).to_have_value(url)
    looked_at(page)
    page.screenshot(path=pictures / "save.png")
    page.get_by_role("button", name="Add the page").click()
    expect(page.locator("#done")).to_contain_text("Added to your library.")
    looked_at(page)

    narrow = open_page(320, 640, dark=True)
    narrow.goto(shared(url=f"{url}?utm_source=phone"))
    expect(narrow.locator("#done")).to_contain_text("Already in your library.")
    expect(narrow.get_by_role("button", name="Add the page")).to_have_count(0)
    looked_at(narrow)
    narrow.screenshot(path=pictures / "save-320-dark.png")
    narrow.locator("#done a").click()
    expect(narrow.get_by_role("heading", level=1)).to_contain_text("Why the sea is salt")


def test_a_text_is_offered_as_a_note_and_nonsense_is_refused(open_page: Open) -> None:
    page = open_page(320, 640)
    page.goto(shared(text="The lamp is lit at dusk.\nThe keeper writes it down."))
    expect(page.get_by_role("button", name="Add the page")).to_have_count(0)
    page.get_by_role("button", name="Keep the text as a note").click()
    page.locator("#done a", has_text="The lamp is lit at dusk.").click()
    expect(page.locator("main")).to_contain_text("The keeper writes it down.")

    page = open_page().context.new_page()  # the answer 422 is a line in the console
    page.goto(shared(url="javascript:alert(1)", title="<b>x</b>"))
    page.get_by_role("button", name="Add the page").click()
    expect(page.get_by_role("alert")).to_contain_text("only http:// and https:// addresses can")
    expect(page.get_by_label("Title")).to_have_value("<b>x</b>")
    looked_at(page)


def test_the_browser_can_install_it(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    session = page.context.new_cdp_session(page)
    read = session.send("Page.getAppManifest")
    assert read["errors"] == []
    assert "share_target" in read["data"]
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []  # as every window of a test is


def test_the_bookmarklet_opens_a_small_window(open_page: Open, site: Site, pictures: Path) -> None:
    page = open_page()
    page.goto("/ui/")
    page.locator("#account summary").click()
    page.get_by_role("link", name="Save from elsewhere").click()
    link = page.get_by_role("link", name="Save to Pharos")
    link.click()
    expect(page.locator("#toasts")).to_contain_text("drag it there")
    code = link.get_attribute("href") or ""
    looked_at(page)
    page.set_viewport_size({"width": 320, "height": 800})
    looked_at(page)
    page.screenshot(path=pictures / "save-bookmarklet-320.png", full_page=True)

    there = page.context.new_page()
    there.goto(site.url("tides"))
    there.evaluate("getSelection().selectAllChildren(document.querySelector('article p:nth-of-type(3)'))")
    with there.expect_popup() as opened:
        there.evaluate("code => { location.href = code; }", code)
    popup = opened.value
    expect(popup.get_by_label("Link")).to_have_value(site.url("tides"))
    expect(popup.get_by_label("Title")).to_have_value("Reading a tide table without being a sailor | Field Notes")
    assert phrase("tides").capitalize() in popup.get_by_label("Text").input_value()
    looked_at(popup)
    popup.get_by_role("button", name="Keep the text as a note").click()
    expect(popup.locator("#done")).to_contain_text("Added to your library.")

    own = page.context.new_page()
    own.goto("/ui/add")
    own.evaluate("addEventListener('securitypolicyviolation', (event) => (window.stopped = event.effectiveDirective))")
    own.evaluate("code => { location.href = code; }", code)
    own.wait_for_function("window.stopped?.startsWith('script-src')")


@dataclass
class Extended:
    """A browser with the extension in it."""

    context: BrowserContext
    worker: Worker
    options: Page

    def connect(self, address: str, token: str) -> str:
        """Fill in the options; return what is said."""
        self.options.get_by_label("Address of your library").fill(address)
        self.options.get_by_label("Token").fill(token)
        self.options.evaluate("document.getElementById('outcome').textContent = ''")
        self.options.get_by_role("button", name="Connect").click()
        expect(self.options.locator("#outcome")).not_to_be_empty(timeout=30_000)
        return self.options.locator("#outcome").inner_text()

    def popup(self, page: Page, script: str) -> Any:
        """Run a script with the popup's document as `popup`; it opens as by a click on the icon beside `page`."""
        views = "chrome.extension.getViews({ type: 'popup' })"
        if not self.options.evaluate(f"{views}.length"):
            assert self.context.browser is not None
            session = self.context.browser.new_browser_cdp_session()
            tabs = session.send("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]
            target = next(tab["targetId"] for tab in tabs if tab["url"] == page.url)
            session.send("Extensions.triggerAction", {"id": self.worker.url.split("/")[2], "targetId": target})
            session.detach()
        assert until(lambda: self.options.evaluate(f"!!{views}[0]?.document.querySelector('#page:enabled')"), 30)
        return self.options.evaluate(f"() => {{ const popup = {views}[0].document; return {script}; }}")

    def says(self, page: Page, words: str) -> bool:
        return until(lambda: words in self.popup(page, "popup.getElementById('outcome')?.textContent ?? ''"), 30)


@pytest.fixture
def extended(browser: Browser, tmp_path: Path) -> Iterator[Extended]:
    """The packed extension, unpacked; the permission that a person gives by a click is given to it beforehand."""
    packed, unpacked = tmp_path / "extension.zip", tmp_path / "extension"
    subprocess.run([sys.executable, ROOT / ".ci" / "extension", packed], check=True, capture_output=True)
    with ZipFile(packed) as read:
        read.extractall(unpacked)
    manifest = json.loads((unpacked / "manifest.json").read_text())
    (unpacked / "manifest.json").write_text(json.dumps(manifest | {"host_permissions": ["http://127.0.0.1/*"]}))
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile",
        executable_path=CHROMIUM,
        headless=False,  # the argument below says so: the other headless mode has no extensions
        ignore_default_args=["--disable-extensions"],
        args=[
            *ARGUMENTS,
            "--headless=new",
            f"--disable-extensions-except={unpacked}",
            f"--load-extension={unpacked}",
        ],
    )
    worker = context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
    options = context.new_page()
    options.goto(worker.url.replace("background.js", "options.html"))
    yield Extended(context, worker, options)
    context.close()


def test_the_extension_saves_a_page_and_a_selection(
    extended: Extended, installation: Installation, address: str, site: Site, pictures: Path
) -> None:
    def token(*scopes: str) -> str:
        return installation.call("POST", "/auth/tokens", {"name": "browser", "scopes": scopes})[1]["token"]

    def found(id: str) -> dict[str, Any]:
        status, resource = installation.call("GET", f"/resources/{id}")
        assert status == 200
        return resource

    url = site.url("index").replace("127.0.0.1", "localhost")  # a host that the extension has no lasting permission for
    page = extended.context.pages[0]
    page.goto(url)
    page.bring_to_front()
    extended.popup(page, "popup.getElementById('page').click()")
    assert extended.says(page, "Pharos does not know your library yet.")

    extended.options.bring_to_front()
    assert "does not take this token" in extended.connect(address, "pharos_wrong_token")
    assert "needs the scope write" in extended.connect(address, token("read"))
    assert "is not Pharos (404)" in extended.connect(site.address, "a token")
    assert "does not answer" in extended.connect(f"http://127.0.0.1:{free_port()}", "a token")
    assert extended.connect(f"{address}/ui/", token("read", "write")) == "Connected as admin."
    assert Axe().run(extended.options).response["violations"] == []
    extended.options.screenshot(path=pictures / "extension-options.png")
    alone = extended.context.new_page()
    alone.set_viewport_size({"width": 280, "height": 260})
    alone.goto(extended.worker.url.replace("background.js", "popup.html"))
    expect(alone.locator("#page")).to_be_enabled()
    assert Axe().run(alone).response["violations"] == []
    alone.screenshot(path=pictures / "extension-popup.png")
    alone.locator("#page").click()
    expect(alone.locator("#outcome")).to_contain_text("Only pages whose address begins with http:// or https://")
    alone.close()

    page.bring_to_front()
    extended.popup(page, "popup.getElementById('page').click()")
    assert extended.says(page, "Added to your library.")
    link = extended.popup(page, "popup.getElementById('see').href")
    assert link.startswith(f"{address}/ui/resources/")
    assert found(link.rpartition("/")[2])["url"] == url
    extended.popup(page, "popup.getElementById('page').click()")
    assert extended.says(page, "Already in your library.")

    page.evaluate("getSelection().selectAllChildren(document.querySelector('article'))")
    selection = page.evaluate("String(getSelection())")
    assert "\n" in selection
    click = {"menuItemId": "selection", "frameId": 0, "selectionText": " ".join(selection.split())}
    tab = extended.worker.evaluate("chrome.tabs.query({ active: true }).then(([tab]) => tab)")
    assert tab["url"] == url
    for id in ("page", "selection"):  # raises where the menu has no such entry
        extended.worker.evaluate("id => chrome.contextMenus.update(id, {})", id)
    extended.worker.evaluate("([click, tab]) => chrome.contextMenus.onClicked.dispatch(click, tab)", [click, tab])
    badge = "tabId => chrome.action.getBadgeText({ tabId })"
    assert until(lambda: extended.worker.evaluate(badge, tab["id"]) == "✓", 30)
    kept = extended.worker.evaluate("id => chrome.storage.session.get(id)", str(tab["id"]))[str(tab["id"])]["outcome"]
    assert kept["words"] == "Kept as a note."
    note = found(kept["href"].rpartition("/")[2])
    assert (note["type"], note["url"], note["content"]) == ("note", url, selection)

    extended.worker.evaluate(
        "address => chrome.storage.local.set({ address })", site.address.replace("127.0.0.1", "localhost")
    )
    extended.popup(page, "popup.getElementById('page').click()")
    assert extended.says(page, "This extension may not talk to http://localhost")
