"""People at the page, in a real browser: sign in, add, watch, search, read, delete."""

import re
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import LoginLink, Open
from tests.e2e.site import ARTICLES, Site, phrase

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

READY = 45_000  # ms that an item may take on a busy machine
STEPS = ["fetched", "extracted", "stored", "indexed", "embedded"]

LOG = "# The keeper's log\n\nWind **south-west**, lamp trimmed at nine.\n\n| hour | wind |\n|-|-|\n| 9 | SW |\n"

WATCH = """() => {
    window.here = true;
    window.seen = [];
    new MutationObserver(() => {
        const row = document.querySelector("#items .item");
        const states = row ? [...row.querySelectorAll(".steps li")].map((step) => step.dataset.state) : [];
        const now = states.join(" ");
        if (now && window.seen.at(-1) !== now) window.seen.push(now);
    }).observe(document.getElementById("items"), { subtree: true, childList: true, attributes: true });
}"""


AUDIT = """() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const named = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.title || one.labels?.length;
    const controls = all("a[href], button, input:not([type=hidden]), textarea, summary");
    const ids = all("[id]").map((one) => one.id).filter((id) => id !== "beam");
    const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1]));
    return [
        ...controls.filter((one) => one.checkVisibility() && !named(one)).map((one) => `no name: ${one.outerHTML}`),
        ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`),
        ...levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1).map((level) => `skips to h${level}`),
        ...(all("h1").length === 1 ? [] : ["not one h1"]),
        ...(document.querySelector("main") && document.documentElement.lang ? [] : ["no main or no lang"]),
    ];
}"""


def add(page: Page, *links: str) -> None:
    page.get_by_label("Links to add").fill("\n".join(links))
    page.get_by_role("button", name="Add", exact=True).click()


def row(page: Page, title: str) -> Locator:
    return page.locator("#items .item").filter(has=page.get_by_role("heading", name=title))


