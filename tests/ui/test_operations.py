"""The operations page: who sees it, who may act, what it shows, what is on record."""

import re
import shutil
from collections import namedtuple
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import httpx
import pytest

from schedules import TIMETABLE
from service.database import transaction
from service.hooks import HOOKS
from service.queue.dead_letters import Failed, bury
from service.queue.reasons import Reason
from service.queue.tables import DeadLetter
from service.queue.task import Task
from service.search import executed
from service.security.audit import OPERATIONS
from service.tasks import PERIODIC, QUEUES, TASKS
from service.ui import flow_picture
from service.ui.plots import Line, brief, nice, plot, seconds
from tests.monitoring.test_tasks import account_of, asked

Person = Callable[..., Awaitable[httpx.AsyncClient]]

PARTS = ["", "/tasks", "/dead-letters", "/schedules", "/events", "/flow", "/log"]
FORM = "/ui/operations/tasks?name=&status=&queue=&resource=&correlation_id="


async def letter(name: str = "generate_quiz", error: str = "<b>no good</b>") -> DeadLetter:
    """Put a task to the dead letters."""
    from sqlalchemy import select

    task_id = str(uuid4())
    try:
        raise ValueError(error)
    except ValueError as raised:
        await bury(Failed(task_id, name, "quizzes", {"quiz_id": str(uuid4())}, 3), raised, Reason.EXHAUSTED)
    async with transaction() as session:
        return (await session.scalars(select(DeadLetter).where(DeadLetter.task_id == task_id))).one()


@pytest.mark.integration
@pytest.mark.parametrize("part", PARTS)
async def test_an_operator_sees_all_of_it_without_actions(api: httpx.AsyncClient, person: Person, part: str) -> None:
    await letter()
    olga, editor = await person("olga", "operator"), await person("edda")
    await asked(await account_of("edda"))
    path = f"/ui/operations{part}"
    admins, hers = await api.get(path), await olga.get(path)
    assert (admins.status_code, hers.status_code) == (200, 200)
    assert (await editor.get(path)).status_code == 403
    assert "data-do" not in hers.text
    assert "You may look" in hers.text
    assert "You may look" not in admins.text
    if part in ("", "/tasks", "/dead-letters"):
        assert "data-do" in admins.text


@pytest.mark.integration
async def test_what_ready_says_stands_on_the_page_in_the_same_words(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1000, 950, 50))
    checks = (await api.get("/ready")).json()["checks"]
    page = (await api.get("/ui/operations")).text
    shown = dict(
        re.findall(r'<li class="need-[a-z]+"><strong>(\w+)</strong> [a-z ]+(?:<span>(.*?)</span>)?</li>', page)
    )
    assert {name: unescape(words) for name, words in shown.items()} == {
        name: check.get("error") or check.get("warning") or "" for name, check in checks.items()
    }
    assert "95 % full" in shown["disk"]
    assert 'class="need-look"><strong>disk</strong> look at it' in page
    assert 'class="need-trouble"><strong>workers</strong> trouble' in page  # none runs here
    assert 'class="need-ok"><strong>database</strong> fine' in page


@pytest.mark.integration
async def test_only_who_may_see_it_is_led_to_it(api: httpx.AsyncClient, person: Person) -> None:
    editor = await person("edda")
    assert 'href="/ui/operations"' in (await api.get("/ui/")).text
    assert 'href="/ui/operations"' not in (await editor.get("/ui/")).text


@pytest.mark.integration
async def test_filters_stand_in_the_address(api: httpx.AsyncClient, person: Person) -> None:
    await person("mira")
    task_id = str(await asked(await account_of("mira")))
    for where in (FORM, "/ui/operations/tasks?name=ingest_resource&status=queued&queue=documents"):
        assert task_id in (await api.get(where)).text
    for where in ("name=embed_categories", "status=failed", "queue=batch", f"resource={uuid4()}"):
        assert task_id not in (await api.get(f"/ui/operations/tasks?{where}")).text
    assert (await api.get("/ui/operations/tasks?resource=seven")).status_code == 422
    assert (await api.get(f"/ui/operations/tasks/{uuid4()}")).status_code == 404
    page = (await api.get(f"/ui/operations/tasks/{task_id}")).text
    assert f"/tasks/{task_id}/cancel" in page
    assert "resource_id" in page


@pytest.mark.integration
async def test_a_dead_letter_is_read_with_its_traceback_and_nothing_in_it_is_markup(api: httpx.AsyncClient) -> None:
    one = await letter()
    page = (await api.get(f"/ui/operations/dead-letters/{one.id}")).text
    assert "Traceback (most recent call last)" in page
    assert "<b>no good</b>" not in page
    listed = (await api.get("/ui/operations/dead-letters?name=generate_quiz&q=good")).text
    assert "Retry the one that matches" in listed
    assert "{&#34;name&#34;: &#34;generate_quiz&#34;, &#34;q&#34;: &#34;good&#34;}" in listed
    assert str(one.id) not in (await api.get("/ui/operations/dead-letters?queue=batch")).text


