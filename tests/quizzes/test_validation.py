"""The rules that every question meets."""

from dataclasses import replace
from typing import Any

import pytest

from service.quizzes.drafts import Draft
from service.quizzes.validation import content_words, faults, folded, holds, shape

PASSAGE = "A ribosome is a particle that builds proteins from amino acids."
CONTENT = f"Cells.\n{PASSAGE} In 1839 two people proposed the theory."
START = CONTENT.index(PASSAGE)
CHOICE = Draft(
    "multiple_choice", "Which of these builds proteins from amino acids?", {"option": 0}, PASSAGE, START,
    ("ribosome", "vacuole", "lysosome", "nucleus"),
)  # fmt: skip
TRUTH = Draft("true_false", PASSAGE, {"value": True}, PASSAGE, START)
LIE = replace(TRUTH, stem=PASSAGE.replace("ribosome", "vacuole"), answer={"value": False})
BLANK = Draft(
    "fill_in_blank", "A _____ is a particle that builds proteins.", {"blanks": [["ribosome", "ribosomes"]]}, PASSAGE,
    START
)  # fmt: skip
POINTS = {
    "text": "a particle that builds proteins",
    "key_points": [{"text": "proteins", "terms": ["proteins", "protein"]}],
}
SHORT = Draft("short_answer", "What is a ribosome?", POINTS, PASSAGE, START)


@pytest.mark.parametrize("draft", [CHOICE, TRUTH, LIE, BLANK, SHORT], ids=lambda draft: draft.type)
def test_good_questions_have_no_faults(draft: Draft) -> None:
    assert faults(draft, CONTENT) == []
    assert faults(draft) == []


@pytest.mark.parametrize(
    ("draft", "changed", "fault"),
    [
        (CHOICE, {"options": ("ribosome", "vacuole", "lysosome")}, "has 4 options"),
        (CHOICE, {"options": ("ribosome", "vacuole", "Vacuole", "nucleus")}, "say the same"),
        (CHOICE, {"options": ("ribosome", "1839", "lysosome", "nucleus")}, "not of one type"),
        (CHOICE, {"options": ("ribosome", "protein", "lysosome", "nucleus")}, "contains a wrong option"),
        (CHOICE, {"options": ("mitochondrion", "vacuole", "lysosome", "nucleus")}, "does not contain the right option"),
        (CHOICE, {"options": ("ribosome", "", "lysosome", "nucleus")}, "has 4 options"),
        (CHOICE, {"options": None}, "has 4 options"),
        (CHOICE, {"answer": {"option": 4}}, "by its place"),
        (CHOICE, {"answer": {"option": True}}, "by its place"),
        (CHOICE, {"answer": {}}, "by its place"),
        (CHOICE, {"answer": {"option": 1}}, "does not contain the right option"),
        (CHOICE, {"stem": "What do ribosomes build out of amino acids?"}, "shows its answer"),
        (CHOICE, {"stem": "A _____ or a _____ builds proteins from amino acids."}, "one blank at most"),
        (CHOICE, {"stem": "An _____ is a particle that builds proteins from amino acids."}, "not grammatical"),
        (CHOICE, {"stem": "It builds proteins from amino acids: which one?"}, "starts with “It”"),
        (CHOICE, {"stem": "Which one was it on 12 March 2019?"}, "date stamp"),
        (CHOICE, {"stem": "Which of these builds proteins"}, "full stop nor a question mark"),
        (CHOICE, {"stem": "Which?"}, "characters"),
        (CHOICE, {"stem": "Which of these\nbuilds proteins?"}, "line breaks"),
        (CHOICE, {"stem": "What builds proteins, as www.evil.example says?"}, "address"),
        (TRUTH, {"answer": {"value": 1}}, "true or false"),
        (TRUTH, {"options": ("yes", "no")}, "has no options"),
        (TRUTH, {"stem": "Is a ribosome a particle that builds proteins?"}, "ends with a full stop"),
        (TRUTH, {"stem": "The moon orbits the round planet Earth."}, "something else"),
        (TRUTH, {"stem": "A vacuole is a particle that destroys proteins."}, "does not say what"),
        (LIE, {"stem": PASSAGE}, "so it is not false"),
        (BLANK, {"answer": {"blanks": [["vacuole"]]}}, "does not contain “vacuole”"),
        (BLANK, {"answer": {"blanks": []}}, "blanks, with the answers"),
        (BLANK, {"answer": {"blanks": [[]]}}, "An accepted answer"),
        (BLANK, {"answer": {"blanks": [["ribosome"], ["particle"]]}}, "not as many blanks"),
        (BLANK, {"answer": {"blanks": "ribosome"}}, "blanks, with the answers"),
        (BLANK, {"stem": "A _____, a ribosome, is a particle that builds proteins."}, "shows its answer"),
        (BLANK, {"stem": "An _____ is a particle that builds proteins."}, "not grammatical"),
        (BLANK, {"stem": "A _____ _____ is a particle that builds proteins."}, "side by side"),
        (BLANK, {"stem": "A ___ is a particle that builds proteins."}, "underscores"),
        (BLANK, {"stem": "A _____s is a particle that builds proteins."}, "no space around"),
        (BLANK, {"stem": "A _____ builds proteins."}, "Too little of the sentence"),
        (SHORT, {"answer": {**POINTS, "key_points": []}}, "key points"),
        (SHORT, {"answer": {**POINTS, "text": " "}}, "A short answer has"),
        (SHORT, {"answer": {**POINTS, "key_points": [{"text": "x", "terms": []}]}}, "the terms by which"),
        (SHORT, {"answer": {**POINTS, "key_points": ["x"]}}, "the terms by which"),
        (SHORT, {"answer": {**POINTS, "key_points": [{"text": "x", "terms": ["vacuole"]}]}}, "the key point"),
        (SHORT, {"stem": "What builds the proteins of a cell?"}, "shows the key point"),
        (SHORT, {"stem": "Describe a ribosome in few words."}, "ends with a question mark"),
        (SHORT, {"passage": "A ri"}, "characters; 5 to 200"),
        (SHORT, {"passage": CONTENT * 3}, "characters; 5 to 200"),
        (SHORT, {"passage_start": START + 1}, "does not stand at its place"),
        (SHORT, {"passage_start": -1}, "does not stand at its place"),
    ],
)  # fmt: skip
def test_each_fault_is_found(draft: Draft, changed: dict[str, Any], fault: str) -> None:
    found = faults(replace(draft, **changed), CONTENT)
    assert any(fault in one for one in found), found


def test_a_question_in_another_language_is_checked_as_well() -> None:
    passage = "Das Mitochondrium liefert der Zelle ihre Energie."
    draft = Draft(
        "fill_in_blank", "Das _____ liefert der Zelle ihre Energie.", {"blanks": [["Mitochondrium"]]}, passage, 0
    )
    assert faults(draft, passage) == []


def test_texts_are_compared_without_case_accents_and_marks() -> None:
    assert folded("  “Café”  Münster ") == "cafe munster"
    assert holds("The Cells of plants.", "cell")
    assert holds("a box", "boxes") is False
    assert not holds("Cellular life", "cell")
    assert not holds("anything", "")
    assert content_words("The cells of a plant") == {"cell", "plant"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1839", "year"), ("20,000", "number"), ("90%", "number with %"), ("Two", "number word"), ("cell", "words"),
        ("a double layer of lipids that surrounds every cell", "statement"),
    ],
)  # fmt: skip
def test_options_have_a_type(text: str, expected: str) -> None:
    assert shape(text) == expected
