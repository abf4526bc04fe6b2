"""Passages: a text cut into overlapping runs of whole sentences that fit the model's window.

Everything is counted in word pieces, and the pieces found here are what the model is fed: no text is tokenised twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import nupunkt
from tokenizers import Tokenizer

PIECES = 128  # word pieces of one passage, the title and the two markers included
TITLE_PIECES = 24  # of which the title may take this many
OVERLAP = 24  # word pieces, in whole sentences, that a passage repeats from the one before
PASSAGE_CHARACTERS = 4000  # a passage ends here even where its "words" are a megabyte long
WINDOW = 16_384  # characters cut into sentences at a time: bounds memory, and how long others wait for the interpreter

_BORDER = re.compile(r"\n|(?<=[。！？｡])")  # ends a sentence that nupunkt lets run on

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: where it stands in the text (characters), and the word pieces to embed, title first."""

    start: int
    end: int
    pieces: list[int]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """Word pieces and the span of each."""

    pieces: list[int]
    spans: list[Span]

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]


class Chunker:
    """Cuts texts. The tokenizer must neither truncate nor pad."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._first, self._last, self._dot = (_id(tokenizer, token) for token in ("[CLS]", "[SEP]", "."))

    def frame(self, pieces: list[int]) -> list[int]:
        """Put the model's markers around word pieces, cutting what is too long."""
        return [self._first, *pieces[: PIECES - 2], self._last]

    def chunk(self, title: str, text: str) -> Iterator[Chunk]:
        """Yield the passages of a text, each headed by the title for the model's sake.

        A text without any word is one empty passage that stands for its title; without a title, too, there is none.
        """
        heading = self.tokenizer.encode(title[:PASSAGE_CHARACTERS], add_special_tokens=False).ids[: TITLE_PIECES - 1]
        if heading:
            heading.append(self._dot)
        empty = True
        for run in self._runs(text, PIECES - 2 - len(heading)):
            pieces = heading + [piece for sentence in run for piece in sentence.pieces]
            yield Chunk(run[0].start, min(run[-1].end, run[0].start + PASSAGE_CHARACTERS), self.frame(pieces))
            empty = False
        if empty and heading:
            yield Chunk(0, 0, self.frame(heading))

    def _runs(self, text: str, budget: int) -> Iterator[list[_Sentence]]:
        """Gather sentences up to the budget, each run beginning with the end of the one before."""
        run: list[_Sentence] = []
        size = 0
        for sentence in self._parts(text, budget):
            need = len(sentence.pieces)
            if run and (size + need > budget or sentence.end - run[0].start > PASSAGE_CHARACTERS):
                yield run
                run = _tail(run, min(OVERLAP, budget - need), sentence.end - PASSAGE_CHARACTERS)
                size = sum(len(kept.pieces) for kept in run)
            run.append(sentence)
            size += need
        if run:
            yield run

    def _parts(self, text: str, budget: int) -> Iterator[_Sentence]:
        """Yield sentences; one that is too long for a passage in parts of about `OVERLAP` pieces, cut between words."""
        for sentence in self._sentences(text):
            if len(sentence.pieces) <= budget and sentence.end - sentence.start <= PASSAGE_CHARACTERS:
                yield sentence
                continue
            begin = 0
            for at in range(1, len(sentence.pieces)):
                between_words = sentence.spans[at - 1][1] < sentence.spans[at][0]
                if at - begin >= (OVERLAP if between_words else 2 * OVERLAP):
                    yield _Sentence(sentence.pieces[begin:at], sentence.spans[begin:at])
                    begin = at
            yield _Sentence(sentence.pieces[begin:], sentence.spans[begin:])

    def _sentences(self, text: str) -> Iterator[_Sentence]:
        """Cut the text into sentences, window by window; a sentence that a window cuts begins the next one."""
        offset = 0
        while offset < len(text):
            window = text[offset : offset + WINDOW]
            borders = _borders(window)
            if offset + WINDOW < len(text):
                if len(borders) > 1:
                    borders.pop()
                elif (blank := window.rfind(" ")) > 0:
                    borders = [blank]
            encoding = self.tokenizer.encode(window[: borders[-1]], add_special_tokens=False)
            pieces = encoding.ids
            spans: list[Span] = [(offset + start, offset + end) for start, end in encoding.offsets]
            begin = at = 0
            for border in borders:
                while at < len(spans) and spans[at][0] < offset + border:
                    at += 1
                if at > begin:
                    yield _Sentence(pieces[begin:at], spans[begin:at])
                    begin = at
            offset += borders[-1]


def _borders(window: str) -> list[int]:
    """Return where each sentence ends; the last is the end of the window."""
    ends = {end for _, end in nupunkt.sent_spans(window)}
    ends.update(match.end() for match in _BORDER.finditer(window))
    ends.add(len(window))
    ends.discard(0)
    return sorted(ends)


def _tail(run: list[_Sentence], room: int, earliest: int) -> list[_Sentence]:
    """Return the last sentences of a run that fit into `room` pieces and start at `earliest` or later."""
    kept = len(run)
    while kept and run[kept - 1].start >= earliest and (room := room - len(run[kept - 1].pieces)) >= 0:
        kept -= 1
    return run[kept:]


def _id(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"The tokenizer does not know {token}: it is not the one of this model.")
    return found
