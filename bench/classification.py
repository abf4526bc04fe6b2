"""Classification quality on FOLDOC: articles of a dictionary of computing, and the subjects that its editors gave them.

The articles are those of the 20 subjects that come first most often, of eight words or more: shorter ones only name
another article. The figures that are marked are of the articles with exactly one of these subjects; an article on
<programming, language> would be right and wrong at once. Those of all articles, by the first subject, stand beside.
"""

import asyncio
import gzip
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np

from bench.cranfield import model_server
from bench.debian import unpacked
from bench.report import Report, WorkNotDone
from bench.servers import inherited, process
from service import inference
from service.settings import settings
from service.taxonomy.classifier import Classifier, Trained, Vectors
from service.taxonomy.contest import CENTROID, REGRESSION
from service.taxonomy.evaluation import Labels, macro_f1
from service.taxonomy.meanings import said

PACKAGE = "dict-foldoc"
CLASSES = 20
WORDS = 8  # of an article, at least
DRAWS = 3  # of labelled articles
LABELS = (100, 300, 1500)
MARKS = {300: 0.70, 1500: 0.74}
TOP_FIVE = 0.88  # without any label

# As somebody who makes such a tree would describe its categories; written before anything was measured with them.
DESCRIPTIONS = {
    "language": "programming languages, dialects and notations, and their implementations",
    "networking": "computer networks, protocols, routing, the Internet",
    "programming": "writing software: data types, techniques, paradigms, source code",
    "jargon": "slang and humorous expressions of hackers",
    "operating system": "Unix, kernels, processes, files, shells and commands",
    "hardware": "electronic components, buses, connectors, peripherals",
    "communications": "telephone lines, modems, signals, transmission of data",
    "company": "businesses, manufacturers and vendors",
    "mathematics": "sets, functions, numbers, geometry and proofs",
    "storage": "disks, tapes, memory and media that hold data",
    "tool": "utility programs and software packages for developers",
    "database": "relational databases, queries, records and transactions",
    "body": "organisations, institutes, committees and standards bodies",
    "processor": "microprocessors, CPUs and instruction sets",
    "computer": "models of computers, workstations, minicomputers and mainframes",
    "character": "characters, ASCII codes and punctuation marks",
    "messaging": "electronic mail, newsgroups and messages",
    "web": "World-Wide Web pages, sites, browsers and HTML",
    "graphics": "images, pixels, displays and rendering",
    "person": "people: scientists, engineers, inventors and founders",
}

