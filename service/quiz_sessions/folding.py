"""When two texts are the same to a reader: accents, case, white space and marks around them do not count."""

import re
import unicodedata
from collections.abc import Collection

# What Unicode does not take apart, though keyboards lack it.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "’": "'", "‘": "'", "ʼ": "'"}
    | dict.fromkeys("‐‑‒–—―−", "-")
)
_AROUND = " .,;:!?\"'“”„«»()[]{}…"
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_ARTICLE = re.compile(r"^(?:the|an?) (?=\S)")
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_ENDINGS = ("ing", "ies", "ed", "es", "s")
LONG = 7  # letters that a word has at least, for a slip in it to be seen as one


def fold(text: str) -> str:
    """Return what of a text counts when it is compared.

    Only the accents of U+0300 to U+036F are left out: elsewhere a mark makes another letter.
    """
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    plain = unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))
    plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), plain)
    return _ARTICLE.sub("", " ".join(plain.split()).strip(_AROUND))


def words(text: str) -> list[str]:
    """Return the words of a text, folded."""
    return _WORD.findall(fold(text))


def stem(word: str) -> str:
    """Return a word without an ending that only inflects it."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def misspelt(given: str, right: str, others: Collection[str] = ()) -> bool:
    """Tell whether a folded text is the right one but for a slip of the pen in one long word.

    A slip is a letter left out, a letter too many, or two neighbours that changed places. Another letter is none:
    `absorption` and `adsorption`, `nitrate` and `nitrite` are different answers. Neither is what has a digit, what
    begins otherwise, or what is among `others`, words that mean something here.
    """
    typed, wanted = given.split(), right.split()
    if len(typed) != len(wanted):
        return False
    unlike = [(one, other) for one, other in zip(typed, wanted, strict=True) if one != other]
    return len(unlike) == 1 and unlike[0][0] not in others and _slip(*unlike[0])


def _slip(given: str, right: str) -> bool:
    if len(right) < LONG or not given.isalpha() or not right.isalpha() or given[0] != right[0]:
        return False
    if len(given) == len(right):
        places = [place for place, (one, other) in enumerate(zip(given, right, strict=True)) if one != other]
        return (
            len(places) == 2
            and places[1] == places[0] + 1
            and given[places[0]] == right[places[1]]
            and given[places[1]] == right[places[0]]
        )
    shorter, longer = sorted((given, right), key=len)
    if len(longer) != len(shorter) + 1:
        return False
    return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
