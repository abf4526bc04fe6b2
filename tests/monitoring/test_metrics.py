"""`GET /metrics`, read by Prometheus's own parser."""

import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from service import queue
from service.monitoring.exposition import Family, written
from service.queue import figures
from service.queue.delivery import Again, Done
from service.settings import Settings
from service.tasks import INDEX, RECONCILE

Person = Callable[..., Awaitable[httpx.AsyncClient]]
PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


async def scraped(api: httpx.AsyncClient) -> dict[str, Metric]:
    answer = await api.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def values(family: Metric, suffix: str = "", **labels: str) -> list[float]:
    name = f"{family.name}{suffix}"
    return [s.value for s in family.samples if s.name == name and labels.items() <= s.labels.items()]


def labels_by_name() -> dict[str, set[str]]:
    """Return the labels of each figure, as the page tells them."""
    rows = re.findall(r"^\| `((?:pharos|process)_[a-z_]+)` \| ([a-z, ]*)\|", PAGE.read_text(), re.MULTILINE)
    return {name: set(re.findall("[a-z]+", labels)) for name, labels in rows}


def test_text_is_escaped_and_buckets_are_cumulative() -> None:
    odd = Family("odd", "gauge", "Text.")
    odd.add(1.5, name='a "b"\\\n')
    times = Family("times", "histogram", "Times.")
    times.distribution((0.1, 1.0), (2, 0, 1), 3.25, task="x")
    parsed = {f.name: f for f in text_string_to_metric_families(written([odd, times, Family("none", "gauge", "")]))}
    assert set(parsed) == {"odd", "times"}
    assert parsed["odd"].samples[0].labels == {"name": 'a "b"\\\n'}
    assert [(s.name, s.labels.get("le"), s.value) for s in parsed["times"].samples] == [
        ("times_bucket", "0.1", 2), ("times_bucket", "1", 2), ("times_bucket", "+Inf", 3),
        ("times_sum", None, 3.25), ("times_count", None, 3),
    ]  # fmt: skip


@pytest.mark.integration
async def test_all_that_the_page_explains_and_nothing_else(api: httpx.AsyncClient, everything: None) -> None:
    found = await scraped(api)
    explained = labels_by_name()
    shown = {f"{name}_total" if family.type == "counter" else name for name, family in found.items()}
    rare = {"pharos_backup_last_timestamp_seconds", "pharos_backup_last_size_bytes"}
    rare |= {"pharos_timetable_silence_seconds", "pharos_schedule_next_timestamp_seconds"}
    rare |= {"pharos_schedule_last_timestamp_seconds"} | {
        name for name in explained if name.startswith("pharos_worker_")
    }
    assert explained.keys() - rare <= shown <= explained.keys()
    for name, family in found.items():
        told = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert told == explained.get(name) or told == explained[f"{name}_total"], name


@pytest.mark.integration
async def test_names_follow_the_conventions(api: httpx.AsyncClient, everything: None) -> None:
    for name, family in (await scraped(api)).items():
        assert re.fullmatch(r"(pharos|process)_[a-z_]+", name), name
        assert family.documentation.endswith("."), name
        assert not re.search(r"_(ms|milliseconds|mb|percent)$", name), name
        assert family.type in ("counter", "gauge", "histogram")


@pytest.fixture
async def everything(api: httpx.AsyncClient) -> None:
    """One of everything that is counted."""
    resource = (await api.post("/resources", json={"title": "The lamp", "content": "It burns."})).json()
    await api.get(f"/resources/{resource['id']}")
    await api.get("/search", params={"query": "lamp", "mode": "keyword"})
    figures.count("urgent", "x", Done("x", "succeeded"), 0.1)
    await figures.tell()
    from service.cache.cache import cache

    await cache.flush()


@pytest.mark.integration
async def test_queues_tasks_and_what_processes_counted(api: httpx.AsyncClient) -> None:
    before = await scraped(api)
    id = str(uuid4())
    await queue.send([queue.Dispatch(INDEX, {"resource_id": id}, UUID(id)), queue.Dispatch(RECONCILE, {}, uuid4(), 60)])
    for outcome, seconds in ((Done("a", "succeeded"), 0.02), (Again(1, 0, "", b""), 2.0), (Done("a", "failed"), 4000)):
        figures.count("urgent", "a", outcome, seconds)
        await figures.tell()  # each as if by another process
    found = await scraped(api)
    tasks = found["pharos_queue_tasks"]
    assert values(tasks, queue="urgent", state="waiting") == [1]
    assert values(tasks, queue="batch", state="scheduled") == [1]
    assert sum(values(before["pharos_queue_tasks"])) == 0
    assert values(found["pharos_task_tries"], "_total", task="a", outcome="succeeded") == [1]
    assert values(found["pharos_task_retries"], "_total", task="a") == [1]
    assert values(found["pharos_task_failures"], "_total", task="a") == [1]
    times = found["pharos_task_duration_seconds"]
    assert values(times, "_count", task="a") == [3]
    assert values(times, "_sum", task="a") == [4002.02]
    assert values(times, "_bucket", task="a", le="0.032") == [1]
    assert values(times, "_bucket", task="a", le="2.048") == [2]
    assert values(times, "_bucket", task="a", le="2097.152") == [2]
    assert set(values(found["pharos_source_ok"])) == {1}


