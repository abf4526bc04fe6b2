"""What facets count of a resource, written beside its index: `author:Ada`, `category:<id>`, `quality:0.8`.

What a text is about and how good it is change without a word of it, so that they are brought up to date by themselves:
one row is updated, and nothing is weighed or read anew.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import Session
from service.outbox import emit
from service.search.events import SearchIndexUpdated
from service.search.inputs import CATEGORIES, LABELS_INPUT, QUALITY_LEVEL, QUALITY_LEVELS
from service.search.turns import take_turn

_LEVELS = ", ".join(f"'quality:{level:g}'" for level in QUALITY_LEVELS)
# `r` is the row of `resources`. A level counts all that is as good or better, as a category all that is below it.
LABELS = f"""'type:' || r.type || (CASE WHEN r.language IS NULL THEN '{{}}' ELSE ARRAY['language:' || r.language] END)
            || ARRAY(SELECT 'author:' || one FROM unnest(r.authors) AS one)
            || ARRAY(SELECT 'subject:' || one FROM unnest(r.subjects) AS one)
            || ARRAY(SELECT 'tag:' || one FROM unnest(r.tags) AS one)
            || ARRAY(SELECT DISTINCT 'category:' || one AS label
                FROM ({CATEGORIES}) about, unnest(lineage) AS one ORDER BY label)
            || coalesce((ARRAY[{_LEVELS}])[1:{QUALITY_LEVEL}], '{{}}')"""  # noqa: S608
_LABEL = text(
    f"""UPDATE search_documents d SET labels = {LABELS}, labels_hash = {LABELS_INPUT}
    FROM resources r
    WHERE r.id = :id AND d.resource_id = r.id AND d.labels_hash <> {LABELS_INPUT}
    RETURNING CASE WHEN r.private THEN r.owner_id END AS audience"""  # noqa: S608
)


async def label(session: Session, resource_id: UUID) -> bool:
    """Bring up to date what facets count of a resource; False where it is, or where it is not indexed yet."""
    await take_turn(session, "indexed", resource_id)
    row: Any = (await session.execute(_LABEL, {"id": resource_id})).one_or_none()
    if row is None:
        return False
    emit(session, SearchIndexUpdated(resource_id=resource_id), audience=row.audience)
    return True
