"""The passage of a hit that is shown: as it stands in the text, with the found words marked."""

from collections.abc import Sequence
from html import escape
from uuid import UUID

from sqlalchemy import RowMapping, text

from service.database import ReadSession
from service.inference import Vector
from service.search.query import BLANKS, BREAKS, Either, Query, tsquery
from service.search.vectors import to_text
from service.taxonomy.tables import CATEGORIES_OF

LENGTH = 280  # characters
EXCERPT = 1200  # characters; the passage of a text that has none yet
START, STOP = "\x02", "\x03"

Span = tuple[int, int]

# The passage that has most of the words, then the one that is nearest in meaning, then the first.
_PASSAGES = text(
    f"""SELECT r.id, r.title, r.url, r.type, r.language, r.authors, r.tags, r.published_at, r.created_at,
        {CATEGORIES_OF} AS categories,
        (SELECT q.overall FROM quality q WHERE q.resource_id = r.id) AS quality,
        passage.text AS passage, place.found AS place,
        ts_headline(
            d.configuration::regconfig,
            translate(passage.text, :breaks, :blanks),
            to_tsquery(d.configuration::regconfig, :any),
            'HighlightAll=true, StartSel=' || :start || ', StopSel=' || :stop
        ) AS marked
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS hit(id, place)
    JOIN resources r ON r.id = hit.id
    LEFT JOIN search_documents d ON d.resource_id = r.id
    LEFT JOIN LATERAL (
        SELECT tsvector_to_array(to_tsvector(d.configuration::regconfig, translate(:words, :breaks, :blanks))) AS stems
    ) looked_for ON true
    LEFT JOIN LATERAL (
        SELECT c.text, c.start + coalesce(
            (SELECT min(nullif(position(stem IN lower(c.text)), 0)) - 1 FROM unnest(stems) AS stem),
            (c."end" - c.start) / 2) AS found_at
        FROM chunks c WHERE c.resource_id = r.id
        ORDER BY (SELECT count(*) FROM unnest(stems) AS stem WHERE position(stem IN lower(c.text)) > 0) DESC,
            c.embedding <=> CAST(:vector AS halfvec), c.ordinal
        LIMIT 1
    ) chunk ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(chunk.text, ''), substr(r.content, greatest(1, (
            SELECT min(nullif(position(stem IN lower(left(r.content, 100000))), 0)) FROM unnest(stems) AS stem
        ) - 100), :excerpt)) AS text
    ) passage ON true
    LEFT JOIN LATERAL (
        SELECT CAST(jsonb_build_object('document_id', o.id, 'position', p.position, 'heading', p.heading,
            'start', p.start, 'end', p."end") AS text) AS found
        FROM documents o JOIN passages p ON p.resource_id = o.resource_id
        WHERE o.resource_id = r.id AND p.content_hash = r.content_hash AND p.start <= chunk.found_at
        ORDER BY p.position DESC LIMIT 1
    ) place ON true
    ORDER BY hit.place"""  # noqa: S608
)


async def passages(session: ReadSession, ids: list[UUID], query: Query, vector: Vector | None) -> list[RowMapping]:
    """Return the resources in this order, each with its best `passage` and the same as `marked` by PostgreSQL."""
    rows = await session.execute(
        _PASSAGES,
        {
            "ids": ids,
            "words": query.words,
            "any": tsquery(Either(tuple(query.weighed))),
            "vector": None if vector is None else to_text(vector),
            "breaks": BREAKS,
            "blanks": BLANKS,
            "start": START,
            "stop": STOP,
            "excerpt": EXCERPT,
        },
    )
    return list(rows.mappings())


def snippet(passage: str, marked: str | None) -> str:
    """Return about `LENGTH` characters of a passage as HTML, in which `<mark>` is the only tag.

    `marked` is the passage with `START` and `STOP` around words and any sign replaced by a blank. It must have the
    length of the passage; otherwise (PostgreSQL leaves out words of thousands of characters) nothing is marked.
    """
    spans = _spans(marked or "")
    if spans is None or len(marked or "") - 2 * len(spans) != len(passage):
        spans = []
    first, last = _window(passage, spans)
    pieces: list[str] = ["… " if first else ""]
    at = first
    for start, end in spans:
        if start >= first and end <= last:
            pieces += [_html(passage[at:start]), "<mark>", _html(passage[start:end]), "</mark>"]
            at = end
    pieces += [_html(passage[at:last]), " …" if last < len(passage) else ""]
    return "".join(pieces)


def _spans(marked: str) -> list[Span] | None:
    """Return where the marks are in the text without them; None where they make no pairs."""
    spans: list[Span] = []
    at = 0
    for number, part in enumerate(marked.split(START)):
        inside, *outside = part.split(STOP)
        if len(outside) != bool(number):
            return None
        if number:
            spans.append((at, at + len(inside)))
        at += len(inside) + sum(map(len, outside))
    return spans


def _window(passage: str, spans: Sequence[Span]) -> Span:
    """Return the part with most of the different words, cut between words."""

    def different(first: int) -> int:
        return len({passage[start:end].lower() for start, end in spans if start >= first and end <= first + LENGTH})

    starts = [0, *(max(0, start - LENGTH // 5) for start, _ in spans)]
    first = max(starts, key=lambda start: (different(start), -start))
    first = min(first, max(0, len(passage) - LENGTH))
    if first and (blank := passage.find(" ", first, first + LENGTH // 5)) >= 0:
        first = blank + 1
    last = min(len(passage), first + LENGTH)
    if last < len(passage) and (blank := passage.rfind(" ", last - LENGTH // 5, last)) >= 0:
        last = blank
    return first, last


def _html(text: str) -> str:
    return escape(text.replace("\n", " "))
