"""The page of webhooks: who is told, and what became of it."""

from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.errors import NotFound
from service.ui.pages import render
from service.web import Shape, account, query
from service.webhooks import actions

PAGE = 25


class Asked(Shape):
    """Of which webhook the deliveries are shown, and which page of them."""

    id: UUID | None = None
    page: int = Field(1, ge=1, le=40_000)


async def webhooks_page(request: Request) -> Response:
    """Show somebody's webhooks, and of one of them what was sent."""
    asked, who = query(request, Asked), account(request)
    total, sent, chosen = 0, (), None
    async with reading() as session:
        _, webhooks = await actions.listed(session, who, actions.MOST, 0)
        if asked.id is not None:
            chosen = next((webhook for webhook in webhooks if webhook.id == asked.id), None)
            if chosen is None:
                raise NotFound(what="webhook", id=asked.id)
            total, sent = await actions.deliveries(
                session, who, asked.id, status=None, limit=PAGE, offset=(asked.page - 1) * PAGE
            )
    more = total > asked.page * PAGE
    return render(
        request, "webhooks.html", webhooks=webhooks, chosen=chosen, deliveries=sent, page=asked.page, more=more
    )
