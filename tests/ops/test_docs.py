"""What the pages name is there: files, headings, targets of make, commands, settings, tasks, addresses, figures."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from schedules import TIMETABLE
from service.app import create_app
from service.cli.commands import app
from service.hooks import HOOKS
from service.settings import Settings
from service.tasks import TASKS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(page: Path) -> str:
    """Return what stands in blocks and spans of code, a line for each."""
    text = page.read_text()
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*blocks, *spans])


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("name", NAMES)
def test_commands_exist(name: str) -> None:
    text = code(ROOT / name)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|[ =])make ([a-z][a-z-]*)", text, re.MULTILINE)) <= targets
    known = set(get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue] -- it is a group
    assert set(re.findall(r"^(?:\.venv/bin/)?pharos ([a-z]+)", text, re.MULTILINE)) <= known
    for module in re.findall(r"python -m ((?:service|workers|schedules|bench|tests)[\w.]*)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("name", NAMES)
def test_settings_exist(name: str) -> None:
    elsewhere = {"PHAROS_TEST_DATABASE_URL", "PHAROS_TEST_BROKER_URL", "PHAROS_SERVER", "PHAROS_TOKEN"}
    compose = re.findall(r"PHAROS_[A-Z_]+", (ROOT / "compose.yaml").read_text())
    workers = re.findall(r"PHAROS_[A-Z_]+", (ROOT / "deploy" / "compose.workers.yaml").read_text())
    ours = {f"PHAROS_{field}".upper() for field in Settings.model_fields} | elsewhere | {*compose, *workers}
    assert {one for one in re.findall(r"PHAROS_[A-Z_]*[A-Z]", code(ROOT / name)) if one not in ours} == set()


def test_every_page_is_led_to() -> None:
    led = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    }
    assert [name for name in NAMES if (ROOT / name).resolve() not in led] == ["README.md"]


def test_addresses_of_troubleshooting_exist() -> None:
    paths = {getattr(route, "path", "") for route in create_app().routes}
    patterns = [re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$") for path in paths if path]
    asked = re.findall(r"\$PHAROS(/[^\s\"|`?]+)|`(/ui/operations[^`?]*)|`[A-Z]+ (/[^`?]+)`",
        (ROOT / "docs" / "troubleshooting.md").read_text())  # fmt: skip
    found = {"".join(one) for one in asked}
    assert len(found) > 15
    assert {path for path in found if not any(pattern.match(path) for pattern in patterns)} == set()


def test_replaced_tasks_are_what_the_page_says() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text()
    rows = re.findall(r"^\|(?: `\w+`)? \| `(\w+)_task` \| `(\w+)` \| (\w+) \| (?:`(\w+)` )?\| (.+) \|$", page, re.M)
    assert len(rows) == 18
    tasks = {task.name: task for task in TASKS}
    for old, name, queue, key, starts in rows:
        assert (old, queue, key or None) == (name, tasks[name].queue.name, tasks[name].key)
        events = set(re.findall(r"`(\w+\.\w+)`", starts))
        started = {hook.when_said for hook in HOOKS if hook.run is tasks[name]}
        assert events <= started, name
        assert events or name in {task.name for _, task in TIMETABLE}, name
