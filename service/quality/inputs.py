"""The SQL that reads what quality is computed from: in one place, for who computes and who checks.

Of the library, only what everybody may see is compared with, and what the owner of a private resource may see for that
one: a reason never tells of what a reader of it may not know.
"""

from sqlalchemy import text

from service.database import Statement
from service.quality.evidence import CITATIONS, TEXT

VERSION = "quality/2"  # another one makes every row stale
NEWEST = 200  # shared resources that are compared with
USES = 50  # citations that are counted
READERS = 5  # people besides the owner that are counted

# `r` is the row of `resources`, `e` of `embeddings`, if any. A month passes for what ages only.
_MONTH = "date_trunc('month', now() AT TIME ZONE 'UTC')"
_READERS = f"""(SELECT least(count(DISTINCT recent.user_id), {READERS}) FROM (SELECT i.user_id FROM interactions i
    WHERE i.resource_id = r.id AND i.user_id <> r.owner_id ORDER BY i.id DESC LIMIT 200) recent)"""  # noqa: S608
SOURCE_INPUT = f"""md5(ROW(
    '{VERSION}'::text, CAST(:weights AS text), r.title, r.description, r.url, r.canonical_url, r.type,
    r.language, r.authors, r.subjects, r.tags, extract(epoch FROM r.published_at), r.published_at > now(),
    CASE WHEN r.published_at IS NOT NULL THEN {_MONTH} END, r.content_hash, r.duplicate_of, r.near_duplicate_of,
    e.input_hash, {_READERS}
)::text)"""
_SHOWN = "(NOT n.private OR (r.private AND n.owner_id = r.owner_id))"

SOURCE = text(
    f"""SELECT r.id AS resource_id, r.content_hash, r.title, left(r.content, {TEXT}) AS text, r.word_count,
        coalesce(left(r.description, {TEXT}), '') AS description, r.url, r.canonical_url, r.type, r.language,
        cardinality(r.authors) AS authors, r.subjects, r.tags, r.published_at,
        CASE WHEN r.published_at IS NOT NULL THEN {_MONTH} AT TIME ZONE 'UTC' END AS month,
        coalesce(r.published_at > now(), false) AS in_future, r.duplicate_of IS NOT NULL AS duplicate,
        EXISTS (SELECT FROM resources n WHERE (n.near_duplicate_of = r.id OR n.id = r.near_duplicate_of)
            AND n.published_at > r.published_at AND {_SHOWN}) AS superseded,
        (SELECT count(DISTINCT use.resource_id) FROM (SELECT c.resource_id
            FROM citations c JOIN resources n ON n.id = c.resource_id
            WHERE c.kind = 'url' AND c.value IN (r.url, r.canonical_url) AND n.id <> r.id AND {_SHOWN}
            LIMIT {USES}) AS use) AS uses,
        {_READERS} AS readers, {SOURCE_INPUT} AS source_hash,
        CASE WHEN r.private THEN r.owner_id END AS audience, q.input_hash AS known_input, q.source_hash AS known_source
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id LEFT JOIN quality q ON q.resource_id = r.id
    WHERE r.id = :id AND r.content_hash IS NOT NULL"""  # noqa: S608
)
CITED = text(
    f"""SELECT c.kind, left(c.value, 2000) AS value, EXISTS (
        SELECT FROM resources n WHERE n.id <> r.id AND {_SHOWN} AND n.canonical_url = CASE c.kind
            WHEN 'url' THEN c.value WHEN 'doi' THEN 'https://doi.org/' || c.value
            WHEN 'arxiv' THEN 'https://arxiv.org/abs/' || c.value END) AS resolved
    FROM citations c JOIN resources r ON r.id = c.resource_id
    WHERE c.resource_id = :id ORDER BY c.position, c.id LIMIT {CITATIONS}"""  # noqa: S608
)
_two = "CAST(round(CAST({} AS numeric), 2) AS float)".format  # digits
AROUND = text(
    f"""WITH newest AS MATERIALIZED (
        SELECT e.mean, r.subjects && CAST(:subjects AS text[]) AS kin
        FROM resources r JOIN embeddings e ON e.resource_id = r.id
        WHERE NOT r.private AND r.id <> :id AND e.mean IS NOT NULL
        ORDER BY r.created_at DESC, r.id DESC LIMIT {NEWEST}
    ),
    centre AS MATERIALIZED (
        SELECT avg(mean) AS whole, count(*) AS size, avg(mean) FILTER (WHERE kin) AS kin,
            count(*) FILTER (WHERE kin) AS kin_size FROM newest
    )
    SELECT size, kin_size AS kin, {_two("1 - (own.mean <=> whole)")} AS near,
        {_two("1 - (own.mean <=> centre.kin)")} AS near_kin, (
            SELECT {_two("percentile_cont(0.5) WITHIN GROUP (ORDER BY 1 - (mean <=> whole))")}
            FROM newest) AS typical
    FROM centre LEFT JOIN embeddings own ON own.resource_id = :id"""  # noqa: S608
)
STILL = Statement(
    f"""SELECT CASE WHEN r.private THEN r.owner_id END AS audience, q.input_hash AS known,
        coalesce(CAST(q.corrections AS text), '{{}}') AS corrections
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id LEFT JOIN quality q ON q.resource_id = r.id
    WHERE r.id = :id AND r.content_hash IS NOT NULL AND {SOURCE_INPUT} = :source_hash FOR KEY SHARE OF r"""  # noqa: S608
)
STALE = text(
    f"""SELECT r.id, CASE WHEN r.private THEN r.owner_id END AS audience
    FROM resources r LEFT JOIN embeddings e ON e.resource_id = r.id LEFT JOIN quality q ON q.resource_id = r.id
    WHERE r.content_hash IS NOT NULL AND r.updated_at < now() - make_interval(secs => :age)
        AND q.source_hash IS DISTINCT FROM {SOURCE_INPUT}
        AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > r.updated_at
            AND l.arguments ->> 'resource_id' = CAST(r.id AS text))
    ORDER BY r.updated_at LIMIT :most"""  # noqa: S608
)
