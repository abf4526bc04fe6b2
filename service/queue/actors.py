"""Declaring what runs a task: `@actor(TASK)`, in `workers/` only."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any
from uuid import UUID

import dramatiq
from dramatiq.middleware import CurrentMessage
from pydantic import validate_call

from service.errors import PharosError
from service.events import origin
from service.queue.broker import broker_of_process
from service.queue.task import Task


class SenderOnly(PharosError):
    """This process can send {task}, not run it."""


class TaskActor(dramatiq.Actor[..., Any]):
    """An actor that is awaited: `await EMBED_ACTOR(resource_id)` runs it here, with its arguments validated."""

    def __init__(self, fn: Callable[..., Awaitable[Any]], **declaration: Any) -> None:
        self.coroutine = fn
        super().__init__(fn, **declaration)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.coroutine(*args, **kwargs)


def actor(task: Task) -> Callable[[Callable[..., Any]], TaskActor]:
    """Declare the function that runs `task`: a coroutine function on the event loop, any other one in a thread.

    Its arguments are validated by their annotations (UUIDs and times from text). What it emits belongs to the request,
    and is caused by the event, that the task comes from.
    """

    def declare(function: Callable[..., Any]) -> TaskActor:
        called = validate_call(function)
        validated = called if iscoroutinefunction(function) else partial(asyncio.to_thread, called)

        @wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            message = CurrentMessage.get_current_message()
            if message is None:
                return await validated(*args, **kwargs)
            options: dict[str, Any] = message.options
            cause = UUID(options["event_id"]) if "event_id" in options else None
            with origin(options.get("correlation_id"), cause, bulk=options.get("bulk", False)):
                return await validated(*args, **kwargs)

        return _declared(task, run)

    return declare


def sender(task: Task, **options: Any) -> TaskActor:
    """Declare an actor that can be sent only, for processes that load no actor code."""

    async def run(*args: Any, **kwargs: Any) -> None:
        raise SenderOnly(task=task.name)

    return _declared(task, run, **options)


def _declared(task: Task, function: Callable[..., Awaitable[Any]], **options: Any) -> TaskActor:
    return TaskActor(
        function,
        broker=broker_of_process(),
        actor_name=task.name,
        queue_name=task.queue.name,
        priority=9 - (task.queue.priority if task.priority is None else task.priority),  # Dramatiq counts the other way
        options={
            "priority": task.queue.priority if task.priority is None else task.priority,
            "max_retries": task.retries,
            "min_backoff": round(task.backoff * 1000),
            "time_limit": round(task.limit * 1000),
            **({} if task.soft is None else {"soft_limit": round(task.soft * 1000)}),
            **options,
        },
    )