def drop(page: Page, name: str, content: str) -> None:
    """Drop a file onto the page as a person does who drags it there."""
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const given = new DataTransfer();
            given.items.add(new File([content], name, { type: "text/markdown" }));
            return given;
        }""",
        [name, content],
    )
    page.dispatch_event("main", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to add")).to_be_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to add")).to_be_hidden()


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_link_signs_in_by_its_button_and_only_once(open_page: Open, login_link: LoginLink) -> None:
    page, link = open_page(signed_in=False), login_link()
    for _ in range(2):
        page.goto(link)
        expect(page.get_by_text("This link signs you in once.")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/ui/$"))
    page.get_by_label("Account: admin").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_attached()
    page.goto("/ui/search?query=light")
    expect(page).to_have_url(re.compile(r"/ui/login\?next="))


def test_a_page_goes_in_is_watched_found_and_read(open_page: Open, site: Site) -> None:
    title = ARTICLES["fresnel"][0]
    page = open_page()
    page.goto("/ui/")
    page.evaluate(WATCH)
    add(page, site.url("fresnel"))
    item = row(page, title)
    expect(item).to_have_attribute("data-phase", "ready", timeout=READY)
    expect(item).to_contain_text("The Harbour Review")

    seen = [states.split() for states in page.evaluate("window.seen")]
    assert all(len(states) == len(STEPS) for states in seen)
    assert seen[-1] == ["completed"] * 5
    done = [sum(state == "completed" for state in states) for states in seen]
    assert done == sorted(done)  # forwards only
    assert len(set(done)) >= 3  # and step by step
    assert page.evaluate("window.here") is True  # without a reload

    page.get_by_role("heading", name="Recently added").click()
    page.keyboard.press("/")
    page.keyboard.type(f'"{phrase("fresnel")}"')
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/ui/search\?query=%22a\+beehive"))
    hit = page.locator(".hit").first
    expect(hit.locator("mark").first).to_be_visible()
    hit.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.locator(".prose")).to_contain_text("Augustin Fresnel saw in 1822")
    expect(page.locator(".prose")).not_to_contain_text("Subscribe to our letter")
    expect(page.get_by_text("By Ines Marlow")).to_be_visible()


def test_many_links_at_once_and_what_is_wrong_with_some(open_page: Open, site: Site) -> None:
    page, other = open_page(), open_page()
    page.goto("/ui/")
    other.goto("/ui/")
    add(page, site.url("outbox"), site.url("tides"), site.url("missing"), "https://me:secret@example.org/")
    expect(page.get_by_role("alert")).to_contain_text("user name or a password")
    for name in ("outbox", "tides"):
        expect(row(page, ARTICLES[name][0])).to_have_attribute("data-phase", "ready", timeout=READY)
        expect(row(other, ARTICLES[name][0])).to_have_attribute("data-phase", "ready")  # who only looks sees it, too
    failed = row(page, site.url("missing"))
    expect(failed).to_contain_text("404 Not Found", timeout=READY)

    add(page, site.url("outbox"))
    expect(page.get_by_text("Already in your library:")).to_be_visible()

    site.pages["/missing"] = site.pages["/salt"]
    failed.get_by_role("button", name="Try again").click()
    expect(row(page, ARTICLES["salt"][0])).to_have_attribute("data-phase", "ready", timeout=READY)
    page.get_by_role("link", name=re.compile("^Failed")).click()
    expect(page.get_by_text("Nothing has failed.")).to_be_visible()


def test_progress_survives_a_reload(open_page: Open, site: Site) -> None:
    page = open_page()
    page.goto("/ui/")
    site.delay = 1.5
    try:
        add(page, site.url("index"))
        first = page.locator("#items .item").first
        expect(first.locator('[data-step="fetched"]')).to_have_attribute("data-state", "running")
        page.reload()
        expect(first).to_have_attribute("data-phase", "working")
        expect(first.locator(".waiting")).not_to_be_empty()
    finally:
        site.delay = 0.0
    expect(row(page, ARTICLES["index"][0])).to_have_attribute("data-phase", "ready", timeout=READY)


def test_a_dropped_file_goes_in_and_can_be_deleted(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    page.get_by_role("switch", name="Private").check()
    drop(
        page,
        "keeper.md",
        "# The keeper's log\n\nWind **south-west**, lamp trimmed at nine.\n\n| hour | wind |\n|-|-|\n| 9 | SW |\n",
    )
    item = row(page, "The keeper's log")
    expect(item).to_have_attribute("data-phase", "ready", timeout=READY)
    expect(item.get_by_text("Private: only you see it")).to_be_attached()
    item.get_by_role("link").click()
    expect(page.locator(".prose strong")).to_have_text("south-west")
    expect(page.locator(".prose td").last).to_have_text("SW")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "keeper.md"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/ui/$"))
    expect(item).to_have_count(0)
    expect(page.get_by_text("It is in the trash")).to_be_visible()


def test_results_come_while_one_types(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search")
    expect(page.get_by_text("What are you looking for?")).to_be_visible()
    page.keyboard.type("tide tab")
    expect(page.locator(".hit").first).to_contain_text("Reading a tide table")
    expect(page).to_have_url(re.compile(r"query=tide\+tab$"))
    page.get_by_role("link", name="Words").click()
    expect(page).to_have_url(re.compile("mode=keyword"))
    page.get_by_label("Search your library").fill("zzzqqq")
    expect(page.get_by_text("Nothing found for “zzzqqq”")).to_be_visible()
    expect(page).to_have_url(re.compile("query=zzzqqq&mode=keyword|mode=keyword&query=zzzqqq"))
    page.get_by_label("Search your library").fill('"unclosed (((')
    expect(page).to_have_url(re.compile("unclosed"))
    page.reload()
    expect(page.get_by_label("Search your library")).to_have_value('"unclosed (((')


def test_meaning_finds_what_words_do_not(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/search?query=ocean+chemistry&mode=semantic")
    expect(page.locator(".hit").first).to_contain_text("Why the sea is salt")


def test_the_theme_stays(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    bright = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_label("Switch between light and dark").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != bright
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate("document.cookie") == ""


SIZES = [(1280, 860), (390, 844), (360, 740)]
VIEWS = {"library": "/ui/", "search": "/ui/search?query=how+light+crosses+the+sea", "nothing": "/ui/nowhere"}


def test_every_view_fits_every_size_in_both_themes(open_page: Open, site: Site, pictures: Path) -> None:
    page = open_page()
    page.goto("/ui/")
    site.pages["/aurora"] = site.pages["/fresnel"]
    site.held.add("/aurora")
    try:
        drop(page, "keeper.md", LOG)
        add(page, *(site.url(name) for name in (*ARTICLES, "gone", "aurora")))
        for article in ARTICLES.values():
            expect(row(page, article[0])).to_have_attribute("data-phase", "ready", timeout=READY)
        expect(row(page, site.url("gone"))).to_have_attribute("data-phase", "failed", timeout=READY)
        expect(page.locator('[data-step="fetched"][data-state="running"]')).to_be_visible()
        for (width, height), dark in product(SIZES, (False, True)):
            window, theme = open_page(width, height, dark=dark), "dark" if dark else "light"
            for name, path in VIEWS.items():
                window.goto(path)
                window.screenshot(path=pictures / f"{name}-{width}-{theme}.png")
                assert fits(window), f"{name} is wider than {width} pixels"
            window.goto("/ui/search?query=the+sea&type=webpage")
            window.get_by_text("How to ask").click()
            window.keyboard.press("j")
            window.screenshot(path=pictures / f"filters-{width}-{theme}.png")
            assert fits(window), f"a search with filters is wider than {width} pixels"
            window.keyboard.press("?")
            window.screenshot(path=pictures / f"keys-{width}-{theme}.png")
            window.goto(page.url)
            window.screenshot(path=pictures / f"batch-{width}-{theme}.png")
            assert fits(window), f"the view of a batch is wider than {width} pixels"
            window.goto("/ui/search?query=fresnel")
            window.locator(".hit a").first.click()
            window.locator(".prose").wait_for()
            window.screenshot(path=pictures / f"reading-{width}-{theme}.png")
            assert fits(window), f"the reading view is wider than {width} pixels"
    finally:
        site.held.clear()
    window = open_page(signed_in=False)
    window.goto("/ui/login")
    window.screenshot(path=pictures / "login-1280.png")


def test_a_cold_load_is_small(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    sizes: int = page.evaluate("performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)")
    assert 0 < sizes <= 120 * 1024


def test_everything_has_a_name_and_a_place(open_page: Open) -> None:
    page = open_page()
    for path in ("/ui/", "/ui/search?query=light", "/ui/nowhere"):
        page.goto(path)
        assert page.evaluate(AUDIT) == [], path


def test_what_somebody_types_into_stays_while_the_page_changes_around_it(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    found = page.evaluate(
        """async () => {
            const { morph } = await import("/ui/static/morph.js");
            const made = (html) => Object.assign(document.createElement("div"), { innerHTML: html });
            const old = made('<p class="a">1</p> <section id="mine" class="a"><input id="field"></section>');
            document.body.append(old);
            const field = document.getElementById("field");
            field.focus();
            field.value = "typed";
            const seen = [];
            const mine = '<section id="mine" class="a"><b>x</b><input id="field"></section>';
            const first = `<section class="a">new</section> <p class="a">2</p> ${mine}`;
            for (const html of [first, `${mine} <p class="a">3</p>`]) {
                morph(old, made(html));
                const same = document.getElementById("field") === field && document.activeElement === field;
                seen.push(same && field.value === "typed" && old.innerHTML === html);
            }
            return seen;
        }"""
    )
    assert found == [True, True]


def test_an_answer_that_comes_late_does_not_undo_a_later_one(open_page: Open) -> None:
    page = open_page()
    page.goto("/ui/")
    shown = page.evaluate(
        """async () => {
            const { morph } = await import("/ui/static/morph.js");
            const { part } = await import("/ui/static/api.js");
            const list = document.createElement("p");
            const [first, second] = await Promise.all([part("/ui/"), part("/ui/")]);
            for (const [fresh, said] of [[first, "before"], [second, "after"]]) {
                fresh.append(Object.assign(document.createElement("p"), { textContent: said }));
            }
            for (const fresh of [second, first]) morph(list, fresh.lastElementChild);
            return list.textContent;
        }"""
    )
    assert shown == "after"
