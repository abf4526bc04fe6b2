"""Each dimension: what raises it, what lowers it, and the sentence that says so."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.quality.accuracy import accuracy
from service.quality.assessment import assess
from service.quality.completeness import completeness
from service.quality.consistency import consistency
from service.quality.evidence import Cited, Evidence, Surroundings
from service.quality.hosts import credibility
from service.quality.identifiers import is_well_formed
from service.quality.languages import language_of, script_of
from service.quality.relevance import relevance
from service.quality.timeliness import decayed, half_life, timeliness
from tests.quality.conftest import TEXT

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
NOTE = Evidence(UUID(int=1), "hash", "The keeper of the lighthouse", TEXT, len(TEXT.split()), language="en")


def note(**fields: Any) -> Evidence:
    return replace(NOTE, **fields)


# accuracy


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("doi", "10.1000/182", True), ("doi", "10.10/182", False), ("doi", "10.1000/", False),
        ("arxiv", "2101.00001", True), ("arxiv", "hep-th/9901001", True), ("arxiv", "2113.00001", False),
        ("isbn", "9780306406157", True), ("isbn", "9780306406158", False),  # the example of ISBN-13's check digit
        ("pmid", "12345678", True), ("pmid", "0123", False),
        ("url", "https://example.org/a", True), ("url", "http://localhost/a", False),
        ("url", "http://10.0.0.1/a", False), ("url", "https://nas.local/", False), ("url", "https://[", False),
        ("reference", "Knuth, D. (1997). The Art of Computer Programming.", True), ("reference", "ibid.", False),
    ],
)  # fmt: skip
def test_well_formed_identifiers(kind: str, value: str, right: bool) -> None:
    assert is_well_formed(kind, value) is right


def test_the_share_of_citations_counts_and_the_first_wrong_one_is_named() -> None:
    good = [Cited("doi", f"10.1000/{n}", False) for n in range(3)]
    wrong = Cited("isbn", "9780306406158", False)
    all_good, three_of_four = accuracy(note(citations=tuple(good))), accuracy(note(citations=(*good, wrong)))
    assert all_good.value > three_of_four.value
    assert "3 of 4 citations are in the library (0) or well formed." in three_of_four.reasons[0]
    assert "9780306406158" in three_of_four.reasons[0]


def test_what_the_library_holds_needs_no_form() -> None:
    held = accuracy(note(citations=(Cited("url", "http://intranet/page", True),)))
    assert held.reasons[0] == "1 of 1 citations are in the library (1) or well formed."


def test_citations_of_a_text_that_was_given_are_read_from_it() -> None:
    assert accuracy(note(text=TEXT + " See doi:10.1000/182.")).reasons[0].startswith("1 of 1 citations")


def test_a_self_citation_supports_nothing() -> None:
    url = "https://doi.org/10.1000/182"
    own = (Cited("doi", "10.1000/182", True), Cited("url", url, True))
    cites_itself = accuracy(note(url=url, citations=own))
    assert "It cites itself, which supports nothing." in cites_itself.reasons
    assert cites_itself.value < accuracy(note(url=url, citations=(Cited("doi", "10.1000/183", True),))).value


def test_a_wrong_isbn_is_seen() -> None:
    right, wrong = (accuracy(note(text=f"{TEXT} ISBN {isbn}")) for isbn in ("978-0-306-40615-7", "978-0-306-40615-8"))
    assert right.value > wrong.value
    assert "0 of 1 ISBNs have the right check digit." in wrong.reasons


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("https://doi.org/10.1/x", "https://en.wikipedia.org/wiki/X"),
        ("https://www.nasa.gov/", "https://someone.medium.com/"),
        ("https://www.ox.ac.uk/", "https://example.com/"),
        ("https://health.gov.au/", "https://health.com.au/"),
        ("https://example.com/", "http://example.com/"),
        ("https://example.com/", "https://192.0.2.1/"),
        ("https://someone.github.io/", "https://bit.ly/x"),
    ],
)
def test_hosts_have_an_order(better: str, worse: str) -> None:
    assert credibility(better)[0] > credibility(worse)[0]


def test_the_longest_known_name_of_a_host_decides() -> None:
    assert credibility("https://plato.stanford.edu/")[1] == "an edited reference work"
    assert credibility("https://www.stanford.edu/")[1] == "a university or school"
    assert credibility("https://notarxiv.org/")[1] == "a host of no known kind"
    assert (
        accuracy(note(url="https://arxiv.org/abs/2101.00001"))
        .reasons[-1]
        .startswith("Its source is a register or archive of research")
    )


# completeness


def test_everything_there_is_complete() -> None:
    full = note(
        word_count=300, description="On lamps.", url="https://example.org/", authors=1, subjects=("sea",),
        published_at=MONTH, month=MONTH,
    )  # fmt: skip
    assert completeness(full) == (1.0, ["All of its metadata are there.", "Its text has 300 words."])


def test_what_is_missing_is_named() -> None:
    score = completeness(note(word_count=12))
    assert score.reasons == [
        "It lacks authors, a publication date, a description, subjects or tags and an address.",
        "Its text has 12 words; 300 count as complete.",
    ]
    assert completeness(note(word_count=1)).reasons[1].startswith("Its text has 1 word;")
    assert completeness(note(title="https://x.org/", url="https://x.org/")).reasons[0].startswith("It lacks a title")


# consistency


def test_a_title_that_the_text_knows_nothing_of() -> None:
    fits, not_at_all = consistency(NOTE), consistency(note(title="Quarterly earnings of banks"))
    assert fits.value > not_at_all.value
    assert "2 of 2 of the title's words are in the text." in fits.reasons
    assert "0 of 3 of the title's words are in the text." in not_at_all.reasons


def test_inflected_words_are_the_same() -> None:
    assert "2 of 2 of the title's words are in the text." in consistency(note(title="Lighthouse keepers")).reasons


def test_titles_without_blanks_are_looked_for_by_pairs() -> None:
    text = "灯台は海のそばにあり、夜に光る。" * 20
    japanese = note(title="海のそばの灯台", text=text, language="ja")
    assert consistency(japanese).value > consistency(replace(japanese, title="銀行四半期決算")).value


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Its language is en, as declared."),
        ("en-GB", "Its language is en-GB, as declared."),
        ("de", "It is declared as de, but reads like en."),
        ("ru", "It is declared as ru, but its script is Latin."),
    ],
)
def test_the_declared_language_is_held_against_the_text(language: str, said: str) -> None:
    assert said in consistency(note(language=language)).reasons


def test_a_language_that_cannot_be_told_is_not_judged() -> None:
    assert len(consistency(note(language="sw")).reasons) == 1
    assert len(consistency(note(language="tlh")).reasons) == 1
    assert consistency(note(language="zh", text="燈塔在海邊", title="燈塔")).value == 1.0


def test_mixed_scripts_say_so() -> None:
    mixed = "The lamp Маяк у моря 灯台の光 הים the sea море "
    assert script_of(mixed * 30) == "MIXED"
    assert "several scripts" in " ".join(consistency(note(text=mixed * 30)).reasons)


def test_subjects_and_description_are_held_against_the_text() -> None:
    fits = consistency(note(subjects=("lighthouse",), description="The keeper and the lamp"))
    not_at_all = consistency(note(subjects=("banking",), description="Quarterly earnings of the bank"))
    assert fits.value > not_at_all.value
    assert "0 of 1 subjects and tags are named in the text." in not_at_all.reasons


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The keeper of the lighthouse is not in the house, and it was dark.", "en"),
        ("Der Wärter des Leuchtturms ist nicht in dem Haus, und es war dunkel.", "de"),
        ("Le gardien du phare n'est pas dans la maison et il fait nuit.", "fr"),
        ("El guardián del faro no está en la casa y es de noche.", "es"),
        ("Смотритель маяка не был в доме, и это было ночью.", "ru"),
        ("lamp lamp lamp", None),
        ("", None),
    ],
)
def test_common_words_tell_the_language(text: str, code: str | None) -> None:
    assert language_of(text) == code


# timeliness


def test_half_of_it_is_left_after_a_half_life() -> None:
    assert [decayed(years, 3) for years in (0, 3, 6)] == [1.0, 0.5, 0.25]


def test_fields_and_types_age_at_their_own_pace() -> None:
    assert half_life("webpage", ("Web security",)) < half_life("webpage", ()) < half_life("book", ())
    assert half_life("webpage", ("History of science",)) == 20
    then = {"published_at": datetime(2021, 11, 1, tzinfo=UTC), "month": MONTH}
    old, older = timeliness(note(subjects=("history",), **then)), timeliness(note(subjects=("software",), **then))
    assert old.value > 0.8 > 0.4 > older.value
    assert older.reasons == [
        "It was published 5.0 years ago; a text of its kind loses half of its timeliness in 3 years."
    ]


def test_no_date_and_a_date_to_come() -> None:
    assert timeliness(NOTE) == (0.5, ["It has no publication date."])
    coming = timeliness(note(published_at=datetime(2031, 5, 4, tzinfo=UTC), month=MONTH, in_future=True))
    assert coming == (0.3, ["Its publication date, 2031-05-04, lies in the future."])
    assert timeliness(note(published_at=datetime(2026, 11, 20, tzinfo=UTC), month=MONTH)).value == 1.0


def test_a_superseded_version_is_less_timely() -> None:
    current = note(published_at=MONTH, month=MONTH)
    superseded, copy = timeliness(replace(current, superseded=True)), timeliness(replace(current, duplicate=True))
    assert timeliness(current).value > copy.value > superseded.value
    assert "A newer version of nearly the same text is in the library." in superseded.reasons


# relevance


def test_a_small_library_says_so() -> None:
    assert relevance(NOTE).value == 0.5
    assert "too small to compare with" in relevance(NOTE).reasons[0]
    assert "not known yet" in relevance(note(around=Surroundings(size=50, typical=0.4))).reasons[0]


def test_what_is_typical_is_relevant_and_what_is_far_is_not() -> None:
    def near(value: float) -> float:
        return relevance(note(around=Surroundings(size=50, near=value, typical=0.4))).value

    assert [near(value) for value in (0.6, 0.4, 0.2, 0.0, -0.3)] == [1.0, 1.0, 0.5, 0.0, 0.0]


def test_the_subjects_of_a_resource_may_be_nearer_than_the_library() -> None:
    around = Surroundings(size=50, near=0.1, typical=0.4, kin=5, near_kin=0.5)
    assert relevance(note(around=around)) == (
        1.0, ["It is 0.50 near to the 5 resources of its subjects.", "Nothing in the library cites it.",
            "Nobody but its owner has used it lately."],
    )  # fmt: skip
    assert relevance(note(around=replace(around, kin=2))).value == 0.25


def test_use_lifts() -> None:
    used, much_used = relevance(note(uses=1)), relevance(note(uses=40))
    assert 0.5 < used.value < much_used.value == 0.75
    assert used.reasons[1] == "1 resource of the library cites it."
    read, much_read = relevance(note(readers=1)), relevance(note(readers=5))
    assert 0.5 < read.value < much_read.value == 0.75
    assert read.reasons[2] == "1 person besides its owner used it lately."
    assert much_read.reasons[2] == "5 or more people besides its owner used it lately."
    assert relevance(note(uses=40, readers=5)).value == 0.75  # one kind of use lifts as much as both


# all of them


@settings(max_examples=150, deadline=None)
@given(
    title=st.text(max_size=60), text=st.text(max_size=400), description=st.text(max_size=60),
    url=st.none() | st.text(max_size=40) | st.just("https://example.org/"),
    language=st.none() | st.sampled_from(["en", "ja", "x", "zz-Q"]),
    subjects=st.lists(st.text(max_size=20), max_size=4),
    cited=st.lists(st.tuples(st.sampled_from(["doi", "url", "isbn", "x"]), st.text(max_size=30), st.booleans())),
)  # fmt: skip
def test_no_input_breaks_it_and_every_score_has_its_reason(
    title: str, text: str, description: str, url: str | None, language: str | None, subjects: list[str],
    cited: list[tuple[str, str, bool]],
) -> None:  # fmt: skip
    evidence = Evidence(
        UUID(int=1), "hash", title, text, len(text.split()), description, url, language=language,
        subjects=tuple(subjects), citations=tuple(Cited(*one) for one in cited),
    )  # fmt: skip
    found = assess(evidence)
    assert assess(evidence) == found
    assert len(found.scores) == 5
    for score in found.scores.values():
        assert 0 <= score.value <= 1
        assert all(score.reasons)
        assert all(reason.endswith(".") or "The first that is not:" in reason for reason in score.reasons)
