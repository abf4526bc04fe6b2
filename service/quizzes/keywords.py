"""Questions on texts in languages whose grammar is not known here: a keyword of a sentence is left out."""

import re
from collections import Counter
from collections.abc import Iterator

from service.quizzes.drafts import BLANK, Draft
from service.quizzes.sentences import LONGEST, SHORTEST, Sentence, sentences_of, windows
from service.quizzes.vocabulary import DATE_STAMP

SHORTEST_KEYWORD = 6  # letters: nearly no word of grammar has as many
RAREST = 2  # times that a text has a keyword
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MARKS = re.compile(r"[{}<>=\\|@#$^~*`\[\]_?!:;…]|://|\(\)|\"")


def questions(content: str, source: int) -> Iterator[Draft]:
    """Yield fill-in-the-blank questions; a text without spaces between words gives none."""
    counts: Counter[str] = Counter()
    for start, end in windows(content):
        counts.update(word.casefold() for word in _WORD.findall(content[start:end]))
    seen: set[str] = set()
    for sentence in sentences_of(content):
        if sentence.text not in seen and _stands_alone(sentence.text):
            seen.add(sentence.text)
            draft = _question(sentence, content, source, counts)
            if draft is not None:
                yield draft


def _stands_alone(text: str) -> bool:
    whole = SHORTEST <= len(text) <= LONGEST and text[0].isupper() and text.endswith((".", "।", "。"))
    return whole and not _MARKS.search(text) and not DATE_STAMP.search(text) and len(_WORD.findall(text)) >= 7


def _question(sentence: Sentence, content: str, source: int, counts: Counter[str]) -> Draft | None:
    """Leave out the word that the text has most often for its length."""
    text = sentence.text
    found = [match for match in _WORD.finditer(text) if match.start() and len(match[0]) >= SHORTEST_KEYWORD]
    within = Counter(match[0].casefold() for match in _WORD.finditer(text))
    found = [m for m in found if counts[m[0].casefold()] >= RAREST and within[m[0].casefold()] == 1]
    if not found:
        return None
    best = max(found, key=lambda match: (min(counts[match[0].casefold()], 8) * len(match[0]), -match.start()))
    stem = text[: best.start()] + BLANK + text[best.end() :]
    passage = content[sentence.start : sentence.end]
    merit = min(1.0, 0.4 + 0.05 * min(counts[best[0].casefold()], 8))
    blanks = {"blanks": [[best[0]]]}
    key = best[0].casefold()
    return Draft("fill_in_blank", stem, blanks, passage, sentence.start, None, "medium", source, key, merit)
