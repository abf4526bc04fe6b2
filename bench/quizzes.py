"""Quizzes by rules: how long 20 questions of 30 pages take. `python -m bench.quizzes SEED PAGE` shows some.

The PDF is Debian Reference, the page a guide of the Python documentation, both read as an upload is.
"""

import sys
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from bench.debian import unpacked
from bench.machine import versions
from bench.report import Mark, Report, WorkNotDone
from service.ingestion.extracted import Source
from service.ingestion.reading import read
from service.ingestion.sniffing import sniff
from service.quizzes.drafts import TYPES, Asked, Draft, Made, Material
from service.quizzes.generation import generate

PDF = ("debian-reference-en", "usr/share/debian-reference/debian-reference.en.pdf")
PAGES = ("python3.11-doc", "usr/share/doc/python3.11/html")
FIRST, NUMBER = 40, 30  # pages
QUESTIONS = 20
REPEATS = 5
BOUND = 10.0  # seconds
LONG = 5_000_000  # characters: some 2,500 pages


def material(path: Path, body: bytes | None = None) -> Material:
    """Read a document as an upload is read."""
    body = body or path.read_bytes()
    found = read(body, sniff(body, path.name, None), Source(filename=path.name))
    return Material(found.text, found.language)


def pdf() -> Path:
    """Return the path of the PDF."""
    return unpacked(PDF[0]) / PDF[1]


def page(name: str) -> Path:
    """Return the path of a page of the Python documentation."""
    return unpacked(PAGES[0]) / PAGES[1] / name


def pages(path: Path, first: int, number: int) -> bytes:
    """Return some pages of a PDF as one."""
    reader, writer = PdfReader(path), PdfWriter()
    for place in range(first, first + number):
        writer.add_page(reader.pages[place])
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def quiz(one: Material, seed: int, number: int = QUESTIONS) -> Made:
    """Make a quiz of all types."""
    return generate([one], [], Asked(number, TYPES, None, seed))


def run() -> Report:
    """Make quizzes of 30 pages, of the whole PDF, and of a text as long as a shelf."""
    thirty, whole = material(pdf(), pages(pdf(), FIRST, NUMBER)), material(pdf())
    shelf = Material((whole.content * (LONG // len(whole.content) + 1))[:LONG], whole.language)
    seconds: dict[str, list[float]] = {"30 pages": [], "261 pages": [], "2,500 pages": []}
    made: list[Draft] = []
    for seed in range(REPEATS):
        for name, one in zip(seconds, (thirty, whole, shelf), strict=True):
            began = time.perf_counter()
            drafts = quiz(one, seed).drafts
            seconds[name].append(time.perf_counter() - began)
            if len(drafts) != QUESTIONS:
                raise WorkNotDone(f"a quiz of {name} has {len(drafts)} questions, not {QUESTIONS}")
            made += drafts
    report = Report("quizzes", "Quizzes by rules", _setting(thirty))
    for name, values in seconds.items():
        report.figure("20 questions", name, "s", values)
    worst = max(seconds["30 pages"])
    report.marks.append(Mark("20 questions of 30 pages, the slowest", worst, "at most", BOUND, "s"))
    report.checks["questions by type"] = [
        f"{number} {type}" for type, number in sorted(Counter(d.type for d in made).items())
    ]
    report.details["versions"] = versions(["nupunkt", "lemminflect"])
    return report


def _setting(thirty: Material) -> str:
    words = len(thirty.content.split())
    return (
        f"Quizzes of {QUESTIONS} questions of all types, without a language model, in one process: of {NUMBER} pages"
        f" of Debian Reference ({words:,} words), of all of it, and of {LONG:,} characters."
    )


def show(seed: int) -> None:
    """Print a quiz of the PDF and one of a page, to be read and judged."""
    for title, one in (("Debian Reference (PDF)", material(pdf())), ("a page", material(page(sys.argv[2])))):
        print(f"\n## {title}\n")
        for number, draft in enumerate(quiz(one, seed).drafts, 1):
            print(f"{number}. *{draft.type}, {draft.difficulty}* — {draft.stem}")
            if draft.options:
                print(
                    "   "
                    + " / ".join(f"**{o}**" if n == draft.answer["option"] else o for n, o in enumerate(draft.options))
                )
            else:
                print(f"   {draft.answer}")
            print(f"   > {' '.join(draft.passage.split())}")


if __name__ == "__main__":
    show(int(sys.argv[1]))
