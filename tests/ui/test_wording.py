"""Values in words."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from service.ui import wording
from service.ui.routes import citation_link


def item(**fields: Any) -> SimpleNamespace:
    blank = {"title": "T", "url": None, "site": None, "type": "webpage", "media_type": None, "description": None}
    return SimpleNamespace(**blank | {"content": "", "content_html": None} | fields)


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(hours=5.5), "5 hours ago"),
        (timedelta(days=1.5), "yesterday"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_how_long_ago(past: timedelta, words: str) -> None:
    assert wording.ago(datetime.now(UTC) - past) == words


def test_dates_and_numbers() -> None:
    assert wording.day(datetime(2026, 3, 9, tzinfo=UTC)) == "9 March 2026"
    assert wording.number(1234567) == "1,234,567"
    assert wording.reading_time(3) == "1 min read"
    assert wording.reading_time(1500) == "6 min read"


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://www.example.org:8000/a", "example.org"), ("https://news.example.org", "news.example.org"), (None, None)],
)
def test_whose_page_it_is(url: str | None, host: str | None) -> None:
    assert wording.host(url) == host


def test_what_an_item_is() -> None:
    assert wording.kind(item()) == "Web page"
    assert wording.kind(item(type="document", media_type="application/pdf")) == "PDF"
    assert wording.kind(item(type="document", media_type="application/x-odd")) == "Document"
    assert wording.kind(item(type="lab_report")) == "Lab report"
    assert wording.language("de") == "German"
    assert wording.language("tlh") == "TLH"


def test_an_item_without_a_picture_has_a_letter_and_a_colour() -> None:
    assert wording.monogram(item(site="«zeit»")) == "Z"
    assert wording.monogram(item(site="The Harbour Review")) == "H"
    assert wording.monogram(item(title="…")) == "·"
    colours = {wording.hue(item(site=f"site {number}")) for number in range(100)}
    assert colours == set(range(wording.HUES))


def test_a_description_that_repeats_the_text_is_left_out() -> None:
    assert (
        wording.lede(
            item(description="The light was seen from afar…", content="The light  was seen\nfrom afar, they say.")
        )
        is None
    )
    assert wording.lede(item(description="About a lamp.", content="The light was seen.")) == "About a lamp."
    assert wording.lede(item(description=" ")) is None


def test_a_heading_that_repeats_the_title_is_left_out() -> None:
    page = item(title="Light & water", content_html="<h1> Light &amp; <em>water</em></h1><p>Text.</p>")
    assert wording.reading_view(page) == "<p>Text.</p>"
    assert wording.reading_view(item(content_html="<h2>Other</h2>")) == "<h2>Other</h2>"


def test_plain_text_becomes_paragraphs() -> None:
    assert wording.paragraphs("One\nline.\n\n\n\nTwo.") == ["One\nline.", "Two."]
    assert wording.paragraphs("One.\nTwo.\n") == ["One.", "Two."]


@pytest.mark.parametrize(
    ("kind", "value", "link"),
    [
        ("doi", "10.1000/a b", "https://doi.org/10.1000/a%20b"),
        ("arxiv", "2101.00001", "https://arxiv.org/abs/2101.00001"),
        ("pmid", "123", "https://pubmed.ncbi.nlm.nih.gov/123/"),
        ("url", "https://example.org/", "https://example.org/"),
        ("url", "javascript:alert(1)", None),
        ("isbn", "9780262033848", None),
        ("reference", "Clayton, P.", None),
    ],
)
def test_where_a_citation_leads(kind: str, value: str, link: str | None) -> None:
    assert citation_link(SimpleNamespace(kind=kind, value=value)) == link
