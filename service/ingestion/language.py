"""Which language a text is in: py3langid, with its model in shared memory."""

import mmap
from array import array
from functools import cache

import numpy as np
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
from py3langid.modelio import load_model
from typing_extensions import Buffer

ENOUGH = 20_000  # characters; more do not change the answer
LETTERS = 20  # fewer tell nothing
CONFIDENCE = 0.5


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, or None when it cannot be told."""
    sample = text[:ENOUGH]
    if sum(map(str.isalpha, sample[:1000])) < LETTERS:
        return None
    code, _ = identifier().classify(sample)
    return code if len(code) == 2 else None


@cache
def identifier() -> LanguageIdentifier:
    """Load the model, 70 MB, into memory that forked processes share and that does not count as this process's."""
    scores, priors, languages, moves, rows, features = load_model(MODEL_DIR / MODEL_FILE)
    return LanguageIdentifier(
        np.frombuffer(_share(scores), scores.dtype).reshape(scores.shape),
        priors,
        languages,
        memoryview(_share(moves)).cast("I" if moves.itemsize == 4 else "H"),
        array("i", features),
        norm_probs=True,
        min_confidence=CONFIDENCE,
        tk_row=rows,
    )


def _share(data: Buffer) -> mmap.mmap:
    view = memoryview(data).cast("B")
    memory = mmap.mmap(-1, len(view))
    memory.write(view)
    memory.madvise(mmap.MADV_DONTNEED)  # the memory stays; only this process's view of it is dropped
    return memory
