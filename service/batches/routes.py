"""HTTP for batches."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.batches import actions
from service.database import transaction
from service.web import Shape, TaskStarted, account, parse, respond, route


class BatchRequest(Shape):
    """What is to be done, and to which resources."""

    resource_ids: list[UUID] = Field(min_length=1, max_length=10_000)
    operation: Literal["regenerate_embeddings", "recompute_quality", "reclassify", "reindex"]


async def create_batch(request: Request) -> Response:
    """Do one thing to many resources; the task tells how far it is, and its result what went wrong with which."""
    asked = await parse(request, BatchRequest)
    async with transaction() as session:
        task_id = await actions.request(session, account(request), asked.operation, asked.resource_ids)
    return respond({"task_id": task_id}, 202, {"Location": f"/tasks/{task_id}"})


routes = [
    route("POST", "/batch", create_batch, scope="write", takes=BatchRequest, gives=TaskStarted, status=202),
]
