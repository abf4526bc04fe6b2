"""Declaring what runs a task: `@actor(TASK)`, in `workers/` only."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from uuid import UUID

import dramatiq
from dramatiq.middleware import CurrentMessage
from pydantic import ConfigDict, validate_call

from service.events import origin
from service.queue.broker import broker_of_process
from service.queue.task import Task


class TaskActor(dramatiq.Actor[..., Any]):
    """An actor that is awaited: `await EMBED_ACTOR(resource_id)` runs it here, with its arguments validated."""

    def __init__(self, fn: Callable[..., Awaitable[Any]], **declaration: Any) -> None:
        self.coroutine = fn
        super().__init__(fn, **declaration)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.coroutine(*args, **kwargs)


def actor(task: Task) -> Callable[[Callable[..., Awaitable[Any]]], TaskActor]:
    """Declare the coroutine function that runs `task`.

    Its arguments are validated by their annotations (UUIDs and times from text). What it emits belongs to the request, and
    is caused by the event, that the task comes from.
    """

    def declare(function: Callable[..., Awaitable[Any]]) -> TaskActor:
        validated = validate_call(function, config=ConfigDict(arbitrary_types_allowed=True))

        @wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            message = CurrentMessage.get_current_message()
            if message is None:
                return await validated(*args, **kwargs)
            options: dict[str, Any] = message.options
            event_id = options.get("event_id")
            with origin(options.get("correlation_id"), UUID(event_id) if event_id else None, bulk=options.get("bulk", False)):
                return await validated(*args, **kwargs)

        return declare_actor(task, run)

    return declare


def declare_actor(task: Task, function: Callable[..., Awaitable[Any]], **options: Any) -> TaskActor:
    """Declare an actor with what its task says; `options` are those of further middleware."""
    return TaskActor(
        function,
        broker=broker_of_process(),
        actor_name=task.name,
        queue_name=task.queue.name,
        priority=9 - task.queue.priority,  # Dramatiq counts the other way
        options={
            "max_retries": task.retries,
            "min_backoff": round(task.backoff * 1000),
            "time_limit": round(task.limit * 1000),
            **options,
        },
    )
