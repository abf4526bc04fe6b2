"""A database of a hundred thousand resources and of all that may hang on them, filled as its catalogue says.

Row `i` of a table has the id `of(table, i)`, and belongs to row `i * P % n` of each table that it points to: row 0
points to rows 0. Whatever a new table holds is filled without being named here.
"""

from dataclasses import dataclass
from hashlib import md5
from uuid import UUID

import asyncpg

ROWS = 100_000
FEW = {  # rows of what a library has few of, and of what is bounded
    "users": 1000, "categories": 500, "classification_models": 20, "quiz_model_usage": 60, "taxonomy_state": 1,
    "graph_rankings": 1, "search_corpora": 1, "study_subjects": 5000, "notification_preferences": 1000,
    "webhooks": 1000,
    "recommendation_profiles": 1000, "idempotency_keys": 5000, "outbox": 0, "invitations": 500, "login_links": 500,
}  # fmt: skip
VECTORS = 2000  # rows with an index of vectors: to build one of a hundred thousand takes minutes
SAID = {  # where any word would not do: SQL
    ("resources", "status"): "CASE i % 500 WHEN 1 THEN 'pending' WHEN 2 THEN 'processing' WHEN 3 THEN 'failed'"
    " ELSE 'completed' END",
    ("documents", "passages_hash"): "'passages/1 ' || md5(i::text)",
    ("documents", "ready_hash"): "CASE WHEN i % 500 <> 1 THEN 'passages/1 ' || md5(i::text) END",
    ("documents", "failed_hash"): "CASE WHEN i % 500 = 1 THEN 'passages/1 ' || md5(i::text) END",
    ("quizzes", "status"): "'ready'",
    ("quiz_sessions", "submitted_at"): "CASE WHEN i % 3 <> 1 THEN now() END",
    ("search_corpora", "configuration"): "'pharos_english'",
    ("search_documents", "labels"): "ARRAY['type:note', 'language:en', 'tag:word' || i % 1000]",
    ("search_documents", "configuration"): "'pharos_english'",
}
PRIMES = (1, 7919, 7907, 7901, 7883)  # of the tables that one points to
KEPT_FALSE = ("private", "disabled", "revoked", "lasting")  # what is rarely true

