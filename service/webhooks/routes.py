"""HTTP for webhooks."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route
from service.webhooks import actions
from service.webhooks.patterns import names
from service.webhooks.tables import Webhook, WebhookDelivery

Status = Literal["waiting", "delivered", "failed"]
DELIVERY = "delivery"


def _pattern(text: str) -> str:
    if not names([text]):
        raise ValueError("names no event: give one of docs/events.md, a family as `resource.*`, or `*`")
    return text


def _spelled(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.isascii() or not value.isprintable():
        raise ValueError("takes printable ASCII characters only")
    return secret


Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]
Pattern = Annotated[str, StringConstraints(max_length=100), AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=50)]
Secret = Annotated[SecretStr, Field(min_length=16, max_length=256), AfterValidator(_spelled)]


class NewWebhook(Shape):
    """Where to, and which events: their names, families as `resource.*`, or `*`; without a secret one is made."""

    url: Url
    events: Patterns
    secret: Secret | None = None


class WebhookChange(Shape):
    """Any subset of a webhook's fields."""

    url: Url | None = None
    events: Patterns | None = None
    secret: Secret | None = None
    enabled: bool | None = None


class WebhookView(BaseModel):
    """A webhook; `failures` counts attempts in a row, and 20 of them switch it off."""

    id: UUID
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None
    failures: int
    created_at: datetime
    updated_at: datetime


class MadeWebhook(WebhookView):
    """A new webhook with its secret, which is shown this once."""

    secret: str


class Deliveries(Paged):
    """Which of them."""

    status: Status | None = None


class DeliveryView(BaseModel):
    """An event for a webhook; the code, the duration and the error are those of the last attempt."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event: str
    status: Status
    attempts: int
    response_code: int | None
    duration_ms: int | None
    error: str | None
    created_at: datetime
    attempted_at: datetime | None
    due_at: datetime | None = Field(description="When it is tried next; of what waits.")


class DeliveryDetail(DeliveryView):
    """A delivery with the body that is sent, as text."""

    body: str


class Requested(BaseModel):
    """The delivery that was asked for."""

    delivery_id: UUID


def view(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as its owner sees it."""
    shown = {name: getattr(webhook, name) for name in WebhookView.model_fields if name != "enabled"}
    return shown | {"enabled": webhook.enabled_at is not None}


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in DeliveryView.model_fields}
    return shown | {"due_at": row.due_at if row.status == "waiting" else None}


def _id(request: Request, what: str = "webhook") -> UUID:
    return path_id(request, what=what)


async def list_webhooks(request: Request) -> Response:
    """List your webhooks."""
    asked = query(request, Paged)
    async with reading() as session:
        total, rows = await actions.listed(session, account(request), asked.limit, asked.offset)
    return page([view(row) for row in rows], total, asked)


async def create_webhook(request: Request) -> Response:
    """Have events told to an address of yours; the secret that signs them is shown this once."""
    asked = await parse(request, NewWebhook)
    url = await actions.check_address(asked.url)
    secret = asked.secret.get_secret_value() if asked.secret else None
    async with transaction() as session:
        webhook, kept = await actions.create(session, account(request), url, asked.events, secret)
    return respond(view(webhook) | {"secret": kept}, 201, {"Location": f"/webhooks/{webhook.id}"})


async def read_webhook(request: Request) -> Response:
    """Read a webhook, without its secret."""
    async with reading() as session:
        return respond(view(await actions.read(session, account(request), _id(request))))


async def change_webhook(request: Request) -> Response:
    """Change any subset of the fields; `enabled` switches it on and off."""
    fields = (await parse(request, WebhookChange)).model_dump(exclude_none=True)
    async with reading() as session:
        await actions.read(session, account(request), _id(request))
    if "url" in fields:
        fields["url"] = await actions.check_address(fields["url"])
    if "secret" in fields:
        fields["secret"] = fields["secret"].get_secret_value()
    async with transaction() as session:
        return respond(view(await actions.change(session, account(request), _id(request), fields)))


async def delete_webhook(request: Request) -> Response:
    """Delete a webhook and what is known of its deliveries."""
    async with transaction() as session:
        await actions.remove(session, account(request), _id(request))
    return no_content()


async def test_webhook(request: Request) -> Response:
    """Send a delivery that only says that it arrives."""
    async with transaction() as session:
        made = await actions.test(session, account(request), _id(request))
    return respond({"delivery_id": made}, 202, {"Location": f"/deliveries/{made}"})


async def list_deliveries(request: Request) -> Response:
    """List what a webhook was told in the last 30 days, the newest first."""
    asked = query(request, Deliveries)
    async with reading() as session:
        total, rows = await actions.deliveries(session, account(request), _id(request), **asked.model_dump())
    return page([_delivery(row) for row in rows], total, asked)


async def read_delivery(request: Request) -> Response:
    """Read a delivery, with the body that is sent."""
    async with reading() as session:
        row, _ = await actions.delivery(session, account(request), _id(request, DELIVERY))
    return respond(_delivery(row) | {"body": row.body})


async def retry_delivery(request: Request) -> Response:
    """Send a delivery once more, whether it arrived or not."""
    async with transaction() as session:
        row = await actions.send_again(session, account(request), _id(request, DELIVERY))
    return respond(_delivery(row), 202)


WEBHOOK = "/webhooks/{id}"

routes = [
    route("GET", "/webhooks", list_webhooks, scope="read", queries=Paged, gives=Listed[WebhookView]),
    route("POST", "/webhooks", create_webhook, scope="write", takes=NewWebhook, gives=MadeWebhook, status=201),
    route("GET", WEBHOOK, read_webhook, scope="read", gives=WebhookView),
    route("PUT", WEBHOOK, change_webhook, scope="write", takes=WebhookChange, gives=WebhookView),
    route("DELETE", WEBHOOK, delete_webhook, scope="write", status=204),
    route("POST", f"{WEBHOOK}/test", test_webhook, scope="write", gives=Requested, status=202),
    route(
        "GET", f"{WEBHOOK}/deliveries", list_deliveries, scope="read",
        queries=Deliveries, gives=Listed[DeliveryView],
    ),
    route("GET", "/deliveries/{id}", read_delivery, scope="read", gives=DeliveryDetail),
    route("POST", "/deliveries/{id}/retry", retry_delivery, scope="write", gives=DeliveryView, status=202),
]  # fmt: skip
