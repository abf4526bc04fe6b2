"""Pages while much goes on: an import of 1,000 files, and what operators see of a thousand tasks a minute.

PHAROS_TEST_PICTURES=<folder> python -m pytest -m performance tests/e2e/test_watching.py
"""

import json
import re
import threading
import time
from itertools import count, product
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.test_page import fits
from tests.installation import Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.performance, pytest.mark.timeout(1800)]

FILES = 1000
KEYS = 200
PAUSE = 100  # ms between two keys: somebody who types
TASKS = 1000  # in a minute or so: what so many new texts ask for
TEXT_EVERY = 0.4  # seconds
# Frames, and keys from the press to the next frame that is painted, are counted by the browser itself.
WATCH = """() => {
    window.watched = { frames: [], long: [], keys: [] };
    let last = performance.now();
    const frame = (now) => { watched.frames.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    const keep = (into) => (list) => list.getEntries().forEach((entry) => into.push(entry.duration));
    new PerformanceObserver(keep(watched.long)).observe({ type: 'longtask' });
    new PerformanceObserver((list) => list.getEntries()
        .filter((entry) => entry.name === 'keydown').forEach((entry) => watched.keys.push(entry.duration)),
    ).observe({ type: 'event', durationThreshold: 16 });
}"""


def at(values: list[float], share: float) -> float:
    """Return a quantile, 0 of nothing: the browser reports no key that took less than a frame."""
    return sorted(values)[int(len(values) * share)] if values else 0.0


def test_the_page_that_watches_a_thousand_files_answers(
    open_page: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = open_page()
    page.goto("/ui/")
    page.evaluate(WATCH)
    files = [tmp_path / f"watch-{number}.md" for number in range(FILES)]
    for number, file in enumerate(files):
        file.write_text(f"# Watch {number}\n\nBell {number} rang at buoy {number * 7} in the fog.")
    page.get_by_label("Choose files").set_input_files(files)
    expect(page).to_have_url(re.compile(r"/ui/\?batch="), timeout=120_000)
    box = page.get_by_label("Links to add")
    done = page.locator('#batch-counts [data-count="done"] dd')
    box.focus()
    during = []
    for number in range(KEYS):
        page.keyboard.press("Backspace" if number % 2 else "b")
        page.wait_for_timeout(PAUSE)
        during.append(int(done.inner_text().replace(",", "")))
    seen = page.evaluate("window.watched")
    assert 0 <= during[0] < during[-1] < FILES, "the import must go on while it is watched"
    expect(done).to_have_text(re.compile("^1,?000$"), timeout=1_200_000)
    figures = {
        "files done while keys were pressed": during[-1] - during[0],
        "keys": KEYS,
        "keys slower than a frame": len(seen["keys"]),
        "slowest key, ms": at(seen["keys"], 0.999),
        "frame p50 / p95 / p99 / max, ms": [round(at(seen["frames"], q), 1) for q in (0.5, 0.95, 0.99, 0.9999)],
        "tasks of over 50 ms": len(seen["long"]),
        "longest task, ms": max(seen["long"], default=0),
    }
    with capsys.disabled():
        print(json.dumps(figures, indent=1))


def test_the_operations_page_under_a_thousand_tasks_a_minute(
    open_page: Open, installation: Installation, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()

    def add() -> None:
        for number in count():
            text = {"title": f"Tide {number}", "content": f"On day {number} the tide rose {number * 3} spans. " * 20}
            installation.call("POST", "/resources", text)
            if stop.wait(TEXT_EVERY):
                return

    def ended() -> int:
        return sum(one["processed"] for one in installation.call("GET", "/workers/status")[1]["workers"])

    adding = threading.Thread(target=add)
    adding.start()
    try:
        before, began = ended(), time.monotonic()
        assert until(lambda: ended() >= before + TASKS, 300)
        rate = round((ended() - before) / (time.monotonic() - began) * 60)
        for width, dark in product((1280, 390), (False, True)):
            page = open_page(width, 900, dark=dark)
            for part in ("", "/tasks", "/events", "/flow"):
                page.goto(f"/ui/operations{part}")
                expect(page.get_by_role("heading", level=1, name="Operations")).to_be_visible()
                assert fits(page), part
                name = f"busy-{part.removeprefix('/') or 'overview'}-{width}-{'dark' if dark else 'light'}.png"
                page.screenshot(path=pictures / name, full_page=True)
    finally:
        stop.set()
        adding.join()
    assert installation.call("GET", "/dlq")[1]["total"] == 0
    with capsys.disabled():
        print(json.dumps({"tasks a minute while it was looked at": rate}))
