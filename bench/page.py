"""The page in a real browser: a cold load, results while somebody types beside 50,000 resources, a long list.

Needs Chromium, and Playwright of the test packages (`make venv-test`). Sizes: PAGE_RESOURCES, PAGE_LOADS, PAGE_QUERIES.
"""

import os
import random
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from bench import cranfield
from bench.report import Report, WorkNotDone, percentile
from bench.search import made_up
from bench.servers import OURS, web_process
from service.database import transaction
from service.security.login_links import create_login_link

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

RESOURCES = int(os.environ.get("PAGE_RESOURCES", "50000"))
LOADS = int(os.environ.get("PAGE_LOADS", "10"))
QUERIES = int(os.environ.get("PAGE_QUERIES", "40"))
ROWS = 2000
KEY = 110  # ms between two keys: a hundred words a minute
LATEST = 0.8  # of all keys that must be answered before the next one, else nothing is told by the answered ones
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# A key is answered when the page shows the results for what stands in the field: their address says so.
WATCH_KEYS = """() => {
    const field = document.getElementById('query');
    window.keys = { pressed: 0, took: [] };
    let began = 0;
    field.addEventListener('input', () => { keys.pressed += 1; began = performance.now(); });
    const look = () => {
        const shown = new URLSearchParams(location.search).get('query') ?? '';
        if (began && shown === field.value.trim()) { keys.took.push(performance.now() - began); began = 0; }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
LENGTHEN = """(rows) => {
    const list = document.getElementById('items');
    const some = [...list.children];
    while (list.children.length < rows) list.append(some[list.children.length % some.length].cloneNode(true));
    return list.children.length;
}"""
SCROLL = """() => new Promise((done) => {
    const frames = [];
    let last = 0;
    const step = (now) => {
        if (last) frames.push(now - last);
        last = now;
        scrollBy({ top: 120, behavior: 'instant' });
        if (frames.length < 600) requestAnimationFrame(step);
        else done(frames);
    };
    requestAnimationFrame(step);
})"""


def run() -> Report:
    """Fill a library, and have a browser load, type and scroll."""
    return cranfield.with_model(_measure)


async def _measure(collection: cranfield.Collection) -> Report:
    from playwright.async_api import async_playwright

    report = Report(
        "page",
        "The page in Chromium",
        f"{RESOURCES:,} resources. {LOADS} loads, each in a new profile without a cache; {QUERIES} queries, a key "
        f"every {KEY} ms, each timed to the frame that shows its results; {ROWS:,} rows, scrolled through at 120 "
        "pixels a frame. The browser without a graphics card, the web process and its servers are on the same machine.",
    )
    dice = random.Random(7)
    async with made_up(collection, dice) as library:
        await library.grow(RESOURCES)
        async with transaction() as session:
            await session.execute(text("TRUNCATE outbox"))  # nothing is to run beside the browser
        code = await create_login_link("bench")
    words = sorted({word for text in collection.texts.values() for word in text["title"].split() if word.isalpha()})
    queries = [" ".join(dice.sample(words, 2)) for _ in range(QUERIES)]
    environment = {**os.environ, "PHAROS_RATE_LIMITS": "false"}
    with web_process(Path(sys.executable), OURS, environment, "/health", factory=True) as web:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=next(filter(None, map(shutil.which, CHROMIUM)), None),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            address = f"http://127.0.0.1:{web.port}"
            cookies = await _sign_in(browser, f"{address}/ui/login?code={code}")
            for path in ("/ui/", "/ui/search"):
                await _load(report, browser, cookies, address, path)
            page = await (await _context(browser, cookies)).new_page()
            await _type(report, page, f"{address}/ui/search", queries)
            await _scroll(report, page, f"{address}/ui/")
            await browser.close()
    return report


async def _context(browser: "Browser", cookies: list[Any]) -> "BrowserContext":
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    await context.add_cookies(cookies)
    return context


async def _sign_in(browser: "Browser", link: str) -> list[Any]:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/ui/")
    cookies = await context.cookies()
    await context.close()
    return cookies


async def _load(report: Report, browser: "Browser", cookies: list[Any], address: str, path: str) -> None:
    painted, transferred = [], []
    for _ in range(LOADS):
        context = await _context(browser, cookies)
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        await page.goto(address + path, wait_until="networkidle")
        [paint] = await page.evaluate(
            "performance.getEntriesByName('first-contentful-paint').map(({ startTime }) => startTime)"
        )
        painted.append(paint)
        transferred.append(sum(sizes) / 1000)
        await context.close()
    report.check(f"{path}: loads", len(painted), LOADS)
    shown = report.figure(f"{path}: first contentful paint", "cold", "ms", painted)
    sent = report.figure(f"{path}: transferred", "cold", "KB", transferred)
    report.mark(f"first contentful paint of {path}", shown.median, "at most", 300, "ms")
    report.mark(f"transferred for {path}", sent.median, "at most", 120, "KB")


async def _type(report: Report, page: "Page", address: str, queries: list[str]) -> None:
    await page.goto(address)
    await page.evaluate(WATCH_KEYS)
    field = page.locator("#query")
    for query in queries:
        await field.fill("")
        for key in query:
            await field.press(key)
            await page.wait_for_timeout(KEY)
        await page.wait_for_timeout(2 * KEY)
    seen = await page.evaluate("window.keys")
    pressed, took = seen["pressed"], seen["took"]
    if len(took) < LATEST * pressed:
        raise WorkNotDone(f"only {len(took)} of {pressed} keys were answered before the next one")
    report.checks["keys answered before the next one, and keys"] = [len(took), pressed]
    for percent in (50, 95):
        report.figure("from a key to its results", f"p{percent}", "ms", [percentile(took, percent)])
    report.mark(f"from a key to its results beside {RESOURCES:,}, p95", percentile(took, 95), "at most", 120, "ms")


async def _scroll(report: Report, page: "Page", address: str) -> None:
    await page.goto(address)
    report.check("rows", await page.evaluate(LENGTHEN, ROWS), ROWS)
    frames: list[float] = await page.evaluate(SCROLL)
    report.figure("a frame while scrolling", "median", "ms", [percentile(frames, 50)])
    report.figure("a frame while scrolling", "p99", "ms", [percentile(frames, 99)])
    report.mark("frames a second while scrolling", 1000 * len(frames) / sum(frames), "at least", 59, "1/s")
