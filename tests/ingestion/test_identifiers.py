import time

import pytest

from service.ingestion.extracted import Citation
from service.ingestion.identifiers import citations_of, isbn13, trimmed


def found(text: str) -> list[tuple[str, str]]:
    return [(citation.kind, citation.value) for citation in citations_of(text)]


# Examples from the DOI handbook, arXiv's page on identifiers, the ISBN users' manual and PubMed.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("doi:10.1000/182", "10.1000/182"),
        ("https://doi.org/10.1000/182.", "10.1000/182"),
        ("http://dx.doi.org/10.1038/NPHYS1170)", "10.1038/nphys1170"),
        ("DOI 10.1002/0470841559.ch1, and", "10.1002/0470841559.ch1"),
        ("(10.1016/S0022-0000(05)80064-9)", "10.1016/s0022-0000(05)80064-9"),
        ("<10.1000/182>", "10.1000/182"),
        (
            "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O",
            "10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o",
        ),
        ("https://doi.org/10.1145/3292500.3330701?download=true", "10.1145/3292500.3330701"),
        ("10.1000.10/123", "10.1000.10/123"),
        ("(see “10.1093/nar/gkab1112”)", "10.1093/nar/gkab1112"),
    ],
)
def test_a_doi_is_found_and_written_in_one_way(text: str, value: str) -> None:
    assert found(text) == [("doi", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("arXiv:0706.0001", "0706.0001"),
        ("arXiv:1501.00001v2", "1501.00001"),
        ("arxiv preprint arXiv:1706.03762, 2017", "1706.03762"),
        ("https://arxiv.org/abs/1706.03762v5", "1706.03762"),
        ("https://arxiv.org/pdf/1706.03762.pdf", "1706.03762"),
        ("arXiv:math.GT/0309136", "math/0309136"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("http://arxiv.org/abs/hep-th/9901001v3", "hep-th/9901001"),
        ("https://doi.org/10.48550/arXiv.1706.03762", "1706.03762"),
    ],
)
def test_an_arxiv_number_is_found_without_its_version(text: str, value: str) -> None:
    assert found(text) == [("arxiv", value)]


@pytest.mark.parametrize(
    "text", ["in section 1706.03762", "arXiv:1713.03762", "math/03091", "version 10.2/3", "10.1000/"]
)
def test_other_numbers_are_not_identifiers(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ISBN 978-3-16-148410-0", "9783161484100"),
        ("ISBN-13: 978 0 306 40615 7", "9780306406157"),
        ("ISBN 0-306-40615-2", "9780306406157"),
        ("ISBN-10: 0306406152", "9780306406157"),
        ("ISBN 080442957X", "9780804429573"),
        ("ISBN (print): 978-0-306-40615-7", "9780306406157"),
        ("see 978-0-306-40615-7 for", "9780306406157"),
    ],
)
def test_an_isbn_is_found_as_thirteen_digits(text: str, value: str) -> None:
    assert found(text) == [("isbn", value)]


@pytest.mark.parametrize(
    "text", ["ISBN 978-3-16-148410-1", "ISBN 0-306-40615-3", "9780306406157", "+978-0306-4061-57-1"]
)
def test_a_wrong_check_digit_is_no_isbn(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("number", ["978030640615", "97803064061577", "X306406152", ""])
def test_an_isbn_has_ten_or_thirteen_digits(number: str) -> None:
    assert isbn13(number) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("PMID: 17170002", "17170002"),
        ("PMID 17170002.", "17170002"),
        ("PMID:17170002", "17170002"),
        ("https://pubmed.ncbi.nlm.nih.gov/17170002/", "17170002"),
        ("http://www.ncbi.nlm.nih.gov/pubmed/17170002", "17170002"),
    ],
)
def test_a_pubmed_number_is_found(text: str, value: str) -> None:
    assert found(text) == [("pmid", value)]


@pytest.mark.parametrize("text", ["PMID: 0", "PMID: 123456789", "PMIDs are numbers", "PMC17170002"])
def test_other_numbers_are_no_pubmed_numbers(text: str) -> None:
    assert found(text) == []


def test_a_web_address_is_found_in_its_canonical_spelling() -> None:
    text = "See https://Example.com/a_(b)?utm_source=x, or (http://example.org/c)."
    assert citations_of(text) == [
        Citation("url", "https://example.com/a_(b)", "https://Example.com/a_(b)?utm_source=x"),
        Citation("url", "http://example.org/c", "http://example.org/c"),
    ]


def test_everything_is_told_once_and_in_reading_order() -> None:
    text = "First https://example.com/a, then doi:10.1000/182, PMID: 5, again https://example.com/a and 10.1000/182."
    assert found(text) == [("url", "https://example.com/a"), ("doi", "10.1000/182"), ("pmid", "5")]


def test_links_count_with_their_words() -> None:
    links = [
        ("https://doi.org/10.1000/182", "the handbook"),
        ("https://example.com/a?fbclid=1", "a page"),
        ("https://example.com/a", "the same page"),
    ]
    assert citations_of("no addresses here", links) == [
        Citation("doi", "10.1000/182", "the handbook"),
        Citation("url", "https://example.com/a", "a page"),
    ]


def test_an_entry_of_the_reference_list_is_the_text_of_its_identifier() -> None:
    entries = "[1] A. Author. A title. 1999. doi:10.1000/182\n[2] B. Writer. A book. 2001."
    text = f"As shown in 10.1000/182.\nReferences\n{entries}"
    assert citations_of(text) == [
        Citation("doi", "10.1000/182", "A. Author. A title. 1999. doi:10.1000/182"),
        Citation("reference", "B. Writer. A book. 2001.", "B. Writer. A book. 2001."),
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a).", "a"), ("a_(b)", "a_(b)"), ("a>>", "a"), ("a…", "a"), ("a?!", "a"), ("...", ""), ("(a)b)", "(a)b")],
)
def test_the_punctuation_of_the_sentence_is_not_part_of_it(text: str, kept: str) -> None:
    assert trimmed(text) == kept


def test_half_identifiers_without_end_take_no_time() -> None:
    text = "https://example.com/ 10.1000/ ISBN 978 arXiv: http:// word " * 34_000
    started = time.process_time()
    citations = citations_of(text)
    assert time.process_time() - started < 10
    assert [citation.value for citation in citations] == ["https://example.com/"]
