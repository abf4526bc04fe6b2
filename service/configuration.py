"""`.env.example` and `docs/configuration.md`, written from the settings: `python -m service.configuration`."""

from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo

from service.settings import Settings

ROOT = Path(__file__).resolve().parents[1]

# What a Celery installation calls them -> ours. Its names are not read: on a shared machine they are another program's.
ELSEWHERE = {
    "CELERY_BROKER_URL": ("PHAROS_BROKER_URL", "the same address"),
    "CELERY_RESULT_BACKEND": ("PHAROS_BROKER_URL", "results are kept for an hour beside the tasks"),
    "REDIS_HOST": ("PHAROS_CACHE_URL", "`redis://REDIS_HOST:REDIS_PORT/REDIS_CACHE_DB`"),
    "REDIS_PORT": ("PHAROS_CACHE_URL", "`redis://REDIS_HOST:REDIS_PORT/REDIS_CACHE_DB`"),
    "REDIS_CACHE_DB": ("PHAROS_CACHE_URL", "`redis://REDIS_HOST:REDIS_PORT/REDIS_CACHE_DB`; never the tasks' database"),
}

_PAGE = """\
# Configuration

Every setting is an environment variable, or a line in a file `.env` beside the `Makefile`; the environment wins.
For one start: `make up PHAROS_PORT=8001`. Nothing has to be set. This page is written from `service/settings.py` by
`make docs`.

| variable | default | meaning |
|---|---|---|
{settings}

## Names in a Celery installation

These are not read; what they hold goes here:

| there | here | how |
|---|---|---|
{elsewhere}
"""

_EXAMPLE = """\
# Settings of Pharos. Copy this file to `.env` and change what you need; docs/configuration.md says the same as a table.
# Written from service/settings.py by `make docs`.

{settings}

# Names in a Celery installation are not read; what they hold goes here:
{elsewhere}
"""


def page() -> str:
    """Return the text of docs/configuration.md."""
    rows = (f"| `{name}` | {_shown(field)} | {_meaning(field)} |" for name, field in _fields())
    elsewhere = (f"| `{theirs}` | `{ours}` | {how} |" for theirs, (ours, how) in ELSEWHERE.items())
    return _PAGE.format(settings="\n".join(rows), elsewhere="\n".join(elsewhere))


def example() -> str:
    """Return the text of .env.example; every line is a comment, so that a copy changes nothing."""
    lines = (f"# {_meaning(field)}\n#{name}={_written(field.default)}" for name, field in _fields())
    elsewhere = (f"#   {theirs:<21} -> {ours} ({how.replace('`', '')})" for theirs, (ours, how) in ELSEWHERE.items())
    return _EXAMPLE.format(settings="\n\n".join(lines), elsewhere="\n".join(elsewhere))


def write(root: Path = ROOT) -> None:
    """Write both files below `root`."""
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "configuration.md").write_text(page())
    (root / ".env.example").write_text(example())


def _fields() -> list[tuple[str, FieldInfo]]:
    prefix = str(Settings.model_config.get("env_prefix", ""))
    return [(f"{prefix}{name}".upper(), field) for name, field in Settings.model_fields.items()]


def _meaning(field: FieldInfo) -> str:
    choices = [value for value in get_args(field.annotation) if isinstance(value, str)]
    text = field.description or ""
    return f"{text} One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else text


def _shown(field: FieldInfo) -> str:
    written = _written(field.default)
    return f"`{written}`" if written else "unset" if NoneType in get_args(field.annotation) else "empty"


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list() | tuple():
            return ",".join(_written(part) for part in value)
        case _:
            return str(value)


if __name__ == "__main__":
    write()
