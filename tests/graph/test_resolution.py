"""Citations find their items, whatever comes first, and again when items change or go."""

from uuid import UUID

import pytest

from service.security.accounts import Account
from tests.graph.conftest import Update, emitted, item, ranks, targets

pytestmark = pytest.mark.integration

DOI = ("doi", "10.1000/182")


async def paper(owner: Account, title: str = "A paper", **fields: object) -> UUID:
    return await item(owner, title, url="https://doi.org/10.1000/182", **fields)


async def test_a_citation_finds_an_item_that_is_there(ada: Account, update: Update) -> None:
    target = await paper(ada)
    citing = await item(ada, "Citing", DOI, ("url", "https://nowhere.example/"))
    await update(target, citing)
    assert await targets(citing) == [target, None]
    assert sum((await ranks()).values()) == pytest.approx(1)
    assert (await ranks())[target] > (await ranks())[citing]
    [resolved] = await emitted("citations.resolved")
    assert resolved == {"resource_id": str(citing), "count": 1, "audience": None}
    assert (await emitted("graph.updated"))[-1]["nodes"] == 2
