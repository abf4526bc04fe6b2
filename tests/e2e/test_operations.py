"""The operations page in a real browser: retry, discard, cancel, pause, filter; live, for everybody, at 390 px."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.site import Site
from tests.e2e.test_page import AUDIT, fits
from tests.installation import ROOT, Installation, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PARTS = ["", "/tasks", "/dead-letters", "/schedules", "/events", "/flow", "/log"]
SEND = """
import asyncio, sys
from uuid import uuid4
from service import queue
from service.tasks import LABEL
async def main():
    async with queue.connected():
        await queue.send([queue.Dispatch(LABEL, {"resource_id": sys.argv[1]}, uuid4())])
asyncio.run(main())
"""


def letters(installation: Installation) -> int:
    return installation.call("GET", "/dlq?name=update_search_labels")[1]["total"]


def fail(installation: Installation, count: int) -> None:
    """Have tasks fail for good, and wait until they have."""
    before = letters(installation)
    for number in range(count):
        environment = {**os.environ, "PHAROS_BROKER_URL": installation.broker_url(), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", SEND, f"no id {before + number}"], env=environment, check=True)
    assert until(lambda: letters(installation) == before + count)


def test_dead_letters_are_read_sent_again_and_discarded(
    open_page: Open, installation: Installation, pictures: Path
) -> None:
    installation.call("POST", "/dlq/discard", {"all": True})
    fail(installation, 4)
    page = open_page()
    page.goto("/ui/operations")
    expect(page.locator("#queue-indexing")).to_contain_text("4")
    page.get_by_role("link", name="4", exact=True).click()
    expect(page).to_have_url("**/ui/operations/dead-letters?queue=indexing".replace("**", page.url.split("/ui/")[0]))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    rows.first.get_by_role("link").click()
    expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("heading", name="Dead letters")).to_be_attached()
    assert until(lambda: letters(installation) == 4)  # it failed again

    page.goto("/ui/operations/dead-letters")
    expect(page.get_by_role("button", name="Retry selected")).to_be_disabled()
    page.get_by_label("Select update_search_labels").nth(0).check()
    page.get_by_label("Select update_search_labels").nth(1).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Retry selected").click()
    expect(page.get_by_text("2 sent again").first).to_be_visible()
    assert until(lambda: letters(installation) == 4)

    page.goto("/ui/operations/dead-letters")
    page.get_by_label("In error or arguments").fill("no id 0")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Discard the one that matches").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Discard the one that matches").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(rows).to_have_count(0)
    page.get_by_role("link", name="Clear").click()
    expect(rows).to_have_count(3)
    page.screenshot(path=pictures / "operations-dead-letters.png", full_page=True)
    page.get_by_role("button", name="Discard all 3 that match").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("No dead letters.")).to_be_visible()
    page.get_by_role("link", name="Action log").click()
    expect(page.locator("tbody tr").first).to_contain_text("discarded dead letters")


def test_a_queue_is_paused_and_what_waits_in_it_is_found_and_cancelled(
    open_page: Open, installation: Installation, site: Site, pictures: Path
) -> None:
    page = open_page()
    page.goto("/ui/operations")
    page.get_by_role("button", name="Pause documents").press("Enter")
    expect(page.get_by_role("button", name="Resume documents")).to_be_visible()
    try:
        status, asked = installation.call("POST", "/ingest", {"url": site.url("nowhere-and-cancelled")})
        assert status == 202
        queue = page.locator("#queue-documents")
        expect(queue).to_contain_text("paused")
        expect(queue.locator("[data-label=Waiting]")).not_to_have_text("0")  # without a reload
        queue.get_by_role("link", name="documents").click()
        page.get_by_label("State").select_option("queued")
        page.get_by_label("Name").select_option("ingest_resource")
        page.get_by_role("button", name="Show").click()
        expect(page).to_have_url(
            page.url.split("/ui/")[0]
            + "/ui/operations/tasks?name=ingest_resource&status=queued&queue=documents&resource=&correlation_id="
        )
        one = page.locator(f"#task-{asked['task_id']}")
        expect(one).to_contain_text("queued")
        page.screenshot(path=pictures / "operations-tasks.png", full_page=True)
        one.get_by_role("button", name="Cancel ingest_resource").click()
        expect(one).to_have_count(0)
        assert installation.call("GET", f"/tasks/{asked['task_id']}")[1]["status"] == "cancelled"
        page.goto(f"/ui/operations/tasks?resource={asked['id']}")
        expect(one).to_contain_text("cancelled")
        one.get_by_role("link").click()
        expect(page.get_by_text(asked["id"])).to_be_visible()  # what it was given
        page.get_by_role("link", name="What led to it").click()
        expect(page.locator(".chain-event", has_text="ingestion.started")).to_contain_text("ingest_resource")
        page.screenshot(path=pictures / "operations-chain.png", full_page=True)
    finally:
        installation.call("POST", "/queues/documents/resume")
    page.goto("/ui/operations")
    expect(page.get_by_role("button", name="Pause documents")).to_be_visible()


def test_events_come_by_themselves_over_the_one_stream(open_page: Open, installation: Installation) -> None:
    page = open_page()
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/events/stream" in request.url else None)
    page.goto("/ui/operations/events?name=resource.created")
    installation.add("A lamp that operators see")
    expect(page.locator("tbody tr").first).to_contain_text("A lamp that operators see")
    assert len(opened) == 1


def test_a_schedule_is_run_now(open_page: Open, installation: Installation) -> None:
    page = open_page()
    page.goto("/ui/operations/schedules")
    page.get_by_role("button", name="Run watch_task_patterns now").click()
    expect(page.get_by_text("Done.").first).to_be_visible()
    page.get_by_role("link", name="watch_task_patterns").click()
    expect(page.locator("tbody tr", has_text="watch_task_patterns").first).to_contain_text("succeeded")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_part_fits_and_can_be_used_by_everybody(
    open_page: Open, installation: Installation, pictures: Path, dark: bool, width: int
) -> None:
    page = open_page(width, 844, dark=dark)
    for part in PARTS:
        page.goto(f"/ui/operations{part}")
        expect(page.get_by_role("heading", level=1, name="Operations")).to_be_visible()
        assert fits(page), part
        assert page.evaluate(AUDIT) == [], part
        violations = Axe().run(page).response["violations"]
        assert [(part, one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
        name = part.removeprefix("/") or "overview"
        page.screenshot(path=pictures / f"operations-{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    assert page.locator(".flow-wide").is_visible() is False or width > 900
