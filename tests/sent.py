"""What this process has sent to the queue, for tests that expect something of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson

from service.queue.send import Packed
from service.queue.task import Task


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a task that has reached the queue."""

    task: str
    arguments: dict[str, Any]
    lane: str
    message_id: str
    after: float  # seconds

    def __str__(self) -> str:
        return _said(self.task, self.arguments)


@dataclass(slots=True)
class Sent:
    """Every request, in the order of sending."""

    asked: list[Asked] = field(default_factory=list[Asked])

    def record(self, messages: Sequence[Packed]) -> None:
        """Remember what has left."""
        for id, name, lane, _, after, *_, body in messages:
            arguments = orjson.loads(body)["kwargs"]
            self.asked.append(Asked(str(name), arguments, str(lane), str(id), int(after) / 1000))

    def of(self, task: Task, **arguments: Any) -> list[Asked]:
        """Return the requests for a task with these arguments, whatever else they carry."""
        wanted = orjson.loads(orjson.dumps(arguments)).items()
        return [one for one in self.asked if one.task == task.name and wanted <= one.arguments.items()]

    async def expect(self, task: Task, seconds: float = 5, **arguments: Any) -> Asked:
        """Wait until the task was asked for with these arguments, and return the first request."""
        deadline = monotonic() + seconds
        while not (found := self.of(task, **arguments)):
            assert monotonic() < deadline, (
                f"{_said(task.name, arguments)} was not sent within {seconds:g} s, but\n{self}"
            )
            await asyncio.sleep(0.01)
        return found[0]

    def refute(self, task: Task, **arguments: Any) -> None:
        """Fail if the task was asked for with these arguments."""
        found = self.of(task, **arguments)
        assert not found, f"{found[0]} was sent, among\n{self}"

    def __str__(self) -> str:
        return "\n".join(f"    {one}" for one in self.asked) or "    nothing"


def _said(task: str, arguments: dict[str, Any]) -> str:
    return f"{task}({', '.join(f'{name}={value}' for name, value in arguments.items())})"
