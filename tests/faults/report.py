"""The table of the faults, on the terminal and in docs/faults.md."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.row import Form, Found, Row, number

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

`make faults` wrote this page, with the {forms} form of each row. Real worker processes, a Redis (Valkey, append-only
file) and a PostgreSQL of their own are killed, frozen and stopped; the producer's log of what was accepted is compared
with what the tasks did, which they append to a file without a unique key. *Lost* also counts what is stuck: not ended
{patience:.0f} s after the fault, mostly. *Back to work* is the time until what the dead had in hand was started again,
or until work went on. Each mark stands in brackets.

Stock Dramatiq {version} runs the same script on a Redis of the same kind, where it can: with 8 threads, the AsyncIO
middleware, a heartbeat time-out of 10 s instead of 60 s, and maintenance a hundred times as often as by default. What
ends is started again for both. These are single runs: they show mechanisms, not rates.

| fault | | lost | duplicates | back to work | more |
| --- | --- | ---: | ---: | ---: | --- |
"""


@dataclass(slots=True)
class Result:
    """One form of a row: what Pharos did, and stock Dramatiq, where it ran."""

    row: Row
    form: Form
    ours: Found | None = None
    error: str = ""
    theirs: Found | None = None
    their_error: str = ""
    missed: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        form = ", ".join(f"{name} {value}" for name, value in self.form.items())
        return f"{self.row.fault} ({form})" if form else self.row.fault

    def judge(self) -> None:
        self.missed = [self.error] if self.ours is None else self.row.missed(self.ours)

    @property
    def peer(self) -> str:
        """Say in short why there is no figure of the peer."""
        return self.row.peer or self.their_error or "not run"


def cells(found: Found | None, row: Row, *, marks: bool) -> list[str]:
    """Return lost, duplicates and recovery."""
    if found is None:
        return ["-", "-", "-"]
    duplicates = f"{found.duplicates} (<= {found.running})" if marks else str(found.duplicates)
    back = "-" if found.recovery is None else f"{number(found.recovery)} s"
    if marks and row.recovery is not None:
        back += f" (<= {row.recovery:g})"
    return [f"{found.lost} (0)" if marks else str(found.lost), duplicates, back]


def show(result: Result) -> None:
    """Print one row."""
    lost, duplicates, back = cells(result.ours, result.row, marks=True)
    print(f"\n{'MISSED' if result.missed else 'met   '}  {result.row.name}: {result.title}")
    print(f"          lost {lost}   duplicates {duplicates}   back to work {back}")
    for check in result.ours.checks if result.ours else ():
        print(f"          {check}{'' if check.met else '   MISSED'}")
    if result.error:
        print(f"          {result.error}")
    if result.theirs is None:
        print(f"          stock Dramatiq: {result.peer}", flush=True)
        return
    lost, duplicates, back = cells(result.theirs, result.row, marks=False)
    print(f"          stock Dramatiq: lost {lost}   duplicates {duplicates}   back to work {back}")
    for check in result.theirs.checks:
        print(f"                          {check}", flush=True)


def write(results: list[Result], version: str, patience: float, *, quick: bool) -> None:
    """Write docs/faults.md."""
    lines = [HEAD.format(version=version, patience=patience, forms="short" if quick else "long")]
    for result in results:
        verdict = f"Pharos, **MISSED**: {'; '.join(result.missed)}" if result.missed else "Pharos"
        lines.append(_line(result.title, verdict, cells(result.ours, result.row, marks=True), _more(result.ours)))
        if result.theirs is None:
            lines.append(_line("", "stock Dramatiq", ["", "", ""], result.peer))
        else:
            theirs = cells(result.theirs, result.row, marks=False)
            lines.append(_line("", "stock Dramatiq", theirs, _more(result.theirs)))
    PAGE.write_text("".join(lines))


def _more(found: Found | None) -> str:
    return "; ".join(map(str, found.checks)) if found else ""


def _line(*words: str | list[str]) -> str:
    flat = [part for word in words for part in (word if isinstance(word, list) else [word])]
    return f"| {' | '.join(flat)} |\n"
