"""THE TABLE as a picture: events on the left, their tasks in the middle, queues on the right; today's counts on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log10

from markupsafe import Markup, escape

from service.events import Event
from service.hooks import HOOKS, On
from service.queue.requeue import Requeue
from service.queue.task import Queue, Task
from service.tasks import PERIODIC, QUEUES, TASKS
from service.ui.plots import brief, seconds

ROW, TOP = 28, 16
WIDTH = 1180
EVENTS, TASKS_LEFT, TASKS_RIGHT, QUEUES_LEFT = 300, 560, 830, 1010  # where columns end and begin


@dataclass(frozen=True, slots=True)
class Arrow:
    """An event that starts a task: how often it happened today, and after how long the task goes."""

    event: str
    happened: int
    after: str
    sometimes: bool  # only where the event says so


@dataclass(frozen=True, slots=True)
class Started:
    """A task, what starts it, and how many ended today."""

    task: Task
    arrows: list[Arrow]
    succeeded: int
    failed: int

    @property
    def periodic(self) -> bool:
        return self.task in PERIODIC

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed


def started(events: Mapping[str, int], runs: Mapping[str, Mapping[str, int]]) -> list[Started]:
    """Return every task with what starts it, in the order of the queues."""
    order = {queue.name: place for place, queue in enumerate(QUEUES)}
    found: list[Started] = []
    for task in sorted(TASKS, key=lambda task: order[task.queue.name]):
        rows = [row for row in HOOKS if row.run is task]
        arrows = [
            Arrow(_when(row), events.get(_when(row), 0), seconds(row.after) if row.after else "", bool(row.when))
            for row in rows
        ]
        ended = runs.get(task.name, {})
        found.append(Started(task, arrows, ended.get("succeeded", 0), ended.get("failed", 0)))
    return found


def at_once() -> list[tuple[str, list[str]]]:
    """Return the functions that run in process, by event; what has dead letters sent again is one of them."""
    rows = sorted((_when(row), _name(row)) for row in HOOKS if not isinstance(row.run, Task))
    return [(event, [name for _, name in found]) for event, found in groupby(rows, key=lambda row: row[0])]


def _when(row: On) -> str:
    """Return the name of the event of a row; `*` stands for any."""
    return "*" if row.event is Event else row.event.name


def _name(row: On) -> str:
    if isinstance(row.run, Requeue):
        return row.run.name
    return getattr(row.run, "__qualname__", repr(row.run))


def picture(tasks: Sequence[Started], label: str) -> Markup:
    """Draw it, one row to an event and to a task; arrows are the thicker the more happened."""
    middle = {one.task.name: TOP + ROW * (place + 0.5) for place, one in enumerate(tasks)}
    names = {arrow.event: arrow.happened for one in tasks for arrow in one.arrows}
    means = {
        event: sum(at) / len(at)
        for event in names
        if (at := [middle[one.task.name] for one in tasks for arrow in one.arrows if arrow.event == event])
    }
    ordered = sorted(names, key=lambda event: (means[event], event))  # few arrows cross
    height = TOP * 2 + ROW * max(len(ordered), len(tasks))
    spread = ROW * max(1.0, len(ordered) / len(tasks))
    middle = {name: TOP + spread * (place + 0.5) for place, name in enumerate(middle)}
    left = {event: TOP + ROW * (place + 0.5) for place, event in enumerate(ordered)}
    right = _queues(tasks, middle)
    parts = [f'<svg class="flow" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">']
    for one in tasks:
        at = middle[one.task.name]
        for arrow in one.arrows:
            parts.append(_arrow(EVENTS + 56, left[arrow.event], TASKS_LEFT, at, arrow.happened, dashed=arrow.sometimes))
        parts.append(_arrow(TASKS_RIGHT + 56, at, QUEUES_LEFT, right[one.task.queue.name], one.ended))
    for event, at in left.items():
        parts += (_text("event", EVENTS, at, event), _count(EVENTS + 8, at, names[event]))
    for one in tasks:
        at = middle[one.task.name]
        parts.append(_box("task", TASKS_LEFT, TASKS_RIGHT, at, 22))
        parts += (_text("name", TASKS_LEFT + 10, at, one.task.name), _count(TASKS_RIGHT + 8, at, one.ended, one.failed))
    for queue in QUEUES:
        at = right[queue.name]
        parts.append(_box("queue", QUEUES_LEFT, WIDTH - 4, at, 28))
        parts.append(_text("name", QUEUES_LEFT + 14, at, f"{queue.name} · {queue.priority}"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  # numbers of ours, and words that are escaped


def _queues(tasks: Sequence[Started], middle: Mapping[str, float]) -> dict[str, float]:
    """Return the height of each queue: the mean of its tasks, no two nearer than a row and a half."""
    places: dict[str, float] = {}
    last = TOP - ROW
    for queue in QUEUES:
        own = [middle[one.task.name] for one in tasks if one.task.queue is queue]
        last = max(sum(own) / len(own) if own else last + ROW * 1.5, last + ROW * 1.5)
        places[queue.name] = last
    return places


def _arrow(x1: float, y1: float, x2: float, y2: float, count: int, *, dashed: bool = False) -> str:
    bend = (x2 - x1) / 2
    width = 1 + (min(4.0, log10(count) * 1.2) if count else 0)
    kind = "arrow" + (" busy" if count else "") + (" dashed" if dashed else "")
    curve = f"M{x1} {y1:.1f}C{x1 + bend:.0f} {y1:.1f} {x2 - bend:.0f} {y2:.1f} {x2 - 5} {y2:.1f}"
    return f'<path class="{kind}" stroke-width="{width:.1f}" d="{curve}"/>'


def _box(kind: str, x1: float, x2: float, y: float, height: float) -> str:
    top, round_ = f"{y - height / 2:.1f}", height / 4
    return f'<rect class="{kind}" x="{x1}" y="{top}" width="{x2 - x1}" height="{height}" rx="{round_}"/>'


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y + 4.5:.1f}">{escape(words)}</text>'


def _count(x: float, y: float, count: int, failed: int = 0) -> str:
    kind = "count bad" if failed else "count" if count else "count none"
    return f'<text class="{kind}" x="{x}" y="{y + 4.5:.1f}">{brief(count)}</text>'


def by_queue(tasks: Sequence[Started]) -> list[tuple[Queue, list[Started]]]:
    """Return tasks under their queues, the most urgent first: the picture as a list."""
    return [(queue, [one for one in tasks if one.task.queue is queue]) for queue in QUEUES]
