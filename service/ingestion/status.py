"""How far a resource is: its steps, and in words what it still waits for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from service.database import ReadSession
from service.ingestion.actions import STEPS
from service.ingestion.tables import Ingestion, IngestionStep
from service.resources.tables import Resource
from service.search.actions import steps as search_steps


class Step(BaseModel):
    """One step of the way in."""

    name: str
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None = None


class Progress(BaseModel):
    """The steps, and in words what is still waited for."""

    status: str
    steps: list[Step]
    waiting_for: str | None = None
    error: str | None = None
    error_type: str | None = None


DOING = {
    "fetched": "The page is being fetched.",
    "extracted": "The text is being read.",
    "stored": "The text is being stored.",
    "indexed": "Its words are being indexed; it is found a second after.",
    "embedded": "It is found by its words; its meaning is being computed.",
}


async def status_of(session: ReadSession, resource: Resource, entered: Ingestion | None) -> dict[str, Any]:
    """Return status, steps and `waiting_for` as `GET /resources/{id}/status` answers them."""
    steps = [*await _own_steps(session, resource, entered), *await search_steps(session, resource.id)]
    answer: dict[str, Any] = {"status": resource.status, "steps": steps}
    if waiting := _waiting_for(resource, entered, steps):
        answer["waiting_for"] = waiting
    if entered is not None and entered.error is not None and resource.status == "failed":
        answer |= {"error": entered.error, "error_type": entered.error_type}
    return answer


async def _own_steps(session: ReadSession, resource: Resource, entered: Ingestion | None) -> list[dict[str, Any]]:
    if entered is None:  # given by content: stored when it was created
        return [_step("stored", "completed", resource.created_at, resource.created_at)]
    rows = await session.scalars(select(IngestionStep).where(IngestionStep.resource_id == resource.id))
    known = {row.name: row for row in rows}
    names = STEPS if entered.source == "url" else STEPS[1:]
    return [
        _step(name, row.state, row.started_at, row.finished_at, row.error)
        if (row := known.get(name))
        else _step(name, "pending")
        for name in names
    ]


def _step(
    name: str, state: str, started_at: Any = None, finished_at: Any = None, error: str | None = None
) -> dict[str, Any]:
    step = {"name": name, "state": state, "started_at": started_at, "finished_at": finished_at}
    return step | {"error": error} if error else step


def _waiting_for(resource: Resource, entered: Ingestion | None, steps: Sequence[dict[str, Any]]) -> str | None:
    if resource.status == "failed":
        return None
    if resource.status == "pending":
        return "It waits for a free worker."
    for step in steps:
        if step["state"] == "retrying":
            error = step.get("error") or ""
            return f"It is tried again soon: {error}"
        if step["state"] != "completed":
            return DOING[step["name"]]
    return None
