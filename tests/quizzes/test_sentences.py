"""Sentences of a text, and which can stand alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.quizzes.sentences import READ, WINDOW, flaw, sentences_of, windows


def test_a_sentence_knows_its_place() -> None:
    content = "Title\nThe first one is here. The second one follows it.\n• A bullet begins the third one."
    found = list(sentences_of(content))
    assert [sentence.text for sentence in found][1:] == [
        "The first one is here.", "The second one follows it.", "A bullet begins the third one.",
    ]  # fmt: skip
    for sentence in found:
        assert " ".join(content[sentence.start : sentence.end].split()) == sentence.text


def test_a_paragraph_that_inline_code_tore_is_one_again() -> None:
    content = (
        "The\nstable\nrelease of Debian has few bugs, as the\ntesters\n, who look for them, know.\nAnother one is here."
    )
    found = [sentence.text for sentence in sentences_of(content)]
    assert found == [
        "The stable release of Debian has few bugs, as the testers, who look for them, know.",
        "Another one is here.",
    ]


def test_headings_and_list_entries_are_no_part_of_sentences() -> None:
    content = "5.1.2 The name\nThe kernel names each device of the network.\nMake a copy\nLearn the commands of it"
    assert "The kernel names each device of the network." in [sentence.text for sentence in sentences_of(content)]


@given(st.text(alphabet="ab .\n\r\t•1A,é“", max_size=200))
def test_places_are_right_whatever_the_text(content: str) -> None:
    for sentence in sentences_of(content):
        assert 0 <= sentence.start < sentence.end <= len(content)


def test_of_a_very_long_text_evenly_spread_parts_are_read() -> None:
    content = "A line that is a line.\n" * 400_000
    parts = windows(content)
    assert sum(end - start for start, end in parts) <= READ
    assert parts[-1][0] > 0.9 * len(content)
    assert all(end - start <= WINDOW for start, end in parts)
    assert all(content[start:].startswith("A line") for start, _ in parts)
    assert windows("short") == [(0, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "A ribosome is a particle that builds proteins from amino acids.",
        "Robert Hooke described the first cells in his book Micrographia in 1665.",
        "In animal cells, mitochondria produce most of the chemical energy.",
    ],
)
def test_what_stands_alone_has_no_flaw(text: str) -> None:
    assert flaw(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("It builds the proteins of a cell from amino acids.", "starts with “It”"),
        ("This particle builds the proteins of a cell from amino acids.", "starts with “This”"),
        ("That’s because the proteins of a cell are built from amino acids.", "starts with “That”"),
        ("However, a ribosome builds the proteins of a cell.", "starts with “However”"),
        ("For example, a ribosome builds the proteins of a cell.", "starts with “For example”"),
        ("In addition, a ribosome builds the proteins of a cell.", "starts with “In addition”"),
        ("A ribosome of these cells builds proteins from amino acids.", "elsewhere"),
        ("A ribosome builds proteins, as the table below shows to readers.", "elsewhere"),
        ("A ribosome builds proteins from amino acids (see Section 5).", "elsewhere"),
        ("I think that a ribosome builds proteins from amino acids.", "starts with “I”"),
        ("A ribosome was shown to our readers on Monday of last week.", "date stamp"),
        ("A ribosome was seen for the first time on 12 March 1955.", "date stamp"),
        ("A ribosome builds proteins with build(amino={1, 2}) from acids.", "code"),
        ("A user of the system edits the file /etc/hosts.conf with care.", "code"),
        ("Table 5 lists all of the ribosomes of a cell and their parts.", "caption"),
        ("Does a ribosome build proteins from amino acids in a cell?", "no whole sentence"),
        ("a ribosome builds proteins from amino acids in the cell.", "no whole sentence"),
        ("A ribosome builds proteins from amino acids in the cell", "no whole sentence"),
        ("A ribosome builds proteins: it takes amino acids for them.", "no plain statement"),
        ("A ribosome (of the cell builds proteins from amino acids.", "open bracket"),
        ("Cells have walls in them The ribosome builds proteins from acids.", "heading"),
        ("A ribosome is small.", "too short"),
        ("A ribosome builds " + "very long " * 30 + "proteins.", "too short or too long"),
        ("“A ribosome builds the proteins of each cell of the body,” she said.", "no whole sentence"),
        ("The professor said ribosomes build proteins from amino acids.", "somebody said"),
        ("A connect ing ribosome builds the proteins of a cell.", "torn words"),
    ],
)  # fmt: skip
def test_each_flaw_is_found(text: str, why: str) -> None:
    assert why in (flaw(text) or "nothing")
