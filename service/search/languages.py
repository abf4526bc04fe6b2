"""The text search configuration of each language: its stemmer and stop words, behind a filter that drops accents."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
    "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
    "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
SIMPLE = "pharos_simple"  # words as they stand, for every other language
CONFIGURATIONS = {code: f"pharos_{name}" for code, name in LANGUAGES.items()}

_NAMES = ",".join(["simple", *sorted(set(LANGUAGES.values()))])

SETUP = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE EXTENSION IF NOT EXISTS unaccent",
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