@pytest.mark.integration
async def test_what_operators_do_is_on_record(api: httpx.AsyncClient, person: Person) -> None:
    mira, olga = await person("mira"), await person("olga", "operator")
    task_id = await asked(await account_of("mira"))
    first, second, _ = [await letter() for _ in range(3)]
    for path, status in (
        ("/queues/batch/pause", 204),
        ("/queues/batch/resume", 204),
        ("/queues/nowhere/pause", 404),
        (f"/tasks/{task_id}/cancel", 200),
        ("/schedules/reconcile_derived_data/run", 202),
        ("/schedules/nothing/run", 404),
        (f"/dlq/{first.id}/retry", 202),
        (f"/dlq/{uuid4()}/retry", 404),
    ):
        answer = await api.post(path)
        assert answer.status_code == status, (path, answer.text)
    assert (await api.post("/dlq/retry", json={"ids": [str(second.id)]})).json()["retried"] == 1
    assert (await api.post("/dlq/discard", json={"name": "generate_quiz"})).json() == {"discarded": 1}
    assert (await api.post("/dlq/discard", json={"all": True})).json() == {"discarded": 0}
    for path in ("/queues/batch/pause", "/schedules/reconcile_derived_data/run"):
        assert [(await client.post(path)).status_code for client in (mira, olga)] == [403, 403]
    entries = (await api.get("/audit")).json()["items"]
    done = [entry["action"] for entry in entries if entry["action"] in OPERATIONS][::-1]
    assert done == [
        "queue_paused", "queue_resumed", "task_cancelled", "schedule_run", "letters_retried", "letters_retried",
        "letters_discarded",
    ]  # fmt: skip
    page = (await olga.get("/ui/operations/log")).text
    rows = re.findall(r'data-label="What">([^<]+)<', page)
    assert rows[0] == "discarded dead letters"
    assert len(rows) == len(done)
    assert (await olga.get("/audit")).status_code == 403


@pytest.mark.integration
async def test_a_schedule_that_somebody_runs_is_a_task_of_theirs(api: httpx.AsyncClient) -> None:
    answer = await api.post("/schedules/clean_files/run")
    task = (await api.get(answer.headers["location"])).json()
    assert (task["name"], task["status"]) == ("clean_files", "queued")
    assert task["task_id"] == answer.json()["task_id"]


@pytest.mark.integration
async def test_what_one_account_alone_searches_for_is_not_shown_to_others(
    api: httpx.AsyncClient, person: Person
) -> None:
    mira, nora, olga = await person("mira"), await person("nora"), await person("olga", "operator")
    for client, words in ((mira, "my own illness"), (mira, "lamps"), (nora, "Lamps "), (olga, "harbour")):
        assert (await client.get("/search", params={"query": words})).status_code == 200
    await executed.flush()

    async def page() -> str:
        return (await olga.get("/ui/operations")).text

    from tests.queue.conftest import until

    async def told() -> bool:
        return "4, half of them" in await page()

    await until(told)
    shown = await page()
    assert ">lamps</th>" in shown
    assert ">harbour</th>" in shown
    assert "illness" not in shown


@pytest.mark.integration
async def test_the_chain_of_a_request_leaves_out_what_is_private_to_others(
    api: httpx.AsyncClient, person: Person
) -> None:
    mira = await person("mira")
    for client, correlation, private in ((mira, "hidden", True), (mira, "open", False)):
        made = {"title": "The title", "content": "Light.", "private": private}
        await client.post("/resources", json=made, headers={"X-Correlation-ID": correlation})

    from tests.queue.conftest import until

    async def logged() -> bool:
        return "resource.created" in (await api.get("/ui/operations/events?correlation_id=open")).text

    await until(logged)
    shown = (await api.get("/ui/operations/events?correlation_id=open")).text
    assert "update_search_index" in shown

    async def left_out() -> bool:
        return "something private" in (await api.get("/ui/operations/events?correlation_id=hidden")).text

    await until(left_out)
    assert "The title" not in (await api.get("/ui/operations/events?correlation_id=hidden")).text


def test_every_line_of_the_timetable_can_be_run() -> None:
    assert {task for _, task in TIMETABLE} == set(PERIODIC)


def test_the_picture_is_the_table() -> None:
    started = flow_picture.started({"resource.created": 3}, {"update_search_index": {"succeeded": 2, "failed": 1}})
    assert {one.task for one in started} == set(TASKS)
    assert sum(len(one.arrows) for one in started) == len([row for row in HOOKS if isinstance(row.run, Task)])
    [index] = [one for one in started if one.task.name == "update_search_index"]
    assert (index.ended, index.failed) == (3, 1)
    svg = flow_picture.picture(started, "A picture")
    for name in (*(task.name for task in TASKS), *(queue.name for queue in QUEUES), "resource.created"):
        assert f">{name}" in svg
    listed = flow_picture.by_queue(started)
    assert sum(len(tasks) for _, tasks in listed) == len(TASKS)
    handlers = [row for row in HOOKS if not isinstance(row.run, Task)]
    assert sum(len(names) for _, names in flow_picture.at_once()) == len(handlers)


def test_a_plot_leaves_gaps_and_escapes_what_it_says() -> None:
    moments = [datetime(2026, 3, 1, 12, minute, tzinfo=UTC) for minute in range(5)]
    svg = plot("<Depth>", moments, [Line("a&b", 0, [1, 2, None, 4, None])], brief)
    assert "&lt;Depth&gt;: a&amp;b 4" in svg
    [path] = re.findall(r'class="line c0" d="([^"]*)"', svg)
    assert (path.count("M"), path.count("L")) == (2, 1)
    assert "12:02 UTC</title>" in svg


@pytest.mark.parametrize(("most", "top"), [(0, 1), (0.3, 0.5), (1, 1), (1.1, 2), (30, 50), (999, 1000), (7000, 10_000)])
def test_scales_end_at_round_numbers(most: float, top: float) -> None:
    assert nice(most) == pytest.approx(top)


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (0.5, "0.5"), (12, "12"), (3400, "3.4k"), (2_000_000, "2M"), (1000, "1k")]
)
def test_numbers_are_brief(value: float, words: str) -> None:
    assert brief(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.008, "8 ms"), (1.25, "1.2 s"), (60, "60 s"), (180, "3 min"), (7200, "2 h"), (864_000, "10 days")],
)
def test_times_are_in_a_unit_to_be_read(value: float, words: str) -> None:
    assert seconds(value) == words
