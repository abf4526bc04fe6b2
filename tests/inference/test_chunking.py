"""Passages: whole sentences, no longer than the model reads, nothing lost."""

from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.inference.chunking import OVERLAP, PASSAGE_CHARACTERS, PIECES, TITLE_PIECES, WINDOW, Chunk, Chunker
from workers.inference.model import Model

PROSE = " ".join(f"The keeper of lamp number {n} climbs the stairs at dusk. He comes down at dawn." for n in range(60))


@pytest.fixture(scope="module")
def chunker(model: Model) -> Chunker:
    return model.chunker


def texts(text: str, chunks: list[Chunk]) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in chunks]


def test_passages_are_whole_sentences_that_fit(chunker: Chunker) -> None:
    chunks = list(chunker.chunk("Lighthouses", PROSE))
    assert len(chunks) > 10
    assert all(len(chunk.pieces) <= PIECES for chunk in chunks)
    assert all(text[0] in "TH" and text.endswith(".") for text in texts(PROSE, chunks))


def test_a_passage_repeats_the_end_of_the_one_before(chunker: Chunker) -> None:
    chunks = list(chunker.chunk("Lighthouses", PROSE))
    repeated = [PROSE[after.start : before.end] for before, after in pairwise(chunks)]
    assert all(text.endswith(".") for text in repeated)
    assert all(len(chunker.tokenizer.encode(text, add_special_tokens=False).ids) <= OVERLAP for text in repeated)


def test_every_passage_is_headed_by_the_title(chunker: Chunker) -> None:
    chunks = list(chunker.chunk("Lighthouses of the north", PROSE))
    heading = chunker.tokenizer.encode("Lighthouses of the north.", add_special_tokens=False).ids
    assert all(chunk.pieces[1 : 1 + len(heading)] == heading for chunk in chunks)


def test_a_long_title_leaves_room_for_the_text(chunker: Chunker) -> None:
    with_title = next(chunker.chunk("northern " * 500, PROSE))
    without = next(chunker.chunk("", PROSE))
    assert len(with_title.pieces) <= PIECES
    assert without.end > with_title.end > without.end // 2
    assert with_title.pieces[TITLE_PIECES] == chunker.tokenizer.token_to_id(".")


def test_a_short_text_is_one_passage(chunker: Chunker) -> None:
    assert texts("A note.", list(chunker.chunk("Note", "A note."))) == ["A note."]


def test_without_words_the_title_stands_alone(chunker: Chunker) -> None:
    (chunk,) = chunker.chunk("Only a title", " \n\t ")
    assert (chunk.start, chunk.end) == (0, 0)
    assert len(chunk.pieces) > 3


def test_without_words_and_title_there_is_no_passage(chunker: Chunker) -> None:
    assert list(chunker.chunk("", "")) == []


def test_lines_end_sentences(chunker: Chunker) -> None:
    text = "\n".join(f"item {n} of a list without any full stop" for n in range(40))
    assert all(
        part.startswith("item ") and part.endswith("stop") for part in texts(text, list(chunker.chunk("", text)))
    )


def test_wide_full_stops_end_sentences(chunker: Chunker) -> None:
    text = "灯台守は毎晩階段を上る。" * 60
    assert all(part.endswith("。") for part in texts(text, list(chunker.chunk("", text))))


@pytest.mark.parametrize(
    "text",
    [
        "word " * 20_000,
        "a" * 100_000,
        "." * 20_000,
        "a." * 20_000,
        "\n" * 50_000,
        "x! " * 20_000,
        "😀" * 50_000,
        '"' * 20_000,
    ],
    ids=["one line", "one word", "dots", "initials", "newlines", "shouts", "emoji", "quotes"],
)
def test_odd_texts_make_passages_of_bounded_size(chunker: Chunker, text: str) -> None:
    chunks = list(islice(chunker.chunk("Odd", text), 2000))
    assert chunks
    assert all(len(chunk.pieces) <= PIECES and chunk.end - chunk.start <= PASSAGE_CHARACTERS for chunk in chunks)


def test_a_sentence_across_two_windows_stays_whole(chunker: Chunker) -> None:
    lead = "Short words go here. " * (WINDOW // 21)
    text = (
        lead
        + "This very sentence begins before the window ends and is over only after it."
        + " More text follows." * 20
    )
    whole = "This very sentence begins before the window ends and is over only after it."
    assert any(whole in part for part in texts(text, list(chunker.chunk("", text))))


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab .!?\n'\"—é中。😀-1"), max_size=3000))
def test_nothing_is_lost_and_passages_move_on(chunker: Chunker, text: str) -> None:
    chunks = list(chunker.chunk("", text))
    covered = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    assert [text[at] for at in range(len(text)) if text[at].isalnum() and at not in covered] == []
    assert all(before.start < after.start and before.end < after.end for before, after in pairwise(chunks))
