"""A text whose language nobody told is read by the rules of the language that it is in."""

import pytest
from sqlalchemy import select

from service.database import reading
from service.search.tables import SearchDocument
from service.security.accounts import Account
from tests.search.conftest import add, index

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("content", "configuration"),
    [
        ("A lighthouse is a tower designed to emit light and to serve as a beacon.", "pharos_english"),
        ("Der Leuchtturm ist ein Turm, der den Schiffen in der Nacht den Weg weist.", "pharos_german"),
        ("Un phare est un système de signalisation employé dans le but de guider les marins.", "pharos_french"),
        ("Маяк это средство навигационного оборудования, и это не всё.", "pharos_russian"),
        ("灯台は岬の先端や港内に設置され", "pharos_simple"),
        ("wing slipstream aerodynamics", "pharos_simple"),
        ("12 34 56 ... !!!", "pharos_simple"),
    ],
)
async def test_the_language_is_guessed(ada: Account, content: str, configuration: str) -> None:
    resource_id = await add(ada, "-", content, language=None)
    assert await index(resource_id)
    async with reading() as session:
        row = select(SearchDocument.configuration).where(SearchDocument.resource_id == resource_id)
        assert await session.scalar(row) == configuration


async def test_what_was_told_outranks_the_guess(ada: Account) -> None:
    resource_id = await add(ada, "-", "A lighthouse is a tower that is to emit light.", language="de")
    await index(resource_id)
    async with reading() as session:
        row = select(SearchDocument.configuration).where(SearchDocument.resource_id == resource_id)
        assert await session.scalar(row) == "pharos_german"
