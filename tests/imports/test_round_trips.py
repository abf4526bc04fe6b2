"""What a format can hold comes back: written by an export, read by an import."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from service.exports.formats import bibtex, markdown, outlines, readers, ris, zotero
from service.exports.record import Record, as_csl
from service.exports.routes import as_json
from service.imports.detection import detect
from service.imports.entry import Entry, flat, tags
from service.imports.formats import bibtex as read_bibtex
from service.imports.formats import bookmarks, csl, library, opml, pocket
from service.imports.formats import readers as read_readers
from service.imports.formats import ris as read_ris
from service.imports.formats import zotero as read_zotero
from service.imports.references import entry_of, people, plain
from service.ingestion.decoding import clean
from service.ingestion.formats.reading_view import text_of

Chars = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp"))


def _line(text: str) -> str:
    return flat(clean(text))


def lines(longest: int = 30) -> st.SearchStrategy[str]:
    tricky = st.sampled_from(
        ["{", "}", "\\", "%", "$", "&", "--", "''", "``", " and ", ",", "~", '"', "<b>", "@a{", "#"]
    )
    parts = st.lists(tricky | st.text(Chars, max_size=longest), max_size=5)
    return parts.map(lambda found: _line("".join(found))).filter(bool)


words = st.text(st.characters(categories=["Ll", "Lu"]), min_size=1, max_size=8).map(_line).filter(bool)
labels = st.lists(lines(20).map(lambda tag: flat(tag[:60])).filter(bool), max_size=4).map(tags)
years = st.integers(1000, 2100)
dates = st.one_of(
    st.tuples(years), st.tuples(years, st.integers(1, 12)), st.tuples(years, st.integers(1, 12), st.integers(1, 28))
).map(lambda parts: {"date-parts": [list(parts)]})
moments = st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)).map(
    lambda day: day.replace(microsecond=0, tzinfo=UTC)
)
urls = st.from_regex(r"https://[a-z]{1,8}\.org/[a-z0-9_~%&=?;,'()-]{0,20}", fullmatch=True)
persons = st.one_of(
    st.fixed_dictionaries({"family": lines(10), "given": lines(10)}),
    st.fixed_dictionaries({"literal": lines(10)}),
)
texts = {
    name: lines() for name in (
        "container-title", "volume", "publisher", "publisher-place", "edition", "collection-title", "abstract", "note",
    )
}  # fmt: skip
fields: dict[str, st.SearchStrategy[Any]] = {
    **texts,
    "author": st.lists(persons, min_size=1, max_size=3),
    "editor": st.lists(persons, min_size=1, max_size=2),
    "issued": dates,
    "page": st.tuples(st.integers(1, 999), st.integers(1000, 9999)).map(lambda found: f"{found[0]}-{found[1]}"),
    "DOI": st.from_regex(r"10\.[0-9]{4}/[a-z0-9._()-]{1,10}[a-z0-9]", fullmatch=True),
    "URL": urls,
    "language": st.sampled_from(["en", "de"]),
}


@st.composite
def works(draw: st.DrawFn, types: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """A work of a type that the format has a name for, and its tags."""
    kind = draw(st.sampled_from(sorted(types)))
    work = draw(st.fixed_dictionaries({"title": lines()}, optional=fields))
    return {"type": kind, **work}, draw(labels)


def as_record(work: dict[str, Any], labelled: list[str]) -> Record:
    entry = entry_of(1, work, labelled)
    assert isinstance(entry, Entry)
    entry = entry.cleaned()
    return Record(
        uuid4(), work["title"], entry.url, people(work), tags=entry.tags, published_at=entry.published_at,
        identifiers=entry.identifiers, language=entry.language, reference=work,
    )  # fmt: skip


def only(found: Iterator[Any]) -> Entry:
    [entry] = found
    assert isinstance(entry, Entry), entry
    return entry.cleaned()


def said(work: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (work or {}).items() if name not in ("id", "citation-key")}


@settings(max_examples=60, deadline=None)
@given(works(bibtex.TYPES))
def test_bibtex(given_work: tuple[dict[str, Any], list[str]]) -> None:
    work, labelled = given_work
    body = bibtex.written(as_record(work, labelled)).encode()
    back = only(read_bibtex.read(body))
    assert detect(body) == "bibtex"
    assert (said(back.csl), back.tags) == (said(work), labelled)


def _one_name(person: dict[str, str]) -> dict[str, str]:
    """RIS tells parts of a name by commas, so that a comma in one is lost."""
    if "literal" in person:
        return {"literal": person["literal"].replace(",", ";")}
    return {name: part.replace(",", ";") for name, part in person.items()}


@settings(max_examples=60, deadline=None)
@given(works(ris.TYPES))
def test_ris(given_work: tuple[dict[str, Any], list[str]]) -> None:
    work, labelled = given_work
    work |= {role: [_one_name(one) for one in work[role]] for role in ("author", "editor") if role in work}
    body = ris.written(as_record(work, labelled)).encode()
    back = only(read_ris.read(body))
    assert detect(body) == "ris"
    assert (said(back.csl), back.tags) == (said(work), labelled)


@settings(max_examples=60, deadline=None)
@given(works(bibtex.TYPES))
def test_csl(given_work: tuple[dict[str, Any], list[str]]) -> None:
    work, labelled = given_work
    labelled = [tag.replace(",", ";") for tag in labelled]
    record = as_record(work, labelled)
    body = orjson.dumps([as_csl(record) | {"keyword": ",".join(record.tags)}])
    back = only(csl.read(body))
    assert (said(back.csl), back.tags) == (said(work), tags(labelled))


names = st.lists(lines(12), min_size=1, max_size=3)


@st.composite
def links(draw: st.DrawFn) -> Record:
    """A link in some folders."""
    kept = draw(st.lists(names, max_size=2, unique_by=tuple))
    labelled = [flat(tag.replace(",", " ").strip("/ ")) for tag in draw(labels)]
    return Record(
        draw(st.uuids()), draw(lines()), draw(urls), tags=tags(labelled), collections=kept,
        description=draw(st.none() | lines()), created_at=draw(st.none() | moments),
    )  # fmt: skip


def held(found: Iterator[Any]) -> set[tuple[Any, ...]]:
    entries = [one.cleaned() for one in found]
    return {
        (one.title, one.url, tuple(one.tags), *map(tuple, one.folders), one.description, one.created_at)
        for one in entries
    }


def expected(records: list[Record]) -> set[tuple[Any, ...]]:
    return {
        (one.title, one.url, tuple(one.tags), *([tuple(path)] if path else []), one.description, one.created_at)
        for one in records
        for path in one.collections or [[]]
    }


def tree(records: list[Record]) -> outlines.Folder:
    root = outlines.Folder()
    outlines.gathered(records, root)
    return root


@settings(max_examples=40, deadline=None)
@given(st.lists(links(), min_size=1, max_size=6))
def test_netscape(records: list[Record]) -> None:
    body = "".join(outlines.netscape(tree(records))).encode()
    assert detect(body) == "netscape"
    assert held(bookmarks.read(body)) == expected(records)


@settings(max_examples=40, deadline=None)
@given(st.lists(links(), min_size=1, max_size=6))
def test_opml(records: list[Record]) -> None:
    body = "".join(outlines.opml(tree(records))).encode()
    assert detect(body) == "opml"
    assert held(opml.read(body)) == expected(records)


states = st.lists(st.sampled_from(["read", "unread", "starred"]), max_size=2)


def to_be_read(record: Record, states: list[str]) -> Record:
    """A link with tags as an import writes them of programs that keep what is to be read."""
    record.tags = tags([*record.tags, *states])
    return record


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(to_be_read, links(), states), max_size=4))
def test_pocket(records: list[Record]) -> None:
    for record in records:
        record.tags = tags(tag.replace("|", " ") for tag in record.tags)
    body = (readers.POCKET + "".join(map(readers.pocket, records))).encode()
    assert detect(body) == "pocket_csv"
    back = [one.cleaned() for one in pocket.read(body) if isinstance(one, Entry)]
    assert [(one.title, one.url, sorted(one.tags), one.created_at) for one in back] == [
        (one.title, one.url, sorted(one.tags), one.created_at) for one in records
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(links(), max_size=6))
def test_linkwarden(records: list[Record]) -> None:
    body = "".join(readers.linkwarden(tree(records))).encode()
    assert detect(body) == "linkwarden"
    assert held(read_readers.read_linkwarden(body)) == expected(records)


def texts_of(file: Any, records: list[Record]) -> bytes:
    """Return a file that is written in two pages."""
    return file.add(records[:2]) + file.add(records[2:]) + file.end()


def known_of(found: list[Any]) -> list[tuple[Any, ...]]:
    return [
        (one.title, one.url, sorted(one.tags), one.description, one.created_at)
        for one in (one.cleaned() if isinstance(one, Entry) else one for one in found)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(to_be_read, links(), states), max_size=5), st.text(Chars, min_size=1).map(clean))
def test_karakeep(records: list[Record], content: str) -> None:
    for record in records[::2]:
        record.url, record.content = None, f"{content}."
    body = texts_of(readers.Karakeep(), records)
    assert detect(body) == "karakeep"
    back = list(read_readers.read_karakeep(body))
    assert known_of(back) == known_of(records)
    assert [(one.cleaned().folders, one.text) for one in back if isinstance(one, Entry)] == [
        (one.collections, one.content) for one in records
    ]


def test_a_list_may_be_called_lists() -> None:
    record = Record(uuid4(), "lists", "https://a.org/", tags=["lists"], collections=[["lists", '"lists":['], ["lists"]])
    back = only(read_readers.read_karakeep(texts_of(readers.Karakeep(), [record])))
    assert (back.tags, back.folders) == (record.tags, record.collections)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(works(zotero.TYPES), links()), max_size=4))
def test_zotero_rdf(given_works: list[tuple[tuple[dict[str, Any], list[str]], Record]]) -> None:
    records: list[Record] = []
    for (work, labelled), link in given_works:
        record = as_record(work, labelled)
        record.title, record.created_at = plain(work["title"]), link.created_at
        record.description, record.collections = link.description, link.collections
        records.append(record)
    body = texts_of(zotero.Library(), records)
    assert detect(body) == "zotero_rdf"
    back = list(read_zotero.read(body))
    assert known_of(back) == known_of(records)
    assert [(one.cleaned().folders, said(one.csl)) for one in back if isinstance(one, Entry)] == [
        (one.collections, said(one.reference)) for one in records
    ]


@settings(max_examples=60, deadline=None)
@given(st.builds(to_be_read, links(), states), st.lists(lines(), max_size=4), lines(), moments)
def test_wallabag(record: Record, paragraphs: list[str], quote: str, published: datetime) -> None:
    record.content, record.authors, record.language = "\n".join(paragraphs), ["Ada Lovelace", "Max Born"], "en"
    record.published_at, record.annotations = published, [{"quote": quote, "note": "why?"}]
    body = orjson.dumps([readers.wallabag(record)], option=orjson.OPT_UTC_Z)
    back = only(read_readers.read_wallabag(body))
    assert detect(body) == "wallabag"
    for name in ("title", "url", "authors", "language", "created_at", "published_at"):
        assert getattr(back, name) == getattr(record, name), name
    state = () if {"read", "unread"} & set(record.tags) else ("unread",)
    assert sorted(back.tags) == sorted([*record.tags, *state])
    assert text_of(back.html).split("\n") == [" ".join(one.split()) for one in paragraphs or [""]]
    assert [(mark.quote, mark.note) for mark in back.highlights] == [(quote, "why?")]


def test_a_table_is_one_whatever_stands_in_it() -> None:
    titles = ["TY - JOUR", "@article{lamp,", "=1+1", "'=1+1", "' -1", "'quoted'", 'a "lamp", lit', "\u00a0+1"]
    records = [Record(uuid4(), title, "https://a.org/", tags=["+x", "y"]) for title in titles]
    body = (readers.POCKET + "".join(map(readers.pocket, records))).encode()
    assert b"\n=" not in body
    assert detect(body) == "pocket_csv"
    back = [one for one in pocket.read(body) if isinstance(one, Entry)]
    assert [one.title for one in back] == [flat(title) for title in titles]
    assert all(one.tags == ["+x", "y"] for one in back)


@settings(max_examples=40, deadline=None)
@given(links(), works(bibtex.TYPES), st.text(Chars, min_size=1), lines(), moments)
def test_json(
    record: Record, work: tuple[dict[str, Any], list[str]], content: str, quote: str, published: datetime
) -> None:
    record.content, record.reference, record.authors = clean(content), work[0], ["Ada Lovelace"]
    record.published_at, record.subjects, record.language, record.identifiers = published, [quote], "en", ["doi:10.1/x"]
    record.annotations = [{"quote": quote, "note": "why?", "tags": ["x"], "colour": "green"}]
    body = orjson.dumps([as_json(record)], default=str, option=orjson.OPT_UTC_Z)
    back = only(library.read(body))
    assert detect(body) == "json"
    for name in ("title", "url", "tags", "description", "created_at", "published_at", "subjects", "language", "type",
                 "identifiers", "authors"):  # fmt: skip
        assert getattr(back, name) == getattr(record, name), name
    assert (back.text, back.csl, back.folders) == (record.content, record.reference, record.collections)
    [mark] = back.highlights
    assert (mark.quote, mark.note, mark.tags, mark.colour) == (quote, "why?", ["x"], "green")


def test_markdown_is_a_file_for_each_with_front_matter() -> None:
    archive = markdown.Archive()
    one = Record(UUID(int=1), "A: lamp\n---", "https://a.org/", tags=["sea"], content="Words.\n---\nMore.")
    one.annotations = [{"quote": "Words.", "note": "why?"}]
    body = archive.add([one]) + archive.add([Record(UUID(int=2), "a lamp ---", content="Other.")]) + archive.end()
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.testzip() is None
        first, second = opened.namelist()
        text = opened.read(first).decode()
    assert first == "A lamp ---.md"
    assert second == f"a lamp --- {UUID(int=2)}.md"
    front, _, rest = text.removeprefix("---\n").partition("\n---\n")
    assert 'title: "A: lamp\\n---"' in front.splitlines()
    assert 'tags: ["sea"]' in front.splitlines()
    assert rest.strip() == "Words.\n---\nMore.\n\n## Highlights\n\n> Words.\n\nwhy?"
