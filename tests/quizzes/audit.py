"""What an examiner checks of a question, written without the rules that it was made by."""

import re
from collections.abc import Iterator

from service.quizzes.drafts import BLANK, Draft

PRONOUNS = frozenset("it its he she they them his her their this that these those such here there".split())
DATES = re.compile(
    r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\d{4}-\d\d-\d\d"
    r"|\d\d?:\d\d|\b\d{1,2} (?:Jan|Feb|Mar|Apr)\w* \d{4}\b"
)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w%.]+", " ", text.lower()).split()).strip(" .")


def has(text: str, words: str) -> bool:
    """Tell whether a text has these words, one after the other."""
    return f" {plain(words)} " in f" {plain(text)} "


def kind(option: str) -> str:
    bare = option.strip().rstrip("%").replace(",", "")
    if bare.replace(".", "", 1).isdigit():
        return "year" if len(bare) == 4 and 1000 < float(bare) < 2100 else "number"
    return "long" if len(option.split()) > 5 else "short"


def complaints(draft: Draft, content: str) -> Iterator[str]:
    """Yield what is wrong with a question."""
    stem = draft.stem
    if content[draft.passage_start : draft.passage_start + len(draft.passage)] != draft.passage:
        yield "the passage is not at its place"
    if not 5 <= len(draft.passage) <= 200:
        yield "the passage is too short or too long"
    if DATES.search(stem):
        yield "a date stamp"
    said = stem.partition("? ")[2] if stem.startswith("Which") and BLANK in stem else stem
    if plain(said.replace(BLANK, " blank ")).split()[0] in PRONOUNS:
        yield "an unresolved pronoun at the start"
    yield from {
        "multiple_choice": of_choice, "true_false": of_truth, "fill_in_blank": of_blank, "short_answer": of_answer,
    }[draft.type](draft)  # fmt: skip


def of_choice(draft: Draft) -> Iterator[str]:
    options = draft.options or ()
    if len(options) != 4 or len({plain(option) for option in options}) != 4:
        yield "not four distinct options"
        return
    right = options[draft.answer["option"]]
    if len({kind(option) for option in options} - {"long", "short"}) > (kind(right) in ("year", "number")):
        yield "options of several types"
    if kind(right) in ("year", "number") and len({kind(option) for option in options}) > 1:
        yield "options of several types"
    if not has(draft.passage, right):
        yield "the right option is not in the passage"
    if any(has(draft.passage, option) for option in options if option != right):
        yield "a wrong option is in the passage"
    if has(draft.stem, right):
        yield "the stem shows the answer"
    yield from of_grammar(draft.stem, right)


def of_truth(draft: Draft) -> Iterator[str]:
    same = plain(draft.stem) == plain(draft.passage)
    if draft.answer["value"] != same:
        yield "true is not what the passage says, or false is"


def of_blank(draft: Draft) -> Iterator[str]:
    (accepted,) = draft.answer["blanks"]
    if draft.stem.count(BLANK) != 1:
        yield "not one blank"
    if not has(draft.passage, accepted[0]):
        yield "the answer is not in the passage"
    if any(has(draft.stem, text) for text in accepted):
        yield "the stem shows the answer"
    if plain(draft.stem.replace(BLANK, accepted[0])) != plain(draft.passage):
        yield "the sentence with the answer is not that of the passage"
    yield from of_grammar(draft.stem, accepted[0])


def of_grammar(stem: str, answer: str) -> Iterator[str]:
    """A blank stands for whole words; an article before it goes with the answer, by its first letter."""
    if re.search(rf"\w{BLANK}|{BLANK}\w", stem.replace(f" {BLANK} ", " ")) and re.search(
        rf"[a-z]{BLANK}|{BLANK}[a-z]", stem
    ):
        yield "a blank in the middle of a word"
    article = re.search(rf"\b(an?) {BLANK}", stem, re.I)
    vowel = answer[0].lower() in "aeiou"
    if (
        article
        and vowel != (article[1].lower() == "an")
        and not answer.isupper()
        and not answer.lower().startswith(("u", "one", "eu"))
    ):
        yield "an article that does not go with the answer"


def of_answer(draft: Draft) -> Iterator[str]:
    points = draft.answer["key_points"]
    if not points or not draft.stem.endswith("?"):
        yield "no question with key points"
    for point in points:
        if not any(has(draft.passage, term) for term in point["terms"]):
            yield f"the key point {point['text']} is not in the passage"
        if has(draft.stem, point["text"]):
            yield f"the stem shows the key point {point['text']}"
    if not has(draft.passage, draft.answer["text"]):
        yield "the answer is not in the passage"
