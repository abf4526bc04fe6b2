"""The article of a news page: what is found of it, and what is found besides; `python -m bench.extraction [FOLDER]`."""

import asyncio
import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import trafilatura

from bench.machine import versions
from bench.report import Report
from service.ingestion.extraction import extract
from service.ingestion.sandbox import sandbox

ARTICLES = Path(__file__).parents[2] / "shared" / "data" / "articles"
MARK = 0.97
SPEED_MARK = 2.5  # pages/s, of the whole way in; reading is a part of it
SHINGLE = 4  # words


@dataclass(frozen=True, slots=True)
class Article:
    """A page as served, and its article as people copied it out."""

    url: str
    html: bytes
    body: str


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall, averaged over pages, and F1 of the averages."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def load(folder: Path) -> dict[str, Article]:
    """Read `ground-truth.json` and `html/*.html.gz`."""
    truth = json.loads((folder / "ground-truth.json").read_text())
    return {
        name: Article(
            entry["url"], gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()), entry["articleBody"]
        )
        for name, entry in truth.items()
    }


def score(texts: Mapping[str, str], articles: Mapping[str, Article]) -> Score:
    """Compare texts with the true articles by their lower-cased word 4-grams."""
    pairs = [(shingles(texts[name]), shingles(article.body)) for name, article in articles.items()]
    shared = [sum((found & true).values()) for found, true in pairs]
    return Score(
        mean(common / max(1, found.total()) for common, (found, _) in zip(shared, pairs, strict=True)),
        mean(common / max(1, true.total()) for common, (_, true) in zip(shared, pairs, strict=True)),
    )


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Count the runs of four words in a text."""
    words = re.findall(r"\w+", text.lower())
    return Counter(tuple(words[start : start + SHINGLE]) for start in range(max(1, len(words) - SHINGLE + 1)))


async def read_all(articles: Mapping[str, Article]) -> tuple[dict[str, str], float]:
    """Read every page as a worker does; returns the texts and the seconds that it took."""
    first = next(iter(articles.values()))
    await extract(first.html, url=first.url)  # starts the zygote
    started = time.perf_counter()
    found = await asyncio.gather(
        *(extract(article.html, url=article.url, declared_type="text/html") for article in articles.values())
    )
    seconds = time.perf_counter() - started
    await sandbox().close()
    return {name: document.text for name, document in zip(articles, found, strict=True)}, seconds


def run(folder: Path = ARTICLES) -> Report:
    """Score our reading, trafilatura as it comes, and all text of the page."""
    articles = load(folder)
    ours, seconds = asyncio.run(read_all(articles))
    default = {name: trafilatura.extract(page.html, url=page.url) or "" for name, page in articles.items()}
    whole = {name: trafilatura.html2txt(page.html) for name, page in articles.items()}
    report = Report(
        name="extraction",
        title="The article of a news page",
        setting=f"{len(articles)} real pages, read in parser processes of one worker; scored by word 4-grams.",
        remarks=["F1 of the averages of precision and recall over the pages."],
        details={"versions": versions(["trafilatura", "lxml", "nh3"])},
    )
    for who, texts in (("Pharos", ours), ("trafilatura, default", default), ("all text", whole)):
        found = score(texts, articles)
        report.figure("precision", who, "", [found.precision])
        report.figure("recall", who, "", [found.recall])
        report.figure("F1", who, "", [found.f1])
    report.figure("speed", "Pharos", "pages/s", [len(articles) / seconds])
    report.figure("time for all pages", "Pharos", "s", [seconds])
    report.check("pages read", sum(bool(text) for text in ours.values()), len(articles))
    report.mark("F1", score(ours, articles).f1, "at least", MARK)
    report.mark("reading", len(articles) / seconds, "at least", SPEED_MARK, "pages/s")
    return report


if __name__ == "__main__":
    from bench.__main__ import show

    outcome = run(*map(Path, sys.argv[1:]))
    show(outcome)
    sys.exit(any(not mark.met for mark in outcome.marks))
