"""The sentences of a text, and which of them can be understood without the others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import nupunkt

from service.quizzes import vocabulary as words

SHORTEST, LONGEST = 40, 200  # characters of a sentence that is asked about: it is its own passage
FEWEST, MOST = 7, 34  # words
READ = 600_000  # characters of a text that are read at most
WINDOW = 20_000  # of a longer one, windows of this many characters, evenly spread

_CONTINUES = re.compile(r"[a-z_,.;:)\]”’%]")
_OPEN_END = re.compile(
    r"(?:[,(\[“\"‘/-]|\b(?:the|a|an|of|in|on|at|by|to|for|with|from|and|or|as|is|are|was|called|named|use|using|see|like"
    r"|into|that|than|its|their|this|these|if|when|via|under|not|be|such))\s*$"
)
_ENDED = re.compile(r"[.!?:…]['\"”’)\]]*\s*$")
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]+|\d{1,3}[.)]|\(?[a-z]\)|\[\d+\])\s+")
_NUMBERED = re.compile(r"\d+(?:\.\d+)+\.?\s")
_CODE = re.compile(
    r"[{}<>=\\|@#$_^~*`\[\]•→←■□►§¶]|\(\)|://|www\.|--|\+\+|>>>|\.\.|[a-z]\.[a-z]{2,4}\b(?![.])|(?<!\w)[/~]\w|\w\(\d\w?\)|[a-z][A-Z]|\b[A-Z]\d\d|::|\w\(\w"
    r"|\w/\w+/|\.(?:py|txt|conf|html?|deb|gz)\b"
)
_RUN_ON = re.compile(
    r"[a-z)”\"]\s(?:The|This|These|It|If|In|A|An|You|For|When|We|Here|There|Note|Warning|Tip|Caution|To|At|By|As|They|He|She)\s[a-z]"
    r"|[a-z]\s(?:Table|Figure|Note|Warning|Tip|Caution|Listing)\s|\s\d+(?:\.\d+)+\s[A-Z]"
)
_TORN = re.compile(r"\s(?:ing|ed|es|ly|er|est|tion|s)\s")
_WHO = re.compile(r"(?:With|In|For|On|At|By|From|Under|Without|Given|Using)\b[^,]*, (?:it|they)\b|[B-Z] ")
_SPEECH = re.compile(r"[\"“][^\"”]{30,}[\"”]|\b(?:said|says|told|added|tweeted)\b")
_STARTS = re.compile(r"[A-Z][\w’'-]*|\d")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CAPTION = re.compile(
    r"(?:Table|Figure|Fig\.|Listing|Photo|Image|Source|Copyright|©|Chapter|Section|Note|Tip|Warning|Caution)\b[\s:.\d]"
)
_PAIRS = ("()", "[]", "“”")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with white space folded, and its place in the content."""

    text: str
    start: int
    end: int

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)


def windows(content: str) -> list[tuple[int, int]]:
    """Return the parts of a text that are read: all of it, or evenly spread ones that start with a line."""
    if len(content) <= READ:
        return [(0, len(content))]
    number = READ // WINDOW
    parts: list[tuple[int, int]] = []
    for place in range(number):
        start = place * len(content) // number
        line = content.find("\n", start, start + WINDOW)
        parts.append((line + 1 if start and line >= 0 else start, min(start + WINDOW, len(content))))
    return parts


def sentences_of(content: str) -> Iterator[Sentence]:
    """Yield the sentences of a text in order; a paragraph that inline code tore into lines is one again."""
    for first, last in windows(content):
        for start, end in _paragraphs(content, first, last):
            block = content[start:end].replace("\n", " ")
            for one, other in nupunkt.sent_spans(block):
                raw = block[one:other]
                bullet = _BULLET.match(raw)
                one += bullet.end() if bullet else len(raw) - len(raw.lstrip())
                raw = block[one:other].rstrip()
                if raw and "\t" not in raw:  # a tab stands between the cells of a table
                    text = re.sub(r"\s+([,.;:)])", r"\1", " ".join(raw.split()))
                    yield Sentence(text, start + one, start + one + len(raw))


def _paragraphs(content: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    begun, end, text = first, first, ""
    place = first
    while place < last:
        stop = content.find("\n", place, last)
        stop = last if stop < 0 else stop
        line = content[place:stop].strip()
        goes_on = bool(text and line) and not _ENDED.search(text)
        goes_on = goes_on and bool(_CONTINUES.match(line) or _OPEN_END.search(text))
        if line and not goes_on:
            if text:
                yield begun, end
            begun = place
        if line:
            text, end = line, stop
        elif text:
            yield begun, end
            text = ""
        place = stop + 1
    if text:
        yield begun, end


def flaw(text: str) -> str | None:
    """Return why an English sentence cannot stand alone; None where it can."""
    count = len(_WORD.findall(text))
    if not SHORTEST <= len(text) <= LONGEST or not FEWEST <= count <= MOST:
        return "is too short or too long"
    if not _STARTS.match(text) or not text.endswith("."):
        return "is no whole sentence"
    return opening_flaw(text) or _contents_flaw(text)


def opening_flaw(text: str) -> str | None:
    """Return why the start of a sentence needs what stands before it; None where it does not."""
    opening = re.match(r"[^\W\d_]+", text)
    if opening is not None and opening[0].lower() in words.OPENING:
        return f"starts with “{opening[0]}”, which refers to something before it"
    found = words.OPENING_PHRASES.match(text)
    return f"starts with “{found[0]}”, which refers to something before it" if found else None


def _contents_flaw(text: str) -> str | None:
    if words.DATE_STAMP.search(text):
        return "has a date stamp in it"
    if _CAPTION.match(text):
        return "is a caption"
    if _NUMBERED.match(text) or _RUN_ON.search(text):
        return "has a heading in it"
    if _CODE.search(text):
        return "has code in it"
    found = words.ELSEWHERE.search(text)
    if found:
        return f"speaks of something elsewhere (“{found[0]}”)"
    if _WHO.match(text):
        return "speaks of something that it does not name"
    if _TORN.search(text):
        return "has torn words in it"
    if _SPEECH.search(text):
        return "is what somebody said"
    if "?" in text or "!" in text or ";" in text or ":" in text:
        return "is no plain statement"
    if text.count('"') % 2 or any(text.count(one) != text.count(other) for one, other in _PAIRS):
        return "has an open bracket or quotation in it"
    return None
