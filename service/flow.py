"""THE TABLE as text: `python -m service.flow`."""

import sys

from service.hooks import HOOKS, On
from service.queue.requeue import Requeue
from service.queue.task import Task
from service.tasks import TASKS

_TITLES = ("when", "run", "queue", "priority", "after", "at most", "retries", "limit", "one per")


def text() -> str:
    """Return a line for each row of the table, then one for each task that no event starts."""
    started = [row.run for row in HOOKS]
    rows = [_TITLES, *map(_hook, HOOKS), *(("-", *_task(task)) for task in TASKS if task not in started)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _hook(row: On) -> tuple[str, ...]:
    if isinstance(row.run, Task):
        return (row.when_said, *_task(row.run, row.after, row.at_most))
    if isinstance(row.run, Requeue):
        return (row.when_said, row.run.name, "its own", *[""] * 6)
    return (row.when_said, getattr(row.run, "__qualname__", repr(row.run)), "in process", *[""] * 6)


def _task(task: Task, after: float = 0, at_most: float = 0) -> tuple[str, ...]:
    waits = (f"{after:g} s", f"{at_most:g} s" if at_most else "")
    policy = (str(task.retries), f"{task.limit} s", task.key or "")
    return (task.name, task.queue.name, str(task.queue.priority), *waits, *policy)


if __name__ == "__main__":
    sys.stdout.write(text())
