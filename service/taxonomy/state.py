"""How far the classifier has come: one row, held by whoever changes what a classifier is made of."""

from sqlalchemy import text

from service.database import Session
from service.taxonomy.tables import VERSIONS

CURRENT = "coalesce((SELECT model || '.' || meanings FROM taxonomy_state), '0.0')"  # as `classifications.model` says it

_ADVANCE = text(
    f"""INSERT INTO taxonomy_state AS s (id, version) VALUES (1, nextval('{VERSIONS.name}'))
    ON CONFLICT (id) DO UPDATE SET version = nextval('{VERSIONS.name}') RETURNING version"""  # noqa: S608
)


async def advance(session: Session) -> int:
    """Begin a change of what a classifier is made of: others wait until it is committed. Returns its version."""
    return (await session.execute(_ADVANCE)).scalar_one()
