"""What other slices know of resources, besides their words and meanings: the one place that asks them."""

from dataclasses import dataclass

MOST_COUNTED = 5  # citations of one resource


@dataclass(frozen=True, slots=True)
class Signals:
    """How good a resource is and how central, 0 to 1 each, None where nobody knows; how many others here cite it."""

    quality: float | None = None
    importance: float | None = None
    citations: int = 0


# Of the row `r` of `resources`, for :account and at most :most citations, as far as the account may see where they come
# from. Importance is the root of the PageRank as a share of the highest one.
COLUMNS = """q.overall AS quality, sqrt(k.importance / (SELECT max(importance) FROM graph_ranks)) AS importance,
    citing.number AS citations"""
JOINS = """LEFT JOIN quality q ON q.resource_id = r.id
    LEFT JOIN graph_ranks k ON k.resource_id = r.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM citations c
            JOIN resources s ON s.id = c.resource_id AND (NOT s.private OR s.owner_id = :account)
            WHERE c.target_id = r.id AND c.resource_id <> r.id
            LIMIT :most
        ) those
    ) citing"""


def leaders(limit: int) -> str:
    """Return the query for the ids of the most central resources that :account may see, the best first."""
    return f"""SELECT r.id FROM graph_ranks k JOIN resources r ON r.id = k.resource_id
        WHERE NOT r.private OR r.owner_id = :account ORDER BY k.importance DESC LIMIT {limit:d}"""  # noqa: S608
