"""Quizzes of a real PDF and of real pages, audited by rules of their own."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from bench.quizzes import QUESTIONS, material, page, pdf, quiz
from service.quizzes.drafts import Made, Material
from tests.quizzes.audit import complaints

pytestmark = pytest.mark.integration

PAGES = ["howto/logging.html", "howto/regex.html", "howto/unicode.html", "faq/programming.html"]
LEAST = 0.95  # of the questions have nothing that is complained of
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def documents() -> dict[str, Material]:
    """The documents, as an upload of each is read."""
    if shutil.which("apt-get") is None:
        pytest.skip("the documents are Debian packages, and there is no apt-get here")
    try:
        return {"the PDF": material(pdf())} | {name: material(page(name)) for name in PAGES}
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the Debian packages could not be fetched: {error}")


@pytest.fixture(scope="module")
def made(documents: dict[str, Material]) -> Callable[[str, int], Made]:
    """Gives the quiz of a document by a seed, which is made once."""

    @cache
    def make(name: str, seed: int) -> Made:
        return quiz(documents[name], seed)

    return make


@pytest.mark.timeout(300)
def test_nearly_all_questions_pass_the_audit(documents: dict[str, Material], made: Callable[[str, int], Made]) -> None:
    found: Counter[str] = Counter()
    number = good = 0
    for name, one in documents.items():
        for seed in SEEDS:
            one_quiz = made(name, seed)
            assert len(one_quiz.drafts) >= 0.75 * QUESTIONS, (name, one_quiz.message)
            for draft in one_quiz.drafts:
                wrong = list(complaints(draft, one.content))
                found.update(wrong)
                number, good = number + 1, good + (not wrong)
    print(f"{good} of {number} questions pass: {good / number:.1%}", dict(found))
    assert good / number >= LEAST, found


def test_the_whole_material_is_asked_about(documents: dict[str, Material], made: Callable[[str, int], Made]) -> None:
    length, drafts = len(documents["the PDF"].content), made("the PDF", 1).drafts
    assert len({draft.passage_start * 10 // length for draft in drafts}) >= 8
    assert {draft.type for draft in drafts} == {
        "multiple_choice", "true_false", "fill_in_blank", "short_answer",
    }  # fmt: skip


def test_another_seed_makes_another_quiz(made: Callable[[str, int], Made]) -> None:
    first, second = ({draft.stem for draft in made("the PDF", seed).drafts} for seed in (1, 2))
    assert len(first - second) >= 5


def test_the_audit_notices_what_is_wrong(documents: dict[str, Material], made: Callable[[str, int], Made]) -> None:
    one = documents["the PDF"]
    for draft in made("the PDF", 1).drafts:
        assert list(complaints(replace(draft, passage_start=draft.passage_start + 1), one.content))
        assert list(complaints(replace(draft, stem=f"It was so on Monday. {draft.stem}"), one.content))
