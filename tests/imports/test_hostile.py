"""Broken and hostile files: what can be read is read, the rest is listed, and nothing is loaded or expanded."""

import orjson
import pytest

from service.imports.detection import FORMATS, detect
from service.imports.entry import MOST, Entry, Problem
from service.imports.extraction import read_file
from service.imports.formats import bibtex, bookmarks, csl, opml, readers, ris, zotero
from service.imports.reading import read
from tests.imports.conftest import SAMPLES

FILES = sorted(SAMPLES.iterdir())
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<opml><body><outline text="&b;" url="https://a.org"/></body></opml>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE opml SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<opml><body><outline text="&a;" url="https://a.org"/></body></opml>"""


def entries(found: list[dict[str, object]]) -> int:
    return sum("entry" in one for one in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_that_is_cut_off_anywhere_gives_what_was_there(path: object) -> None:
    body = path.read_bytes()  # type: ignore[attr-defined]
    format = detect(body)
    assert format is not None
    whole = entries(list(read(format, body)))
    counts = [entries(list(read(format, body[:end]))) for end in range(0, len(body), max(1, len(body) // 60))]
    assert max(counts) <= whole
    assert counts[-1] >= whole - 1


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_another_format_is_no_fault(format: str, path: object) -> None:
    body = path.read_bytes()  # type: ignore[attr-defined]
    for one in read(format, body):  # type: ignore[arg-type]
        assert not str(one.get("problem", {}).get("reason", "")).startswith("The reader stopped"), one  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", [LAUGHS, OUTSIDE])
def test_xml_with_entities_is_refused(body: bytes) -> None:
    for reader in (opml.read, zotero.read):
        [problem] = reader(body)
        assert isinstance(problem, Problem)
        assert "entities" in problem.reason


@pytest.mark.parametrize("format", FORMATS)
def test_deep_nesting_ends(format: str) -> None:
    deep = {
        "json": b"[" * 100_000, "csl": b"[" * 100_000, "wallabag": b'[{"a":' * 50_000,
        "karakeep": b'{"bookmarks":[' + b'{"content":' * 50_000,
        "linkwarden": b'{"collections":[' + b'{"links":[' * 50_000,
        "netscape": b"<!DOCTYPE NETSCAPE-Bookmark-file-1>" + b"<DL><DT><H3>x</H3>" * 2000
        + b'<DL><DT><A HREF="https://a.org">x</A>',
        "opml": b"<opml><body>" + b'<outline text="x">' * 50_000, "zotero_rdf": b"<rdf:RDF>" + b"<a>" * 50_000,
        "bibtex": b"@a{x, title={" + b"{" * 50_000 + b"}" * 50_000 + b"}}",
        "ris": b"TY  - JOUR\nTI  - " + b"{" * 50_000,
        "pocket_csv": b"title,url,tags\n" + b'"' * 99_999, "pocket_html": b"<ul>" * 50_000,
    }[format]  # fmt: skip
    for one in read(format, deep):  # type: ignore[arg-type]
        if "entry" in one:
            assert len(one["entry"]["folders"][0] if one["entry"]["folders"] else ()) <= 18


def test_charsets_are_told_by_the_bytes() -> None:
    html = '<!DOCTYPE NETSCAPE-Bookmark-file-1><META CHARSET="{}"><DL><DT><A HREF="https://a.org">Zürich</A></DL>'
    for named, written in (("utf-8", "utf-8"), ("windows-1252", "windows-1252"), ("utf-8", "utf-16")):
        [entry] = bookmarks.read(html.format(named).encode(written))
        assert isinstance(entry, Entry)
        assert entry.title == "Zürich"


def test_duplicate_keys_and_records_without_end() -> None:
    found = list(
        bibtex.read(b"@a{x, title={One}}\n@a{x, title={Two}}\n@a{y, title={Three}, title={Four}}\n@a{z, title={Open")
    )
    assert [one.title for one in found if isinstance(one, Entry)] == ["One", "Two", "Three"]
    assert [one.line for one in found if isinstance(one, Problem)] == [3, 4]
    [first] = csl.read(b'[{"type": "book", "title": "One", "title": "Two"}]')
    assert isinstance(first, Entry)
    assert first.title == "Two"
    open_ended = ris.read(b"TY  - BOOK\nTI  - One\nTY  - BOOK\nTI  - Two")
    assert [one.title for one in open_ended if isinstance(one, Entry)] == ["One", "Two"]


def test_a_circle_of_lists_ends() -> None:
    assert readers.paths_of({"a": ("A", "b"), "b": ("B", "a"), "c": ("C", "c")}) == {
        "a": ["B", "A"], "b": ["A", "B"], "c": ["C"],
    }  # fmt: skip


def test_only_so_many_entries_are_taken() -> None:
    rows = b"title,url,tags\n" + b"x,https://a.org,\n" * (MOST + 5)
    found = list(read("pocket_csv", rows))
    assert entries(found) == MOST
    assert "Only the first" in found[-1]["problem"]["reason"]


@pytest.mark.integration
async def test_fifty_megabytes_are_read(pharos: object) -> None:
    large = orjson.dumps([{"title": "x", "url": "https://a.org", "is_archived": 0, "content": "y" * 1000}] * 48_000)
    assert len(large) > 50_000_000
    contents = await read_file(large, "auto")
    assert contents.format == "wallabag"
    assert contents.stopped is None
    assert len(contents.lines) == 48_001
