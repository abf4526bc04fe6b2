"""What the server does: tasks, batches, dead letters, workers, events."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import TypeAdapter

from .errors import Unreachable
from .models import (
    Alive,
    Discarded,
    Event,
    History,
    Letter,
    Page,
    Readiness,
    Reason,
    Retried,
    Task,
    TaskStarted,
    TaskState,
    Workers,
)
from .transport import Asked, Id, Transport, given

Operation = Literal["regenerate_embeddings", "recompute_quality", "reclassify", "reindex"]
LOOK = 0.5  # seconds between two looks at what has not ended
AGAIN = 1.0  # seconds before a stream that broke off is asked for again


class Tasks:
    """What is done after an answer."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, limit: int | None = None, status: TaskState | None = None, name: str | None = None
    ) -> AsyncGenerator[Task]:
        """Yield the last tasks, the newest first: yours, or all where you operate."""
        return self._transport.each(Page[Task], "/tasks", limit, status=status, name=name)

    async def get(self, task_id: Id) -> Task:
        """Return how far one is."""
        return await self._transport.get(Task, f"/tasks/{task_id}")

    async def wait(self, task_id: Id) -> Task:
        """Return one when it has ended."""
        found = await self.get(task_id)
        while found.status not in ("succeeded", "failed", "cancelled"):
            await asyncio.sleep(LOOK)
            found = await self.get(task_id)
        return found

    async def cancel(self, task_id: Id) -> Task:
        """Cancel one that a person asked for."""
        return await self._transport.send(Task, "POST", f"/tasks/{task_id}/cancel", None)


class Batches:
    """One operation on many resources."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(self, operation: Operation, resource_ids: Sequence[Id]) -> TaskStarted:
        """Do something to up to ten thousand resources."""
        body = {"operation": operation, "resource_ids": resource_ids}
        return await self._transport.send(TaskStarted, "POST", "/batch", body)


class DeadLetters:
    """Tasks that failed for good; operators read them, admins retry and discard."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        name: str | None = None,
        queue: str | None = None,
        reason: Reason | None = None,
        since: datetime | None = None,
        q: str | None = None,
    ) -> AsyncGenerator[Letter]:
        """Yield those that match, the newest first."""
        return self._transport.each(
            Page[Letter], "/dlq", limit, name=name, queue=queue, reason=reason, since=since, q=q
        )

    async def get(self, id: Id) -> Letter:
        """Read one."""
        return await self._transport.get(Letter, f"/dlq/{id}")

    async def retry(self, id: Id) -> TaskStarted:
        """Send the task of one again."""
        return await self._transport.send(TaskStarted, "POST", f"/dlq/{id}/retry", None)

    async def discard(self, id: Id) -> None:
        """Give the task of one up for good."""
        await self._transport.delete(f"/dlq/{id}")

    async def retry_many(
        self,
        *,
        ids: Sequence[Id] | None = None,
        name: str | None = None,
        queue: str | None = None,
        reason: Reason | None = None,
        since: datetime | None = None,
        q: str | None = None,
        all: bool = False,
    ) -> Retried:
        """Send the tasks of those again that meet every condition; one is needed, or `all`."""
        body = given(ids=ids, name=name, queue=queue, reason=reason, since=since, q=q, all=all or None)
        return await self._transport.send(Retried, "POST", "/dlq/retry", body)

    async def discard_many(
        self,
        *,
        ids: Sequence[Id] | None = None,
        name: str | None = None,
        queue: str | None = None,
        reason: Reason | None = None,
        since: datetime | None = None,
        q: str | None = None,
        all: bool = False,
    ) -> Discarded:
        """Give those up that meet every condition; one is needed, or `all`."""
        body = given(ids=ids, name=name, queue=queue, reason=reason, since=since, q=q, all=all or None)
        return await self._transport.send(Discarded, "POST", "/dlq/discard", body)


class Server:
    """How the server stands."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def health(self) -> Alive:
        """Return that the web server lives."""
        return await self._transport.get(Alive, "/health")

    async def ready(self) -> Readiness:
        """Return what is there and what is missing, also where something is."""
        return await self._transport.ask(Readiness, Asked("GET", "/ready", accepted=(503,)))

    async def workers(self) -> Workers:
        """Return what every worker does, and how deep the queues are."""
        return await self._transport.get(Workers, "/workers/status")


class Events:
    """What happened, and what happens."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def history(self, *, limit: int = 100, name: str | None = None, correlation_id: str | None = None) -> History:
        """Return the last events that you may see, the newest last."""
        return await self._transport.get(
            History, "/events/history", limit=limit, name=name, correlation_id=correlation_id
        )

    async def stream(self, *names: str) -> AsyncGenerator[Event]:
        """Yield events as they happen: those of these names (`document.*`), or all.

        A stream that breaks off is taken up again where it was; Unreachable is raised only where it never began.
        """
        reader = TypeAdapter(Event)
        last, heard = "", False
        while True:
            try:
                headers = {"Last-Event-ID": last} if last else {}
                async with aclosing(self._transport.lines("/events/stream", headers)) as lines:
                    async for line in lines:
                        heard = True
                        if line.startswith("id: "):
                            last = line.removeprefix("id: ")
                        elif line.startswith("data: "):
                            event = reader.validate_json(line.removeprefix("data: "))
                            if not names or any(fnmatchcase(event.name, name) for name in names):
                                yield event
            except Unreachable:
                if not heard:
                    raise
            await asyncio.sleep(AGAIN)
