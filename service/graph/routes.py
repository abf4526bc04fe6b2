"""HTTP for the citation graph."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.graph import actions
from service.resources.actions import read
from service.web import account, path_id, respond, route


async def list_citations(request: Request) -> Response:
    """What a resource cites, and what cites it."""
    async with reading() as session:
        resource = await read(session, account(request), path_id(request, what="resource"))
        out = await actions.citations_of(session, resource.id)
        back = await actions.cited_by(session, account(request), resource)
    return respond(
        {
            "citations": [{"id": c.id, "kind": c.kind, "value": c.value, "text": c.text} for c in out],
            "cited_by": [{"id": row.id, "title": row.title} for row in back],
        }
    )


routes = [route("GET", "/resources/{id}/citations", list_citations, scope="read", gives=dict[str, Any])]
