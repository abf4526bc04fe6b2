"""`make table` shows every row and every task."""

from service.flow import text
from service.hooks import HOOKS
from service.queue.task import Task
from service.tasks import TASKS


def test_every_row_and_every_task_is_shown() -> None:
    shown = [line.split() for line in text().splitlines()[1:]]
    pairs = {(line[0], line[1]) for line in shown}
    assert {(str(row.event.name), row.run.name) for row in HOOKS if isinstance(row.run, Task)} <= pairs
    assert {task.name for task in TASKS} <= {name for _, name in pairs}
