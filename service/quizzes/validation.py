"""The rules that every question meets: made by rules, written by a model, or edited by a person."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, cast

from service.quizzes.drafts import BLANK, Draft
from service.quizzes.vocabulary import DATE_STAMP

OPTIONS = 4
SHORTEST_PASSAGE, LONGEST_PASSAGE = 5, 200  # characters
SHORTEST_STEM, LONGEST_STEM = 10, 600  # characters
LONGEST_ANSWER = 200  # characters
BLANKS = 3
KEY_POINTS = 6

_WORD = re.compile(r"\w+(?:['’.,-]\w+)*")
_YEAR = re.compile(r"(?:1\d|20)\d\d\Z")
_NUMBER = re.compile(r"[\d.,]+\s?%?\Z")
_NUMBER_WORD = re.compile(r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\Z", re.I)
_LEADS = re.compile(r"(?:Which \w+ completes the sentence\?|True or false:)\s*")
_UNRESOLVED = frozenset(
    "it its this these that those they their them he his him she her hers such here there and but or so however then"
    " therefore thus moreover furthermore otherwise instead also hence".split()
)
_SMALL = frozenset(
    "a an the of in on at by to for with from and or as is are was were be been it its that which who this these those"
    " not can may will has have had do does than into".split()
)


def faults(draft: Draft, content: str | None = None) -> list[str]:
    """Return what is wrong with a question, each as a sentence; `content` is the text that its passage stands in."""
    found = [*_of_passage(draft, content), *_of_stem(draft)]
    return found or list(_BY_TYPE[draft.type](draft))


def folded(text: str) -> str:
    """Return a text without case, accents, quotation marks and surplus white space, for comparing."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\"“”„«»]", "", plain.replace("’", "'")).casefold().split())


def holds(text: str, part: str) -> bool:
    """Tell whether whole words of a text are `part`, in the singular or the plural."""
    sought = re.escape(folded(part).strip(" .")).removesuffix("s")
    return bool(sought) and re.search(rf"(?<!\w){sought}(?:e?s)?(?!\w)", folded(text)) is not None


def content_words(text: str) -> set[str]:
    """Return the words of a text that carry its meaning, folded."""
    return {word.removesuffix("s") for word in _WORD.findall(folded(text)) if word not in _SMALL}


def shape(text: str) -> str:
    """Return the type of an option: year, number, number word, statement or words."""
    if _YEAR.match(text):
        return "year"
    if _NUMBER.match(text):
        return "number with %" if text.endswith("%") else "number"
    if _NUMBER_WORD.match(text):
        return "number word"
    return "words" if len(text.split()) <= 6 else "statement"


def _of_passage(draft: Draft, content: str | None) -> Iterator[str]:
    passage, start = draft.passage, draft.passage_start
    if not SHORTEST_PASSAGE <= len(passage) <= LONGEST_PASSAGE:
        yield f"The passage has {len(passage)} characters; {SHORTEST_PASSAGE} to {LONGEST_PASSAGE} are allowed."
    if content is not None and (start < 0 or content[start : start + len(passage)] != passage):
        yield "The passage does not stand at its place in the text, word for word."


def _of_stem(draft: Draft) -> Iterator[str]:
    stem = draft.stem
    if not SHORTEST_STEM <= len(stem) <= LONGEST_STEM:
        yield f"The question has {len(stem)} characters; {SHORTEST_STEM} to {LONGEST_STEM} are allowed."
    if not stem.isprintable() or stem != stem.strip():
        yield "The question has line breaks, control characters or white space around it."
    if not stem.endswith((".", "?")):
        yield "The question ends with neither a full stop nor a question mark."
    if re.search(r"://|\bwww\.", " ".join([stem, *(draft.options or ())])):
        yield "The question has an address in it."
    said = _LEADS.sub("", stem)
    if DATE_STAMP.search(said):
        yield "The question has a date stamp in it."
    first = re.match(r"[^\W\d_]+", said)
    if first is not None and first[0].lower() in _UNRESOLVED:
        yield f"The question starts with “{first[0]}”, which refers to something that is not there."
    blanks = re.findall(r"_+", stem)
    if any(blank != BLANK for blank in blanks):
        yield f"A blank is {len(BLANK)} underscores."
    if draft.type == "fill_in_blank" or blanks:
        yield from _of_blanks(said)


def _of_blanks(stem: str) -> Iterator[str]:
    if re.search(rf"\w{BLANK}|{BLANK}\w", stem.replace(BLANK, "\0").replace("\0", BLANK)) and re.search(
        rf"[^\W_]{BLANK}|{BLANK}[^\W_]", stem
    ):
        yield "A blank has no space around it."
    if re.search(rf"{BLANK}[\s,]+{BLANK}", stem):
        yield "Two blanks stand side by side."
    if len(_WORD.findall(stem.replace(BLANK, " "))) < 5:
        yield "Too little of the sentence is left around the blank."


