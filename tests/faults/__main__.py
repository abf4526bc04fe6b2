"""`python -m tests.faults [ROW ...]`: run these rows of the fault table, or all; 1 where Pharos misses a mark."""

import argparse
import asyncio
import sys
import traceback
from importlib import metadata

from tests.faults import rows
from tests.faults.report import Result, show, write
from tests.faults.row import ROWS, Form, Found, Row
from tests.faults.site import PATIENCE, Ground, ground, site

assert rows


async def play(row: Row, form: Form, ground: Ground, *, stock: bool) -> Found:
    """Run one form of a row at a site of its own."""
    async with site(ground, stock=stock) as made:
        return await row.play(made, **form)


async def run(names: list[str], *, quick: bool, peer: bool, page: bool) -> int:
    """Run rows; returns how many missed a mark."""
    results: list[Result] = []
    async with ground() as place:
        for row in (ROWS[name] for name in names):
            for form in row.short if quick else row.long:
                result = Result(row, form)
                try:
                    result.ours = await play(row, form, place, stock=False)
                except Exception as error:
                    traceback.print_exc()
                    result.error = f"{type(error).__name__}: {error}"
                if peer and not row.peer:
                    try:
                        result.theirs = await play(row, form, place, stock=True)
                    except Exception as error:  # it does not get so far
                        result.their_error = f"{type(error).__name__}: {error}"
                result.judge()
                show(result)
                results.append(result)
                if page:
                    write(results, metadata.version("dramatiq"), PATIENCE, quick=quick)
    missed = sum(bool(result.missed) for result in results)
    print(f"\n{len(results)} runs, {missed} missed a mark")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all of them without one")
    parser.add_argument("--quick", action="store_true", help="the short forms, without stock Dramatiq")
    parser.add_argument("--peer", action="store_true", help="stock Dramatiq also beside the short forms")
    parser.add_argument("--page", action="store_true", help="write docs/faults.md")
    asked = parser.parse_args()
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    names = asked.rows or list(ROWS)
    peer = asked.peer or not asked.quick
    return 1 if asyncio.run(run(names, quick=asked.quick, peer=peer, page=asked.page)) else 0


if __name__ == "__main__":
    sys.exit(main())
