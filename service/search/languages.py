"""The text search configuration of each language: its stemmer and stop words, behind a filter that drops accents."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
    "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
    "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
WITH_STOP_WORDS = (
    "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish", "danish", "norwegian",
    "finnish", "hungarian", "russian", "turkish",
)  # fmt: skip
SIMPLE = "pharos_simple"  # words as they stand, for every other language
CONFIGURATIONS = {code: f"pharos_{name}" for code, name in LANGUAGES.items()}

_NAMES = ",".join(["simple", *sorted(set(LANGUAGES.values()))])

SETUP = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE EXTENSION IF NOT EXISTS unaccent",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"""DO $$
    DECLARE base text;
    BEGIN
        FOREACH base IN ARRAY '{{{_NAMES}}}'::text[] LOOP
            CONTINUE WHEN EXISTS (SELECT FROM pg_ts_config WHERE cfgname = 'pharos_' || base);
            EXECUTE format('CREATE TEXT SEARCH CONFIGURATION %I (COPY = pg_catalog.%I)', 'pharos_' || base, base);
            EXECUTE format(
                'ALTER TEXT SEARCH CONFIGURATION %I ALTER MAPPING FOR word WITH unaccent, %I',
                'pharos_' || base, base || CASE base WHEN 'simple' THEN '' ELSE '_stem' END
            );
        END LOOP;
    END $$""",
)  # what a database needs before the tables of this slice


def guess(sample: str) -> str:
    """Return SQL for the configuration of a text (an SQL expression) whose language nobody told, or NULL.

    It is the one that knows most of the text's first 300 words as its stop words, at least every eighth of them.
    """
    names = ", ".join(f"'{name}'" for name in WITH_STOP_WORDS)
    return f"""(
        SELECT 'pharos_' || base
        FROM (SELECT array_agg(word) AS words FROM (
            SELECT lower(word) AS word FROM regexp_split_to_table(left({sample}, 3000), '\\W+') AS word
            WHERE word <> '' LIMIT 300) AS first) AS beginning,
        unnest(ARRAY[{names}]) WITH ORDINALITY AS candidate(base, rank),
        LATERAL (
            SELECT count(*) AS stops FROM unnest(words) AS word
            WHERE ts_lexize(CAST(base || '_stem' AS regdictionary), word) = '{{}}') known
        WHERE stops * 8 >= cardinality(words) AND stops > 0
        ORDER BY stops DESC, rank LIMIT 1)"""  # noqa: S608
