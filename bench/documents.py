"""Reports as files: JSON and SVG in docs/benchmarks/, and all of them in docs/BENCHMARKS.md."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.charts import number, plot
from bench.report import Figure, Report

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "benchmarks"
PAGE = ROOT / "docs" / "BENCHMARKS.md"

_HEAD = """\
# Benchmarks

Every figure here comes from `make bench` (`make bench BENCH=name` for one), which also wrote this page. Peers and
Pharos ran in turn within one run on the same machine; a figure is the median of the repeats, with the least and the
greatest. Absolute figures differ between machines and with what else runs on them: compare within one table.
The raw data are in [docs/benchmarks/](benchmarks/).
"""


def store(report: Report, machine: dict[str, Any]) -> None:
    """Write a report and its plot, then the page about all reports."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": machine,
        **asdict(report),
        "figures": [asdict(figure) | {"median": figure.median} for figure in report.figures],
        "marks": [asdict(mark) | {"met": mark.met} for mark in report.marks],
    }
    (FOLDER / f"{report.name}.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (FOLDER / f"{report.name}.svg").write_text(plot(report.figures))
    PAGE.write_text(page())


def page() -> str:
    """Return docs/BENCHMARKS.md from the stored reports."""
    documents = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    summary = ["| benchmark | mark | found | |", "| --- | --- | --- | --- |"]
    for document in documents:
        summary += [f"| [{document['name']}](#{document['name']}) | {_mark(mark)} |" for mark in document["marks"]]
    return "\n".join([_HEAD, *summary, "", *map(_section, documents)])


def _mark(mark: dict[str, Any]) -> str:
    unit = f" {mark['unit']}" if mark["unit"] else ""
    verdict = "met" if mark["met"] else "**MISSED**"
    return f"{mark['what']} {mark['kind']} {mark['bound']:g}{unit} | {number(mark['value'])}{unit} | {verdict}"


def _section(document: dict[str, Any]) -> str:
    machine = document["machine"]
    rows = ["| | | median | min | max | |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for entry in document["figures"]:
        figure = Figure(entry["what"], entry["who"], entry["unit"], entry["values"])
        values = (number(value) for value in (figure.median, min(figure.values), max(figure.values)))
        rows.append(f"| {figure.what} | {figure.who} | {' | '.join(values)} | {figure.unit} |")
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"{machine['date']}, {machine['busy_percent_before']:.0f} % busy with other work before the run"
    )
    versions = ", ".join(f"{name} {version}" for name, version in document["details"].get("versions", {}).items())
    return "\n".join(
        [
            f"## {document['name']}",
            "",
            f"**{document['title']}.** {document['setting']}",
            "",
            f"![{document['title']}](benchmarks/{document['name']}.svg)",
            "",
            *rows,
            "",
            *(f"- {remark}" for remark in document["remarks"]),
            *(f"- Verified: {what}: {', '.join(map(str, found))}." for what, found in document["checks"].items()),
            f"- Where: {where}.",
            f"- With: {versions}." if versions else "",
            "",
        ]
    )
