"""What always holds of documents and the texts in them, whatever they are."""

import io
import random
import zipfile
from collections.abc import Callable
from datetime import UTC
from time import process_time
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.errors import PharosError
from service.ingestion import reading, unreadable
from service.ingestion.canonical import canonical_url
from service.ingestion.decoding import charset_of, clean, decode, one_line
from service.ingestion.formats import html, markdown, plain
from service.ingestion.formats.archives import Archive
from service.ingestion.formats.dates import date_of
from service.ingestion.formats.names import names_of
from service.ingestion.formats.paragraphs import paragraphs
from service.ingestion.identifiers import citations_of, isbn13, trimmed
from service.ingestion.language import language_of
from service.ingestion.references import split_references
from service.ingestion.sniffing import sniff
from service.ingestion.unreadable import BrokenDocument, ExtractionError
from service.search.query import parse
from tests.ingestion import samples

always = settings(derandomize=True, database=None, deadline=None, max_examples=200)

URLS = st.one_of(
    st.text(max_size=40),
    st.tuples(
        st.sampled_from(("http://", "HTTPS://", " https://")),
        st.sampled_from(
            ("Example.com", "a.example.", "bücher。", "ex_ä.example", "[::1]", "1.2.3.4", "a:80", "u:p@b.c")
        ),
        st.text("/.%2eE5~aAé?&=;#+ \t'7\ud800", max_size=30),
    ).map(lambda parts: f"{parts[0]}{parts[1]}/{parts[2]}"),
)


@settings(always, max_examples=600)
@given(URLS)
@example("http://a.b/%%34%31")
@example("http://a.b/x/%2e%2e/y")
@example("http://a.b/?%62=1&a=2")
@example("http://a.b。/")
@example("http://a.b/\ud800")
def test_a_canonical_address_is_its_own_canonical_address(url: str) -> None:
    canonical = canonical_url(url)
    assert canonical_url(canonical) == canonical


@always
@given(st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=127), min_size=1, max_size=12), URLS)
def test_a_canonical_address_keeps_its_host(name: str, rest: str) -> None:
    canonical = canonical_url(f"https://{name}.example./{rest}")
    assert urlsplit(canonical).hostname == f"{name}.example".lower()


@always
@given(
    st.binary(max_size=300), st.none() | st.sampled_from(("utf-7", "unicode_escape", "idna", "utf-16", "a\x00b", "hex"))
)
@example(b"\xff\\ud800", "unicode_escape")
@example(b"\xff+2AA-", "utf-7")
@example(b"<meta charset=raw_unicode_escape>\xff\\ud800", None)
def test_any_bytes_decode_to_text_that_can_be_stored(body: bytes, declared: str | None) -> None:
    decode(body, declared).encode()
    text = clean(decode(body, declared))
    text.encode()
    assert "\x00" not in text
    assert "\n" not in one_line(text)


@always
@given(st.text())
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@always
@given(st.text(max_size=60))
@example("text/html; charset*=x'y'%ff")
@example("text/html; charset=\nx")
def test_any_content_type_names_a_charset_or_none(content_type: str) -> None:
    charset = charset_of(content_type)
    assert "\x00" not in decode(b"\xff", charset)


@always
@given(st.binary(max_size=200) | st.sampled_from((b"PK\x03\x04", b"%PDF-", b"<?xml", b"{\\rtf")).flatmap(
    lambda start: st.binary(max_size=100).map(lambda rest: start + rest)
))  # fmt: skip
def test_any_bytes_are_of_a_kind_or_refused(body: bytes) -> None:
    try:
        kind = sniff(body)
    except ExtractionError:
        return
    assert kind.label


@always
@given(st.text("0123456789-:TZ+' D", max_size=30) | st.text(max_size=20))
@example("0001-01-01T00:00:00+05:00")
@example("9999-12-31T23:59:59-05:00")
@example("D:00010101000000+05'00")
@example("D:99991231235959-99'99")
@example("٢٠٢٠")
def test_any_text_is_a_date_in_utc_or_none(text: str) -> None:
    found = date_of(text)
    assert found is None or found.tzinfo is UTC


@always
@given(st.text("ab, .;|&JrandbyéA\n", max_size=60))
def test_names_are_names_once_each(line: str) -> None:
    names = names_of(line)
    assert len(set(names)) == len(names)
    assert all(2 <= len(name) <= 100 and name == name.strip() for name in names)


TELLING = st.lists(
    st.sampled_from((
        "10.1000/182", "doi:", "arXiv:", "1706.03762", "v2", "ISBN ", "978-0-306-40615-7", "0306406152",
        "PMID: ", "123",
        "https://", "a.b/c",
        ")", "(", "[1] ", "\n", "References\n", "Appendix A\n", " ", "1999", "Knuth, D. ",
        "hep-th/9901001",
    )) | st.text(max_size=4),
    max_size=20,
).map("".join)  # fmt: skip


@always
@given(TELLING)
def test_citations_stand_once_each_and_are_of_their_kind(text: str) -> None:
    found = [(citation.kind, citation.value) for citation in citations_of(clean(text))]
    assert len(set(found)) == len(found)
    for kind, value in found:
        assert value
        assert kind != "isbn" or isbn13(value) == value
        assert kind != "doi" or value.startswith("10.")


