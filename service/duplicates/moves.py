"""What goes over when resources are merged: everything that people made, of whatever slice, and what refers to it.

A table that is not here, but among those that the trash keeps, stays with the resource that goes: the original, how it
came in, what was measured of it.
"""

from collections.abc import Sequence

from sqlalchemy import text

_MOVED = (  # rows with an id of their own
    "annotations", "quiz_questions", "session_questions", "import_sources", "feed_entries", "import_entries",
)  # fmt: skip
_COPIED = {  # rows of which a resource has one for each of these; `where` limits them further
    "collection_resources": ("collection_id", "added_at"),
    "dismissed_recommendations": ("user_id", "dismissed_at"),
    "bibliographies": ("csl",),
    "import_highlights": ("owner_id", "quote_hash", "quote", "note", "tags", "colour", "placed"),
}

STATEMENTS: Sequence[str] = (
    *(f"UPDATE {table} SET resource_id = :id WHERE resource_id = ANY(:others)" for table in _MOVED),  # noqa: S608
    *(
        f"""INSERT INTO {table} (resource_id, {", ".join(columns)}) SELECT :id, {", ".join(columns)}
        FROM {table} WHERE resource_id = ANY(:others) ON CONFLICT DO NOTHING"""  # noqa: S608
        for table, columns in _COPIED.items()
    ),
    # One event may have touched several of them: it counts once.
    """UPDATE interactions k SET resource_id = :id WHERE resource_id = ANY(:others) AND NOT EXISTS (
        SELECT FROM interactions o WHERE o.event_id = k.event_id
            AND (o.resource_id = :id OR o.resource_id = ANY(:others) AND o.resource_id < k.resource_id))""",
    # What a person said of a category, unless somebody said something of the one that stays.
    """INSERT INTO classifications (resource_id, is_predicted, rank, category_id, confidence, assigned, user_id)
    SELECT :id, is_predicted, rank, category_id, confidence, assigned, user_id FROM classifications
    WHERE resource_id = ANY(:others) AND NOT is_predicted ORDER BY classified_at DESC ON CONFLICT DO NOTHING""",
    """UPDATE classifications SET assigned = false WHERE resource_id = :id AND is_predicted AND assigned
        AND EXISTS (SELECT FROM classifications WHERE resource_id = :id AND NOT is_predicted)""",
    # Of each reader the state that is furthest: read, reading, else what was said last; and the furthest place.
    """INSERT INTO readings (resource_id, user_id, state, progress, added_at, updated_at, finished_at)
    SELECT DISTINCT ON (user_id) :id, user_id, state, CASE state WHEN 'unread' THEN 0 ELSE max(progress) OVER own END,
        min(added_at) OVER own, max(updated_at) OVER own,
        CASE WHEN state IN ('read', 'archived') THEN min(finished_at) OVER own END
    FROM readings WHERE resource_id = :id OR resource_id = ANY(:others) WINDOW own AS (PARTITION BY user_id)
    ORDER BY user_id, array_position(ARRAY['read', 'reading'], state), updated_at DESC
    ON CONFLICT (user_id, resource_id) DO UPDATE SET state = EXCLUDED.state, progress = EXCLUDED.progress,
        added_at = EXCLUDED.added_at, updated_at = EXCLUDED.updated_at, finished_at = EXCLUDED.finished_at""",
    # What is no duplicate of the others is none of the one that stays; they themselves forget it.
    """INSERT INTO separations (id, resource_id, user_id, separated_at) SELECT id, :id, user_id, separated_at
    FROM separations WHERE resource_id = ANY(:others) ON CONFLICT DO NOTHING""",
    "DELETE FROM separations WHERE resource_id = ANY(:others)",
    "UPDATE citations SET target_id = :id WHERE target_id = ANY(:others)",
    *(
        f"UPDATE resources SET {column} = :id WHERE {column} = ANY(:others) AND id <> :id"  # noqa: S608
        for column in ("duplicate_of", "near_duplicate_of")
    ),
)

MOVES = [text(statement) for statement in STATEMENTS]
