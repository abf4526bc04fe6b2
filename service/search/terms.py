"""The terms of the library, and how much each text is about each of them: what BM25 needs, kept by the index task.

A text's weight of a term is the part of BM25F that its words decide (Robertson, Zaragoza: The Probabilistic Relevance
Framework, 2009): occurrences, weighted by field, saturated, and measured against the length of the text. All weights of
a text are one sparse vector, the rarities of the query's terms another, and the score is their inner product: one look
at one row per candidate.
"""

from service.search.vectors import TERMS

SATURATION = 1.5  # k1: how soon more of the same word tells nothing new
LENGTH = 0.75  # b: how much a long text has to have more of it
FIELD_WEIGHTS = {"A": 2.0, "B": 1.0, "C": 1.0, "D": 1.0}  # title; authors, subjects and tags; description; text
MOST_TERMS = 16_000  # of one text, which is what a sparse vector holds
MAGNITUDE = "CAST(floor(log(2, greatest(documents, 1))) AS smallint)"  # of a number of texts: 1, 2-3, 4-7, 8-15, ...

_WEIGHT = " ".join(f"WHEN '{label}' THEN {weight}" for label, weight in FIELD_WEIGHTS.items())

# Reads `fresh`: resource_id, configuration, tsv. Gives `known`: the terms of the text and of what it was before; and
# `weighted`: weights and length of the text. Terms and corpora are locked in one order by everybody, so that runs for
# different texts wait for each other and never in a circle; who has a term may change the words that have it, which
# happens where the number of its texts doubles.
WEIGHING = f"""
    counted AS MATERIALIZED (
        SELECT lexeme, (SELECT sum(CASE label {_WEIGHT} END) FROM unnest(weights) AS label) AS occurrences
        FROM fresh, unnest(tsv)
    ),
    measured AS MATERIALIZED (SELECT coalesce(sum(occurrences), 0) AS length FROM counted),
    before AS MATERIALIZED (
        SELECT d.configuration, d.length, d.tsv FROM fresh JOIN search_documents d USING (resource_id)
        WHERE d.weights IS NOT NULL
    ),
    known AS (
        INSERT INTO search_terms AS t (lexeme, documents)
        SELECT lexeme, sum(change) FROM (
            SELECT lexeme, 1 AS change FROM counted
            UNION ALL SELECT lexeme, -1 FROM before, unnest(tsvector_to_array(tsv)) AS lexeme
        ) changes
        GROUP BY lexeme ORDER BY lexeme COLLATE "C"
        ON CONFLICT (lexeme) DO UPDATE SET documents = greatest(t.documents + excluded.documents, 0)
        RETURNING id, lexeme, documents, {MAGNITUDE} AS magnitude
    ),
    risen AS (
        UPDATE search_words w SET magnitude = known.magnitude FROM known
        WHERE w.term_id = known.id AND documents & (documents - 1) = 0 AND w.magnitude <> known.magnitude
    ),
    corpora AS (
        INSERT INTO search_corpora AS c (configuration, documents, length)
        SELECT configuration, sum(documents), sum(length) FROM (
            SELECT configuration, 1 AS documents, length FROM fresh, measured
            UNION ALL SELECT configuration, -1, -length FROM before
        ) changes, (SELECT count(*) FROM known) after_the_terms
        GROUP BY configuration ORDER BY configuration
        ON CONFLICT (configuration) DO UPDATE SET documents = greatest(c.documents + excluded.documents, 0),
            length = greatest(c.length + excluded.length, 0)
    ),
    average AS MATERIALIZED (
        SELECT greatest((coalesce(sum(c.length), 0) + measured.length) / (coalesce(sum(documents), 0) + 1), 1) AS length
        FROM measured LEFT JOIN search_corpora c ON true GROUP BY measured.length
    ),
    weighted AS MATERIALIZED (
        SELECT measured.length, CAST(
            '{{' || coalesce(string_agg(id || ':' || round(CAST(weight AS numeric), 4), ','), '') || '}}/{TERMS}'
            AS sparsevec) AS weights
        FROM measured LEFT JOIN LATERAL (
            SELECT known.id, occurrences * ({SATURATION} + 1) / (occurrences
                + {SATURATION} * (1 - {LENGTH} + {LENGTH} * measured.length / average.length)) AS weight
            FROM counted JOIN known USING (lexeme), average
            ORDER BY weight DESC LIMIT {MOST_TERMS}
        ) best ON true
        GROUP BY measured.length
    )"""  # noqa: S608

# What a deletion takes away. Whoever deletes many texts waits for who indexes, and the other way round.
FORGETTING = (
    """CREATE OR REPLACE FUNCTION pharos_forget_terms() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WITH gone_terms AS MATERIALIZED (
            SELECT lexeme, count(*) AS number FROM gone, unnest(tsvector_to_array(tsv)) AS lexeme
            WHERE weights IS NOT NULL GROUP BY lexeme
        ),
        locked AS MATERIALIZED (
            SELECT t.id, number FROM search_terms t JOIN gone_terms USING (lexeme) ORDER BY lexeme FOR UPDATE OF t
        )
        UPDATE search_terms t SET documents = greatest(t.documents - number, 0) FROM locked WHERE t.id = locked.id;
        WITH gone_texts AS MATERIALIZED (
            SELECT configuration, count(*) AS number, sum(length) AS length FROM gone
            WHERE weights IS NOT NULL GROUP BY configuration
        ),
        locked AS MATERIALIZED (
            SELECT c.configuration, g.number, g.length FROM search_corpora c JOIN gone_texts g USING (configuration)
            ORDER BY configuration FOR UPDATE OF c
        )
        UPDATE search_corpora c SET documents = greatest(c.documents - number, 0),
            length = greatest(c.length - locked.length, 0)
        FROM locked WHERE c.configuration = locked.configuration;
        RETURN NULL;
    END $$""",
    """CREATE OR REPLACE TRIGGER forget_terms AFTER DELETE ON search_documents
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pharos_forget_terms()""",
)
