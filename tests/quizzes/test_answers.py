"""What a sentence can be asked about."""

import pytest

from service.quizzes.answers import Answer, Reading, read
from service.quizzes.grammar import Casing, phrases_of, tokens_of
from service.quizzes.lexicon import is_plural, other_number, singular
from service.quizzes.sentences import Sentence


def reading(text: str, casing: Casing | None = None) -> Reading:
    found = read(Sentence(text, 0, len(text)), casing or Casing())
    assert found is not None
    return found


def of_kind(text: str, kind: str) -> list[str]:
    return [answer.text for answer in reading(text).answers if answer.kind == kind]


def subject(text: str) -> Answer:
    return next(answer for answer in reading(text).answers if answer.subject)


def test_names_terms_numbers_and_years_are_told_apart() -> None:
    text = "Lynn Margulis argued in 1967 that mitochondria contain 37 genes of free bacteria."
    assert of_kind(text, "name") == ["Lynn Margulis"]
    assert of_kind(text, "year") == ["1967"]
    assert of_kind(text, "number") == ["37"]
    assert "mitochondria" in of_kind(text, "term")


@pytest.mark.parametrize(
    "text",
    [
        "The rule of Section 5 applies to cells of plants.",
        "The release of Python 3 changed the rules for strings.",
        "The version 12 of the rules applies to plants.",
        "The port 8080 is used for the pages of a site.",
    ],
)
def test_a_number_that_only_labels_is_no_answer(text: str) -> None:
    assert of_kind(text, "number") == []


def test_every_answer_stands_at_its_place() -> None:
    text = "Red blood cells of mammals carry oxygen to 37 trillion cells since 1839."
    for answer in reading(text).answers:
        assert text[answer.start : answer.end] == answer.text


def test_a_subject_is_what_a_sentence_is_about() -> None:
    found = subject("The plasma membrane controls the transport of ions.")
    assert (found.text, found.article, found.spelled, found.plural) == (
        "plasma membrane",
        "The",
        "plasma membrane",
        False,
    )
    found = subject("Ion channels are proteins that let ions pass.")
    assert (found.text, found.spelled, found.plural) == ("Ion channels", "ion channels", True)
    assert not any(answer.subject for answer in reading("The wall of plant cells is made of cellulose.").answers)


def test_a_name_is_told_from_a_word_that_begins_a_sentence() -> None:
    casing = Casing(frozenset({"shell"}), frozenset({"python"}))
    assert subject_kind("Python is a language that people read easily.", casing) == "name"
    assert subject_kind("Namespaces are mappings from names to objects.", Casing({"namespaces"})) == "term"
    assert subject_kind("SQLite stores a whole database in one file.", Casing({"sqlite"})) == "name"


def subject_kind(text: str, casing: Casing) -> str:
    return next(answer.kind for answer in reading(text, casing).answers if answer.subject)


def test_a_definition_is_a_class_and_what_sets_it_apart() -> None:
    found = reading("A ribosome is a particle that builds proteins.").definition
    assert found is not None
    assert (found.answer.text, found.verb, found.meaning) == ("ribosome", "is", "a particle that builds proteins")
    found = reading("Enzymes are proteins that speed up chemical reactions.").definition
    assert found is not None
    assert found.verb == "are"


@pytest.mark.parametrize(
    "text",
    [
        "Namespaces are created at different moments of a program.",
        "Plant cells are green because chloroplasts reflect green light.",
        "The wall of a cell is a layer of cellulose around it.",
        "A ribosome is small.",
        "A ribosome is a particle of its own cell.",
    ],
)
def test_not_all_that_is_something_is_a_definition(text: str) -> None:
    assert reading(text).definition is None


@pytest.mark.parametrize(
    "text",
    [
        "Use a microscope when you look at the cells of plants.",
        "Bind values to the statement that the database runs.",
        "Be sure to look at the cells of the plant.",
        "Don’t look at the cells of plants in the sunlight.",
        "Returns the number of cells that the plant has.",
        "True if the plant has cells that are green.",
        "Exception raised when the plant has no cells.",
        "A list of all the cells in a plant.",
        "The cells that he looked at were those of plants.",
    ],
)
def test_commands_entries_and_strangers_are_not_asked_about(text: str) -> None:
    assert read(Sentence(text, 0, len(text))) is None


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("Plants need water or sunlight for the growth of cells.", "sunlight"),
        ("The next case shows the way of the cells.", "next case"),
        ("By learning Python people get a job with a future.", "learning Python"),
    ],
)
def test_vague_coordinated_and_doubtful_phrases_are_no_answers(text: str, absent: str) -> None:
    assert absent not in [answer.text for answer in reading(text).answers]


def test_phrases_end_where_words_are_sure() -> None:
    text = "The default shell of the Debian system runs many small programs."
    found = [" ".join(token.text for token in phrase.tokens) for phrase in phrases_of(tokens_of(text))]
    assert found == ["default shell", "Debian system", "small programs"]


@pytest.mark.parametrize(
    ("word", "one", "other"),
    [("cells", "cell", "cell"), ("cell", "cell", "cells"), ("nuclei", "nucleus", "nucleus")],
)
def test_numbers_of_nouns(word: str, one: str, other: str) -> None:
    assert singular(word) == one
    assert other_number(word) == other


def test_the_last_part_of_a_compound_says_its_number() -> None:
    assert is_plural("filesystems")
    assert not is_plural("filesystem")
    assert not is_plural("bus")


def test_of_a_word_that_nobody_knows_no_number_is_made_up() -> None:
    assert singular("mitochondria") == "mitochondria"
    assert other_number("mitochondria") is None
    assert other_number("filesystem") == "filesystems"
