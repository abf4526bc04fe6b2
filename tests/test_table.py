"""THE TABLE and the registry of events, held against the code."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from service import catalogue
from service.app import create_app
from service.events import Event, SystemEvent
from service.hooks import HOOKS, TABLE
from service.live.socket import Sockets
from service.queue.task import Task
from service.tasks import QUEUES, TASKS
from service.web import Endpoint

ROOT = Path(__file__).parent.parent
SOURCES = [path for top in ("service", "workers") for path in (ROOT / top).rglob("*.py")]


@cache
def called() -> set[str]:
    """Return every name that is called somewhere."""
    return {
        node.func.id
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_every_name_has_one_payload() -> None:
    assert set(Event.registry) == set(SystemEvent)


@pytest.mark.parametrize("name", sorted(SystemEvent))
def test_an_event_that_nobody_emits_is_not_in_the_registry(name: str) -> None:
    assert Event.registry[name].__name__ in called()


def test_every_task_of_the_table_is_declared_once() -> None:
    assert {row.run for row in HOOKS if isinstance(row.run, Task)} <= set(TASKS)
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert {task.queue for task in TASKS} <= set(QUEUES)


def test_every_task_has_an_actor_and_every_actor_a_task() -> None:
    """In a process of its own: what is declared there stays there."""
    program = "import workers; workers.load(); print(*workers.broker_of_process().actors)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {task.name for task in TASKS}


def test_queues_have_the_priorities_of_the_contract() -> None:
    assert {queue.name: queue.priority for queue in QUEUES} == {
        "urgent": 9, "high_priority": 7, "default": 5, "ml_tasks": 5, "documents": 5, "indexing": 5, "quizzes": 5,
        "batch": 3,
    }  # fmt: skip


def test_what_waits_longer_than_at_all_has_a_bound() -> None:
    """A delay that absorbs would starve under a steady stream, were there no `at_most`."""
    assert [row for row in TABLE.rows if row.after > 0 and row.at_most < row.after] == []


def test_every_route_declares_who_may_use_it() -> None:
    routes = [route for route in create_app().routes if not isinstance(route, Mount | WebSocketRoute)]
    undeclared = [route for route in routes if not (isinstance(route, Route) and isinstance(route.endpoint, Endpoint))]
    assert undeclared == []
    sockets = [route.endpoint for route in create_app().routes if isinstance(route, WebSocketRoute)]
    assert [(type(endpoint), endpoint.scope) for endpoint in sockets] == [(Sockets, "read")]


def test_open_routes_are_these_and_no_others() -> None:
    opened = {
        route.path
        for route in create_app().routes
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint) and route.endpoint.scope == "public"
    }
    api = {"/", "/health", "/ready", "/openapi.json", "/docs"}
    api |= {"/auth/login", "/auth/link", "/auth/logout", "/auth/register"}
    api |= {"/public/collections/{id}", "/collections/{id}/feed", "/public/feeds/{secret}"}
    pages = {
        "/ui",
        "/ui/login",
        "/ui/join",
        "/ui/logout",
        "/ui/manifest.webmanifest",
        "/ui/public/collections/{id}",
        "/ui/public/digest/confirm",
        "/ui/public/digest/unsubscribe",
        "/ui/{path:path}",
    }  # the last answers 404 to everything
    assert opened == api | pages


def test_the_page_about_events_is_up_to_date() -> None:
    assert (ROOT / "docs" / "events.md").read_text() == catalogue.page(), "run `make docs`"


def test_the_page_about_events_tells_of_each_who_emits_it_and_what_it_starts() -> None:
    rows = {}
    for line in catalogue.page().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and "." in cells[0]:
            rows[cells[0].strip("`")] = cells[1:]
    assert set(rows) == set(SystemEvent)
    assert all(emitters and when.endswith(".") for *_, emitters, _, when in rows.values())
    version, priority, data, emitters, starts, when = rows["resource.content_changed"]
    assert (version, priority, emitters) == ("1", "high", "resources")
    assert data == "`resource_id` id, `changed_fields` text[], `user_id` id or null"
    assert "`regenerate_embedding` after 5 s" in starts
    assert when == "The text of a resource changed; a new resource's first text counts."
    assert "| `classification.completed` | `resource.classified` |" in catalogue.page()