@always
@given(TELLING)
def test_references_are_taken_from_the_text_whole(text: str) -> None:
    rest, entries = split_references(text)
    assert set(" ".join(entries).split()) <= set(text.split())
    assert entries or rest == text


@always
@given(st.text("a(.)]},;", max_size=40))
def test_what_is_trimmed_is_a_beginning_that_ends_well(text: str) -> None:
    kept = trimmed(text)
    assert text.startswith(kept)
    assert not kept.endswith((".", ",", ";"))
    assert trimmed(kept) == kept


@always
@given(st.text(max_size=60))
def test_any_text_is_in_a_language_of_two_letters_or_none(text: str) -> None:
    code = language_of(clean(text))
    assert code is None or len(code) == 2


def _mutated(document: bytes, seed: int) -> bytes:
    chance, mutated = random.Random(seed), bytearray(document)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(mutated))
        match chance.randrange(4):
            case 0:
                mutated[at] = chance.randrange(256)
            case 1:
                del mutated[at : at + chance.randrange(1, 40)]
            case 2:
                mutated[at:at] = mutated[at : at + chance.randrange(1, 40)]
            case _:
                mutated[at] ^= 1 << chance.randrange(8)
    return bytes(mutated)


@pytest.mark.parametrize("make", [samples.pdf, samples.word, samples.epub, samples.page])
def test_a_damaged_document_is_read_or_refused_in_words(make: Callable[[], bytes]) -> None:
    document = make()

    @settings(always, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 2**32))
    def holds(seed: int) -> None:
        written: list[bytes] = []
        began = process_time()
        reading.answer(b"{}", _mutated(document, seed), written.append)
        assert process_time() - began < 5
        found = orjson.loads(b"".join(written).partition(b"\n")[2])
        if "error" in found:
            assert issubclass(getattr(unreadable, found["error"]), ExtractionError)
            assert found["error"] != "ExtractionError", found["detail"]  # nobody foresaw it
        else:
            assert "\x00" not in found["text"]

    holds()


@always
@given(st.integers(0, 2**32))
def test_any_damaged_archive_is_read_or_broken(seed: int) -> None:
    try:
        archive = Archive(_mutated(samples.archive({"a": b"light " * 50, "b": b"lamp"}), seed), "EPUB")
        for name in archive.names:
            assert isinstance(archive.read(name), bytes)
    except ExtractionError:
        pass


def test_an_entry_whose_stream_is_broken_is_a_broken_document() -> None:
    body = bytearray(samples.archive({"mimetype": b"light " * 500}))
    with zipfile.ZipFile(io.BytesIO(bytes(body))) as file:
        start = 30 + len("mimetype")
        assert file.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    body[start] = 0xFF
    with pytest.raises(BrokenDocument):
        Archive(bytes(body), "EPUB").read("mimetype")
    with pytest.raises(BrokenDocument):
        sniff(bytes(body))


N = 100_000
WORST = {
    unit if len(unit) < 12 else unit[:9]: (unit * N)[:N]
    for unit in (
        "a", "[", "(", ".", "<", "1.", "\n", "x ", ")", "10.1/", "ISBN ", "http://", "_a", "[1] ",
        "References\n", "Ab, A. ",
        "a-\n", "a\n", "1 1999 ", "&", "\"", "'", "arxiv: ", "978-1-", "# a\n", "|a",
        "a@", "\u0301", "<a ", "https://a/)", "- ",
    )
} | {
    "a doi": "10.1000/" + ")" * N,
    "blank lines": "References\n" + "\n" * N + "x",
    "headings": "x\n" + "References\nAppendix\n" * (N // 20),
    "dotted": "10.1111" + ".1" * (N // 2),
}  # fmt: skip
READERS: dict[str, Callable[[str], object]] = {
    "canonical": lambda text: canonical_url(f"http://a.b/{text}?{text}"),
    "citations": citations_of,
    "references": split_references,
    "trimmed": trimmed,
    "clean": clean,
    "decode": lambda text: decode(text.encode()),
    "punycode": lambda text: decode(b"\xff" + text.encode(), "punycode"),
    "sniff": lambda text: sniff(text.encode()),
    "dates": date_of,
    "names": names_of,
    "plain": lambda text: plain.read(text.encode(), None),
    "paragraphs": lambda text: list(paragraphs([text])),
    "query": parse,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_text_that_is_hard_to_read_is_read_in_a_second(reader: str) -> None:
    for name, text in WORST.items():
        began = process_time()
        try:
            READERS[reader](text)
        except PharosError:
            pass  # refused is read, too
        assert process_time() - began < 1, name


def test_a_paragraph_of_links_is_read_in_a_second_or_two() -> None:
    paragraph = "<p>" + "<a href=http://a.b>x</a> " * 2000 + "y" * 50_000 + "</p>"
    html.read(paragraph.encode(), None, "http://a.b/c", False)
    began = process_time()
    html.read(paragraph.encode(), None, "http://a.b/c", False)
    assert process_time() - began < 2.5


def test_markdown_takes_time_in_proportion_to_its_length() -> None:
    for unit in ("[", "*", ">", "`", "<", "![", "[a]("):
        times: list[float] = []
        for length in (5_000, 20_000):
            began = process_time()
            markdown.read((unit * length)[:length].encode(), None)
            times.append(process_time() - began)
        assert times[1] < 8 * times[0] + 0.1, unit  # quadratic is 16
