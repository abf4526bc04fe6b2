"""`docs/events.md`, written from the payloads, THE TABLE and the code that emits: `python -m service.catalogue`."""

import ast
from collections.abc import Iterable
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from service.events import Event, SystemEvent
from service.hooks import HOOKS, On

ROOT = Path(__file__).resolve().parents[1]

# Where the seeds name one thing twice: their other name -> ours.
ELSEWHERE = {
    "citation.extracted": SystemEvent.CITATIONS_EXTRACTED,
    "resource.quality_computed": SystemEvent.QUALITY_COMPUTED,
    "classification.completed": SystemEvent.RESOURCE_CLASSIFIED,
}

_PAGE = """\
# Events

An event is `{{id, name, version, data, timestamp, priority, correlation_id, cause}}`. `data` holds ids and small facts,
never bodies. `cause` is the id of the event whose task emitted it; all events of one request share its
`correlation_id`. `GET /events/history` lists the last of them over all processes, `GET /resources/{{id}}/timeline`
those of one resource, `GET /events/stream` sends them as they happen. `make table` prints which task each one starts
with which policy. This page is written from the code by `make docs`.

{families}
`collection_ids` names the collections that everybody who sees the event may see; the owners of private ones are told by
`collection.stale`.

Of a task that no person asked for, `error` is the name of a class only, since everybody may see the event.

An ingestion emits, in this order: `ingestion.started`, `citations.extracted`, `authors.extracted`, `resource.created`,
`resource.content_changed`, `ingestion.completed`; or `ingestion.started`, `ingestion.failed`.

## Other names

| elsewhere | here |
|---|---|
{elsewhere}
"""

_FAMILY = """\
## {family}

| event | version | priority | data | emitted by | starts | when |
|---|---|---|---|---|---|---|
{rows}
"""

_WRITTEN = {"UUID": "id", "str": "text", "datetime": "time"}


def page() -> str:
    """Return the text of docs/events.md."""
    payloads, emitters = _payloads(), _emitters()
    families: dict[str, list[str]] = {}
    for name in SystemEvent:
        family = name.partition(".")[0]
        families.setdefault(family, []).append(_row(payloads[name], emitters.get(payloads[name].__name__, set())))
    elsewhere = (f"| `{theirs}` | `{ours}` |" for theirs, ours in ELSEWHERE.items())
    return _PAGE.format(
        families="\n".join(_FAMILY.format(family=name, rows="\n".join(rows)) for name, rows in families.items()),
        elsewhere="\n".join(elsewhere),
    )


def write(root: Path = ROOT) -> None:
    """Write the page below `root`."""
    (root / "docs" / "events.md").write_text(page())


def _payloads() -> dict[str, type[Event]]:
    for path in sorted((ROOT / "service").rglob("events.py")):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return Event.registry


def _emitters() -> dict[str, set[str]]:
    """Return where each class is called: the slices of it, or what else stands in their place."""
    found: dict[str, set[str]] = {}
    for top in ("service", "workers"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            place = parts[1] if top == "service" else top
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    found.setdefault(node.func.id, set()).add(place)
    return found


def _row(event: type[Event], emitters: Iterable[str]) -> str:
    data = ", ".join(f"`{field.alias or key}` {_type(field)}" for key, field in event.model_fields.items())
    starts = ", ".join(map(_started, (row for row in HOOKS if row.event is event)))
    when = " ".join(cleandoc(event.__doc__ or "").split())
    cells = (f"`{event.name}`", event.version, event.priority.name.lower(), data, ", ".join(sorted(emitters)), starts)
    return f"| {' | '.join(map(str, cells))} | {when} |"


def _started(row: On) -> str:
    name = getattr(row.run, "name", None) or getattr(row.run, "__name__", repr(row.run))
    wait = f" after {row.after:g} s" if row.after else ""
    return f"`{name}`{wait}{' on a condition' if row.when else ''}"


def _type(field: FieldInfo) -> str:
    return _named(field.annotation)


def _named(annotation: Any) -> str:
    """Write a type as JSON has it: `id`, `text[]`, `text or null`."""
    of = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join("null" if one is NoneType else _named(one) for one in of)
    if get_origin(annotation) is list:
        return f"{_named(of[0])}[]"
    if get_origin(annotation) is dict:
        return f"{{{_named(of[0])}: {_named(of[1])}}}"
    if of:  # Literal
        return " or ".join(f"`{one}`" for one in of)
    name = getattr(annotation, "__name__", str(annotation))
    return _WRITTEN.get(name, name.lower())


if __name__ == "__main__":
    write()
