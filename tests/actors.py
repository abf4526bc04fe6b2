"""Actors of the workers, on a broker that knows no others and sends nothing."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import dramatiq

from service.queue import Task
from service.queue.broker import PharosBroker

Run = Callable[..., Awaitable[Any]]


@contextmanager
def actors_of(*slices: str) -> Iterator[PharosBroker]:
    """Load `workers.<slice>` anew, on a broker of its own, which is the process's meanwhile."""
    names = [f"workers.{name}" for name in slices]
    before, modules = dramatiq.broker.global_broker, {name: sys.modules.pop(name, None) for name in names}
    broker = PharosBroker()
    dramatiq.set_broker(broker)
    try:
        for name in names:
            import_module(name)
        yield broker
    finally:
        broker.close()
        dramatiq.broker.global_broker = before
        for name, module in modules.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


@contextmanager
def running(*slices: str) -> Iterator[Run]:
    """Give what runs an actor of these slices here: `await run(TASK, argument)`."""
    with actors_of(*slices) as broker:

        async def run(task: Task, *arguments: object) -> Any:
            return await broker.actors[task.name](*arguments)

        yield run