_COLUMNS = """
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS required,
    a.attidentity <> '' OR a.attgenerated <> '' AS made, coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS given,
    (SELECT f.relname FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
        WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS target,
    (SELECT ka.attname FROM pg_constraint k
        JOIN pg_attribute ka ON ka.attrelid = k.confrelid AND ka.attnum = k.confkey[1]
        WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS target_column,
    EXISTS (SELECT FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS distinct,
    (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
        WHERE k.contype = 'c' AND k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS allowed,
    EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
        WHERE i.indrelid = c.oid AND m.amname = 'hnsw') AS vectors,
    a.atttypmod AS dimensions
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_CHECKS = """
SELECT conname FROM pg_constraint
WHERE contype = 'c' AND conrelid = to_regclass(quote_ident($1)) AND array_length(conkey, 1) > 1
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many rows each table has."""

    rows: dict[str, int]


def of(table: str, number: int = 0) -> UUID:
    """Return the id of a row."""
    return UUID(md5(f"{table}{number}".encode()).hexdigest())


async def fill(url: str) -> Filled:
    """Fill all tables; its first user is `admin`."""
    connection = await asyncpg.connect(url)
    try:
        tables: dict[str, list[asyncpg.Record]] = {}
        for row in await connection.fetch(_COLUMNS):
            tables.setdefault(row["table"], []).append(row)
        rows = {
            name: FEW.get(name, VECTORS if any(column["vectors"] for column in columns) else ROWS)
            for name, columns in tables.items()
        }
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for name, columns in tables.items():
            for check in await connection.fetch(_CHECKS, name):  # what one column must not say alone, plans do not mind
                await connection.execute(f'ALTER TABLE "{name}" DROP CONSTRAINT "{check[0]}"')
            chosen = {column["name"]: _value(column, rows) for column in columns if not column["made"]}
            names = ", ".join(f'"{one}"' for one in chosen)
            await connection.execute(f'DELETE FROM "{name}"')
            await connection.execute(
                f'INSERT INTO "{name}" ({names}) SELECT {", ".join(chosen.values())}'
                f" FROM generate_series(0, {rows[name]} - 1) AS i ON CONFLICT DO NOTHING"
            )
        await connection.execute(f"UPDATE users SET username = 'admin', role = 'admin' WHERE id = '{of('users')}'")
        await connection.execute("VACUUM ANALYZE")
        return Filled(rows)
    finally:
        await connection.close()


def _value(column: asyncpg.Record, rows: dict[str, int]) -> str:
    """Return the SQL of a value for row `i`."""
    name, type_, target = column["name"], column["type"], column["target"]
    if said := SAID.get((column["table"], name)):
        return said
    if target is not None:
        prime = PRIMES[1 + sum(map(ord, name)) % 4] if column["name"] != column["target_column"] else 1
        number = f"(i * {prime} % {max(rows[target], 1)})"
        if type_ == "uuid":
            made = (
                f"md5('{target}' || {number})::uuid"
                if column["target_column"] == "id"
                else f"md5('resources' || {number})::uuid"
            )
            return made if column["required"] else f"CASE WHEN i % 2 = 0 THEN {made} END"
        return f"'{name}' || {number}" if type_ == "text" else f"{number}"
    made = _plain(column)
    if column["required"] or column["distinct"]:
        return made
    return f"CASE WHEN i % 3 = 1 THEN {made} END"


def _plain(column: asyncpg.Record) -> str:
    name, type_, distinct = column["name"], column["type"], column["distinct"]
    if column["allowed"] and "'" in column["allowed"]:
        options = column["allowed"].split("'")[1::2]
        listed = ", ".join(f"'{option}'" for option in options)
        return f"(ARRAY[{listed}])[1 + i % {len(options)}]"
    match type_:
        case "uuid":
            return f"md5('{column['table']}' || i)::uuid" if name == "id" else f"md5('resources' || i % {ROWS})::uuid"
        case "text" | "character varying" | '"char"':
            return f"'{name}' || i" if distinct else f"'word' || i % 1000 || ' {name} word' || i % 17"
        case "boolean":
            return "i % 10 = 1" if name in KEPT_FALSE else "i % 2 = 0"
        case "smallint" | "integer" | "bigint":
            return "i" if distinct and type_ != "smallint" else "i % 1000"
        case "double precision" | "real" | "numeric":
            return "(i % 101) / 101.0"
        case "timestamp with time zone":
            return "now() - i * interval '1 minute'"
        case "date":
            return "current_date - i" if distinct else "current_date - i % 365"
        case "jsonb":
            return column["given"] or "'{}'::jsonb"
        case "bytea":
            return f"decode(md5('{name}' || i), 'hex')"
        case "text[]":
            return "ARRAY['word' || i % 1000, 'tag' || i % 17]"
        case "uuid[]":
            return f"ARRAY[md5('{column['table']}' || i)::uuid]"
        case "real[]" | "double precision[]":
            return f"array_fill(0.1::real, ARRAY[384])::{type_}"
        case "integer[]":
            return "ARRAY[i % 1000]"
        case "tsvector":
            return "to_tsvector('simple', 'word' || i % 1000 || ' text word' || i % 17)"
        case "vector" | "halfvec":
            return f"array_fill(((i % 97) + 1)::real / 97, ARRAY[{column['dimensions']}])::real[]::{type_}"
        case "sparsevec":
            return f"('{{' || 1 + i % 1000 || ':1}}/{column['dimensions']}')::sparsevec"
        case _:
            return f"NULL::{type_}"