def _article_fault(stem: str, answer: str) -> str | None:
    """Return that a or an before the blank does not go with the answer."""
    article = re.search(rf"\b(an?)\s+{BLANK}", stem, re.I)
    if article is None or not answer[:1].isalpha() or answer.isupper():
        return None
    vowel = answer[0].lower() in "aeiou"
    odd = re.match(r"(?:uni|use|usu|eu|one|hour|hon|heir|x)", answer.lower())
    if odd is None and vowel != (article[1].lower() == "an"):
        return f"“{article[1]} {answer}” is not grammatical."
    return None


def _multiple_choice(draft: Draft) -> Iterator[str]:
    options = draft.options or ()
    chosen = draft.answer.get("option")
    if len(options) != OPTIONS or not all(0 < len(option.strip()) <= LONGEST_ANSWER for option in options):
        yield f"A multiple-choice question has {OPTIONS} options of 1 to {LONGEST_ANSWER} characters."
        return
    if type(chosen) is not int or not 0 <= chosen < OPTIONS:
        yield f"The answer names one option by its place, 0 to {OPTIONS - 1}."
        return
    right = options[chosen]
    if len({folded(option).strip(" .") for option in options}) < OPTIONS:
        yield "Two options say the same."
    if len({shape(option) for option in options} - {"statement"}) > 1 or (
        "statement" in (shapes := {shape(option) for option in options}) and shapes & {"year", "number", "number word"}
    ):
        yield "The options are not of one type."
    if not holds(draft.passage, right):
        yield "The passage does not contain the right option."
    if any(holds(draft.passage, option) for place, option in enumerate(options) if place != chosen):
        yield "The passage contains a wrong option, too."
    if holds(draft.stem, right):
        yield "The question shows its answer."
    if draft.stem.count(BLANK) > 1:
        yield "A multiple-choice question has one blank at most."
    if fault := _article_fault(draft.stem, right):
        yield fault


def _true_false(draft: Draft) -> Iterator[str]:
    value = draft.answer.get("value")
    if type(value) is not bool or draft.options is not None:
        yield "A statement is true or false, and has no options."
        return
    if not draft.stem.endswith("."):
        yield "A true-or-false question is a statement that ends with a full stop."
    said, found = content_words(draft.stem), content_words(draft.passage)
    if not said or len(said & found) < 0.5 * len(said):
        yield "The passage says something else than the statement."
    if value and not said <= found | {"true", "false", "or"}:
        missing = sorted(said - found)
        if len(missing) > 0.2 * len(said):
            yield "The passage does not say what the statement says."
    if not value and said <= found and folded(draft.stem).strip(" .") in folded(draft.passage):
        yield "The statement is what the passage says, so it is not false."


def _fill_in_blank(draft: Draft) -> Iterator[str]:
    blanks = _lists(draft.answer.get("blanks"))
    if not 1 <= len(blanks) <= BLANKS or draft.options is not None:
        yield f"A sentence has 1 to {BLANKS} blanks, with the answers for each, and no options."
        return
    if draft.stem.count(BLANK) != len(blanks):
        yield "The question has not as many blanks as answers."
    for accepted in blanks:
        if not accepted or not all(0 < len(text.strip()) <= LONGEST_ANSWER for text in accepted):
            yield f"An accepted answer has 1 to {LONGEST_ANSWER} characters."
            continue
        if not holds(draft.passage, accepted[0]):
            yield f"The passage does not contain “{accepted[0]}”."
        if any(holds(draft.stem, text) for text in accepted):
            yield "The question shows its answer."
        if fault := _article_fault(draft.stem, accepted[0]):
            yield fault


def _short_answer(draft: Draft) -> Iterator[str]:
    text, points = draft.answer.get("text"), draft.answer.get("key_points")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= 2 * LONGEST_ANSWER or draft.options is not None:
        yield f"A short answer has 1 to {2 * LONGEST_ANSWER} characters."
        return
    if not draft.stem.endswith("?") or BLANK in draft.stem:
        yield "A question for a short answer ends with a question mark, and has no blank."
    points = cast("list[dict[str, Any]]", points) if isinstance(points, list) else []
    if not 1 <= len(points) <= KEY_POINTS:
        yield f"A short answer has 1 to {KEY_POINTS} key points."
    for point in points:
        terms = _lists([point.get("terms")])[:1] if isinstance(point, dict) else []  # pyright: ignore[reportUnnecessaryIsInstance]
        if not terms or not terms[0] or not isinstance(point.get("text"), str):
            yield "A key point has a text, and the terms by which it is found in an answer."
        elif not any(holds(draft.passage, term) for term in terms[0]):
            yield f"The passage does not contain the key point “{point['text']}”."
        elif holds(draft.stem, point["text"]):
            yield f"The question shows the key point “{point['text']}”."


def _lists(value: object) -> list[list[str]]:
    """Return a list of lists of texts; empty lists where it is something else."""
    if not isinstance(value, list):
        return []
    lists = cast("list[object]", value)
    return [
        cast("list[str]", one)
        if isinstance(one, list) and all(isinstance(text, str) for text in cast("list[object]", one))
        else []
        for one in lists
    ]


_BY_TYPE = {
    "multiple_choice": _multiple_choice,
    "true_false": _true_false,
    "fill_in_blank": _fill_in_blank,
    "short_answer": _short_answer,
}
