"""People with webhooks, and who is told."""

from collections.abc import AsyncIterator

import pytest

from service.security.accounts import Account
from service.settings import Settings, settings
from service.webhooks.subscriptions import subscriptions
from tests.search.conftest import person as make
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
async def receiver(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """A receiver that Pharos may reach."""
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "127.0.0.1")
    settings.cache_clear()
    subscriptions.forget()
    async with receiving() as running:
        yield running
    subscriptions.forget()


@pytest.fixture
async def ada(receiver: Receiver) -> Account:
    return await make("ada")


@pytest.fixture
async def ben(receiver: Receiver) -> Account:
    return await make("ben")
