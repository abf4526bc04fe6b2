"""Event buses whose handlers only count: `python -m bench.peers.buses BUS KIND HANDLERS SECONDS`.

BUS is one of `BUSES` (pharos needs the environment of the product), KIND is sync or async. Prints as JSON how many
events a second were emitted, how often each handler should have run and how often it did, and the version.

Each is used as it is fastest: blinker holds its handlers by strong references, pyee is awaited once for a hundred
events. All but bubus, where every event is a new one, emit the same event again and again.
"""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from importlib import metadata
from time import perf_counter
from typing import Any, Literal

import uvloop

Kind = Literal["sync", "async"]
Batch = Callable[[int], Awaitable[None]]
SIZES = {"bubus": 5}  # emits between two looks at the clock
SIZE = 100  # of the others
HISTORY = 1000  # events that Pharos's listener of everything keeps


class Counting:
    """Handlers of one kind, each with a counter of its own."""

    def __init__(self, kind: Kind, number: int) -> None:
        self.counts = [0] * number
        self.all = [(self._sync if kind == "sync" else self._async)(index) for index in range(number)]

    def _sync(self, index: int) -> Callable[..., None]:
        counts = self.counts

        def handler(event: object) -> None:
            counts[index] += 1

        return handler

    def _async(self, index: int) -> Callable[..., Awaitable[None]]:
        counts = self.counts

        async def handler(event: object) -> None:
            counts[index] += 1

        return handler


def loop(kind: Kind, handlers: Counting) -> Batch:
    event = object()

    async def of_sync(size: int) -> None:
        for _ in range(size):
            for handler in handlers.all:
                handler(event)

    async def of_async(size: int) -> None:
        for _ in range(size):
            for handler in handlers.all:
                await handler(event)

    return of_sync if kind == "sync" else of_async


def pyee(kind: Kind, handlers: Counting) -> Batch:
    from pyee.asyncio import AsyncIOEventEmitter

    emitter, event = AsyncIOEventEmitter(), object()
    for handler in handlers.all:
        emitter.on("updated", handler)

    async def batch(size: int) -> None:
        for _ in range(size):
            emitter.emit("updated", event)
        await emitter.wait_for_complete()

    return batch


def pyee_plain(kind: Kind, handlers: Counting) -> Batch:
    from pyee.base import EventEmitter

    assert kind == "sync"  # it calls others and forgets what they return
    emitter, event = EventEmitter(), object()
    for handler in handlers.all:
        emitter.on("updated", handler)

    async def batch(size: int) -> None:
        for _ in range(size):
            emitter.emit("updated", event)

    return batch


def blinker(kind: Kind, handlers: Counting) -> Batch:
    from blinker import Signal

    signal, event = Signal(), object()
    for handler in handlers.all:
        signal.connect(handler, weak=False)

    async def of_sync(size: int) -> None:
        for _ in range(size):
            signal.send(event)

    async def of_async(size: int) -> None:
        for _ in range(size):
            await signal.send_async(event)

    return of_sync if kind == "sync" else of_async


def bubus(kind: Kind, handlers: Counting) -> Batch:
    os.environ["BUBUS_LOGGING_LEVEL"] = "ERROR"
    from bubus import BaseEvent, EventBus, models

    models.EventResult.model_rebuild(_types_namespace=vars(models))  # newer pydantic does not find its names by itself
    BaseEvent.model_rebuild(_types_namespace=vars(models))

    class Updated(BaseEvent):
        pass

    Updated.model_rebuild(_types_namespace=vars(models))
    bus = EventBus()
    for index, handler in enumerate(handlers.all):
        handler.__name__ = f"handler_{index}"  # it warns of handlers of one name
        bus.on(Updated, handler)

    async def batch(size: int) -> None:
        for _ in range(size):
            await bus.dispatch(Updated())

    return batch


def pharos(kind: Kind, handlers: Counting) -> Batch:
    from uuid import uuid4

    from service.bus import EventBus
    from service.events import Envelope, Event
    from service.resources.events import ResourceUpdated

    bus, history = EventBus(), deque[Envelope](maxlen=HISTORY)
    envelope = Envelope(ResourceUpdated(resource_id=uuid4(), changed_fields=["title"], user_id=None), "request")
    for handler in handlers.all:
        bus.on(ResourceUpdated, handler)
    bus.on(Event, history.append)

    async def batch(size: int) -> None:
        for _ in range(size):
            await bus.emit(envelope)

    return batch


BUSES = {"pharos": pharos, "loop": loop, "pyee": pyee, "pyee-plain": pyee_plain, "blinker": blinker, "bubus": bubus}


async def main(name: str, kind: Kind, number: int, seconds: float) -> dict[str, Any]:
    """Emit for so many seconds, after a batch to warm up."""
    handlers = Counting(kind, number)
    batch, size = BUSES[name](kind, handlers), SIZES.get(name, SIZE)
    await batch(size)
    emits, began = 0, perf_counter()
    while (took := perf_counter() - began) < seconds:
        await batch(size)
        emits += size
    return {
        "rate": emits / took,
        "wanted": [size + emits] * number,
        "ran": handlers.counts,
        "version": metadata.version(name.removesuffix("-plain")) if name not in ("pharos", "loop") else None,
    }


if __name__ == "__main__":
    name, kind, number, seconds = sys.argv[1:]
    assert kind in ("sync", "async")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(name, kind, int(number), float(seconds)))), flush=True)
        os._exit(0)  # bubus runs a task that cannot be cancelled