_DIGITS = {sign: value for value, sign in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_ARTICLE = re.compile(r"(?P<title>[^\n]*)\n.*?^\s*<(?P<subjects>[^<>]*)>\s*(?P<text>.*)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Article:
    """An entry of the dictionary, without the subjects in its text."""

    title: str
    text: str
    subjects: list[str]


def number(text: str) -> int:
    """Return a number of a dictd index: base 64, most significant digit first (dictfmt(1))."""
    value = 0
    for sign in text:
        value = 64 * value + _DIGITS[sign]
    return value


def articles(folder: Path) -> Iterator[Article]:
    """Yield the entries that have subjects, in their order; dictzip is gzip with an index of its own."""
    data = gzip.decompress((folder / "foldoc.dict.dz").read_bytes())
    entries = (line.split("\t") for line in (folder / "foldoc.index").read_text().splitlines())
    for start, length in sorted({(number(at), number(size)) for word, at, size, *_ in entries if word[:2] != "00"}):
        found = _ARTICLE.match(data[start : start + length].decode())
        if found:
            subjects = [" ".join(one.split()) for one in found["subjects"].split(",")]
            yield Article(found["title"], re.sub(r"[{}]", "", found["text"]).strip(), subjects)


def run() -> Report:
    """Embed the articles, and let both kinds of model learn from more and more of them."""
    known = list(articles(unpacked(PACKAGE) / "usr" / "share" / "dictd"))
    classes = [name for name, _ in Counter(one.subjects[0] for one in known).most_common(CLASSES)]
    if set(classes) != set(DESCRIPTIONS):
        raise WorkNotDone(f"the dictionary has other subjects than those described: {classes}")
    chosen = [one for one in known if one.subjects[0] in classes and len(one.text.split()) >= WORDS]
    with tempfile.TemporaryDirectory(prefix="pharos-bench-") as folder:
        environment = inherited() | {"PHAROS_HOME": folder, "PHAROS_INFERENCE_SOCKET": f"{folder}/inference"}
        os.environ.update({name: value for name, value in environment.items() if name.startswith("PHAROS_")})
        settings.cache_clear()
        log = (Path(folder) / "inference.log").open("wb")
        with log, process([sys.executable, "-m", "workers.inference"], environment, log.fileno()):
            vectors, priors = asyncio.run(_embedded(chosen, classes))
    return _measured(chosen, classes, vectors, priors)


async def _embedded(chosen: list[Article], classes: list[str]) -> tuple[Vectors, list[Vectors]]:
    free = asyncio.Semaphore(8)

    async def one(title: str, text: str) -> Vectors:
        async with free:
            mean = (await inference.embed_passages(title, text)).mean
        if mean is None:
            raise WorkNotDone(f"{title} has nothing to embed")
        return np.frombuffer(mean, dtype=np.float32)

    async with inference.connected():
        await model_server()
        vectors = await asyncio.gather(*(one(article.title, article.text) for article in chosen))
        priors = await asyncio.gather(*(one(*said([name], DESCRIPTIONS[name])) for name in classes))
    return np.stack(vectors), list(priors)


def _measured(chosen: list[Article], classes: list[str], vectors: Vectors, priors: list[Vectors]) -> Report:
    y = np.array([classes.index(article.subjects[0]) for article in chosen])
    clear = np.array([len(set(classes).intersection(article.subjects)) == 1 for article in chosen])
    report = Report(
        "classification",
        "Classification quality: FOLDOC",
        f"{len(chosen):,} articles on {CLASSES} subjects, {int(clear.sum()):,} of them on one only; labelled ones are "
        f"drawn at random, {DRAWS} times, and the others are the test. The vectors are those of the model server.",
    )
    report.checks["articles embedded"] = [len(vectors)]
    report.remarks.append(
        "The worth of a name, the temperature and the penalty were chosen on draws of these same articles, and so was "
        "what counts as on one subject only; the better kind is the one that is better on the test."
    )
    for who, x, actual in (("one subject", vectors[clear], y[clear]), ("all articles", vectors, y)):
        simple = _taught(CENTROID, priors, x[:0], actual[:0])
        top_one, top_five = _right(simple, x, actual)
        report.figure("no labels, top 1", who, "", [top_one])
        report.figure("no labels, top 5", who, "", [top_five])
        if who == "one subject":
            report.mark("no labels, top 5", top_five, "at least", TOP_FIVE)
        for labels in LABELS:
            best = _learnt(report, who, labels, priors, x, actual)
            if who == "one subject" and labels in MARKS:
                report.mark(f"{labels:,} labels, top 1, the better kind", best, "at least", MARKS[labels])
    known = _taught(CENTROID, priors * 5, vectors[:0], y[:0])
    began = time.process_time()
    for vector in vectors[:1000]:
        known.predict(vector, 5)
    took = time.process_time() - began
    report.figure("scoring one of 100 categories", "centroid", "ms", [took])
    report.mark("scoring one of 100 categories", took, "at most", 20, "ms")
    return report


def _learnt(report: Report, who: str, labels: int, priors: list[Vectors], x: Vectors, y: Labels) -> float:
    """Report both kinds, and return the mean accuracy of the better one."""
    means: list[float] = []
    for kind in (CENTROID, REGRESSION):
        firsts, fives, f1s = [], [], []
        for draw in range(DRAWS):
            order = np.random.default_rng(draw).permutation(len(x))
            seen, test = order[:labels], order[labels:]
            taught = _taught(kind, priors, x[seen], y[seen])
            first, five = _right(taught, x[test], y[test])
            firsts.append(first)
            fives.append(five)
            f1s.append(macro_f1(y[test], taught.best(x[test])))
        name = kind.replace("_", " ")
        report.figure(f"{labels:,} labels, top 1, {name}", who, "", firsts)
        report.figure(f"{labels:,} labels, top 5, {name}", who, "", fives)
        report.figure(f"{labels:,} labels, macro-F1, {name}", who, "", f1s)
        means.append(float(np.mean(firsts)))
    return max(means)


def _taught(kind: str, priors: list[Vectors], x: Vectors, y: Labels) -> Classifier:
    ids = [UUID(int=place) for place in range(len(priors))]
    counts = [int((y == place).sum()) for place in range(len(priors))]
    centroids = [x[y == place].mean(axis=0) if count else None for place, count in enumerate(counts)]
    simple = Classifier.of(ids, priors, centroids, counts)
    if kind == CENTROID:
        return simple
    return Classifier.of(ids, priors, centroids, counts, Trained.on(simple, x, y))


def _right(known: Classifier, x: Vectors, y: Labels) -> tuple[float, float]:
    """Return the shares of vectors whose class is the best, and among the best five."""
    order = np.argsort(-known.logits(x), axis=1)
    return float((order[:, 0] == y).mean()), float((order[:, :5] == y[:, None]).any(axis=1).mean())
