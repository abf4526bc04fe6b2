"""`python -m bench [NAME ...]`: run these benchmarks, or all of them.

`--quick` runs the small forms of a few, which need no other packages; it writes nothing and fails only where work was
not done. `--page` only writes docs/BENCHMARKS.md again.
"""

import argparse
import sys
from importlib import import_module

from bench.charts import number
from bench.documents import PAGE, page, store
from bench.machine import machine
from bench.report import Report

NAMES = (
    "queue", "put", "ingest", "import", "extraction", "cranfield", "search", "classification", "graph",
    "recommendation", "derived", "quizzes", "cache", "checks", "hostile", "live", "page", "capacity", "bus", "idle",
    "system", "growth", "soak",
)  # fmt: skip
QUICK = ("queue", "bus", "cache", "put")


def show(report: Report, verdicts: bool = True) -> None:
    """Print what was found, and every mark, as met or missed unless that says little."""
    print(f"\n{report.title}\n{report.setting}\n")
    for figure in report.figures:
        low, high = number(min(figure.values)), number(max(figure.values))
        print(f"  {figure.what:<34} {figure.who:<22} {number(figure.median):>9} {figure.unit:<8} ({low} to {high})")
    print()
    for what, found in report.checks.items():
        print(f"  verified  {what}: {', '.join(map(str, found))}")
    for mark in report.marks:
        verdict = "mark" if not verdicts else "met" if mark.met else "MISSED"
        print(f"  {verdict:<8}  {mark.what} {mark.kind} {mark.bound:g} {mark.unit}: {number(mark.value)}")


def main() -> int:
    """Run what was asked for; 1 where a mark was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them without one")
    parser.add_argument("--page", action="store_true", help="only write docs/BENCHMARKS.md again")
    parser.add_argument("--quick", action="store_true", help=f"the small forms of {', '.join(QUICK)}")
    asked = parser.parse_args()
    if asked.quick:
        for name in QUICK:
            show(import_module(f"bench.{name}").quick(), verdicts=False)
        return 0
    if asked.page:
        PAGE.write_text(page())
        return 0
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    missed = 0
    for name in asked.names or NAMES:
        where = machine()
        report: Report = import_module(f"bench.{name}").run()
        store(report, where)
        show(report)
        missed += sum(not mark.met for mark in report.marks)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