@pytest.mark.integration
async def test_a_name_may_be_any_text(api: httpx.AsyncClient) -> None:
    odd = 'a "task" \\ of\nmany | lines'
    figures.count("urgent", odd, Done(odd, "succeeded"), 0.1)
    await figures.tell()
    found = await scraped(api)
    assert values(found["pharos_task_tries"], "_total", task=odd, outcome="succeeded") == [1]
    assert values(found["pharos_task_duration_seconds"], "_count", task=odd) == [1]


@pytest.mark.integration
async def test_requests_are_counted_by_route_and_never_by_path(api: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await api.get(f"/resources/{uuid4()}")).status_code == 404
        assert (await api.get(f"/nowhere/{uuid4()}")).status_code == 404
    found = await scraped(api)
    answers = found["pharos_http_requests"]
    routes = {sample.labels["route"] for sample in answers.samples}
    assert {"/resources/{id}", "unknown"} <= routes
    assert not any(re.search("[0-9a-f]{8}-", route) for route in routes)
    of_one = {"method": "GET", "route": "/resources/{id}", "pid": str(os.getpid())}
    [count] = values(answers, "_total", **of_one, status="404")
    assert count >= 3
    assert values(found["pharos_http_request_duration_seconds"], "_count", **of_one)[0] >= 3


@pytest.mark.integration
async def test_a_token_that_may_only_read_figures(api: httpx.AsyncClient, person: Person) -> None:
    token = (await api.post("/auth/tokens", json={"name": "prometheus", "scopes": ["metrics"]})).json()["token"]
    alone = {"Authorization": f"Bearer {token}"}
    assert (await api.get("/metrics", headers=alone)).status_code == 200
    assert (await api.get("/resources", headers=alone)).status_code == 403
    assert (await (await person("editor")).get("/metrics")).status_code == 403
    assert (await api.get("/metrics", headers={"Authorization": ""})).status_code == 401


@pytest.mark.integration
async def test_without_redis_the_other_figures_are_told(
    api: httpx.AsyncClient, pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.queue.link.address", lambda: "redis://127.0.0.1:1/0")
    found = await scraped(api)
    assert values(found["pharos_source_ok"], source="queues") == [0]
    assert values(found["pharos_source_ok"], source="outbox") == [1]
    assert "pharos_queue_tasks" not in found
    assert "pharos_outbox_events" in found
    assert values(found["pharos_ready"]) == [0]


def expressions() -> list[str]:
    """What dashboards and alert rules ask for."""
    folder = PAGE.parents[1] / "deploy" / "monitoring"
    boards = [json.loads(file.read_text()) for file in (folder / "dashboards").glob("*.json")]
    panels = [target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]]
    rules = re.findall(r"^ +expr:( >-\n(?: {10}.*\n)+| .*\n)", (folder / "alerts.yaml").read_text(), re.MULTILINE)
    return panels + rules


def test_dashboards_and_alert_rules_ask_for_what_there_is() -> None:
    known, asked = labels_by_name(), expressions()
    assert len(asked) == 8 + (PAGE.parents[1] / "deploy" / "monitoring" / "alerts.yaml").read_text().count("- alert:")
    for expression in asked:
        names = {name.removesuffix("_bucket") for name in re.findall(r"\b(?:pharos|process)_[a-z_]+\b", expression)}
        assert names <= known.keys(), expression
        assert names or "up{" in expression, expression
        grouped = re.findall(r"(?:by|ignoring|on) \(([a-z, ]+)\)", expression)
        named = {label for group in grouped for label in re.findall("[a-z]+", group)}
        named |= set(re.findall(r"[{,]\s*([a-z]+)\s*[=!]", expression))
        there = {"le", "instance", "job"}.union(*(known[name] for name in names))  # the last two are Prometheus's own
        assert named <= there, expression
