"""The way back of a dead letter: the event that carries it past the outbox, and the request that it becomes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from service.events import Event, EventPriority, SystemEvent
from service.queue.task import Dispatch, Queue, Task


class TaskRequeued(Event):
    """Somebody has a task tried again that was given up; told to that account, and its letter is gone."""

    name = SystemEvent.BACKGROUND_TASK_REQUEUED
    priority = EventPriority.HIGH

    letter_id: UUID
    task: str
    queue: str
    arguments: dict[str, Any]  # all of it: nothing else holds them any more
    positional: list[Any]
    options: dict[str, Any]


class Requeue:
    """What THE TABLE runs when a task is requeued: that task, be it one that only a stock producer knows."""

    name = "(the task it names)"

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self.tasks = tasks

    def dispatch(
        self, event: TaskRequeued, event_id: UUID, *, bulk: bool = False, correlation_id: str | None = None
    ) -> Dispatch:
        """Return the request; the id of its message follows from the event's: a repeated event makes no second."""
        task = self.tasks.get(event.task) or Task(event.task, Queue.named(event.queue))
        if task.key is not None and not isinstance(event.arguments.get(task.key), str):
            task = replace(task, key=None)  # a gathered batch is complete, and coalesces with nothing
        return Dispatch(
            task,
            event.arguments,
            event_id,
            bulk=bulk,
            correlation_id=correlation_id,
            positional=event.positional,
            options=event.options,
        )
