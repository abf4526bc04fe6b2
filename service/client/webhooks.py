"""Events for programs of your own."""

from collections.abc import AsyncGenerator, Sequence

from .models import Delivery, DeliveryStarted, DeliveryState, DeliveryWithBody, NewWebhook, Page, Webhook
from .transport import Asked, Id, Transport, given


class Webhooks:
    """Addresses that are told of events, and what they were told."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> AsyncGenerator[Webhook]:
        """Yield yours."""
        return self._transport.each(Page[Webhook], "/webhooks", limit)

    async def create(self, url: str, events: Sequence[str], *, secret: str | None = None) -> NewWebhook:
        """Have events told to an address; the secret that signs them is shown this once."""
        body = given(url=url, events=events, secret=secret)
        return await self._transport.ask(NewWebhook, Asked("POST", "/webhooks", body=body, keyed=False))

    async def get(self, id: Id) -> Webhook:
        """Read one."""
        return await self._transport.get(Webhook, f"/webhooks/{id}")

    async def update(
        self,
        id: Id,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        secret: str | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is named; `enabled` switches it on and off."""
        body = given(url=url, events=events, secret=secret, enabled=enabled)
        return await self._transport.send(Webhook, "PUT", f"/webhooks/{id}", body)

    async def delete(self, id: Id) -> None:
        """Delete one, and what is known of its deliveries."""
        await self._transport.delete(f"/webhooks/{id}")

    async def test(self, id: Id) -> DeliveryStarted:
        """Send a delivery that only says that it arrives."""
        return await self._transport.send(DeliveryStarted, "POST", f"/webhooks/{id}/test", None)

    def deliveries(
        self, id: Id, *, limit: int | None = None, status: DeliveryState | None = None
    ) -> AsyncGenerator[Delivery]:
        """Yield what one was told in the last 30 days, the newest first."""
        return self._transport.each(Page[Delivery], f"/webhooks/{id}/deliveries", limit, status=status)

    async def delivery(self, id: Id) -> DeliveryWithBody:
        """Read a delivery, with its body."""
        return await self._transport.get(DeliveryWithBody, f"/deliveries/{id}")

    async def retry_delivery(self, id: Id) -> Delivery:
        """Send a delivery once more."""
        return await self._transport.send(Delivery, "POST", f"/deliveries/{id}/retry", None)
