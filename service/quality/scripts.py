"""In which script a text is written, and in which a language is."""

import unicodedata
from collections import Counter

LETTERS = 1000  # of a text that are looked at
LEAST_SHARE = 0.6  # of the letters; below, the text is in several scripts

_LANGUAGES = {
    "LATIN": "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it la lt lv ms mt nb nl nn no pl pt ro sk sl sq sv"
    " sw tr vi",
    "CYRILLIC": "be bg kk ky mk mn ru tg uk",
    "ARABIC": "ar fa ps ur",
    "CJK": "zh",
    "KANA": "ja",
    "HANGUL": "ko",
    "GREEK": "el",
    "HEBREW": "he yi",
    "DEVANAGARI": "hi mr ne",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "BENGALI": "bn",
}
_SCRIPTS = {language: script for script, languages in _LANGUAGES.items() for language in languages.split()}


def script_of(text: str) -> str | None:
    """Return the script of most letters, as Unicode names it; `MIXED` where none prevails, None without letters.

    Kana tell Japanese from Chinese, which share the Han characters (`CJK`).
    """
    letters = [letter for letter in text[: 4 * LETTERS] if letter.isalpha()][:LETTERS]
    counts = Counter(unicodedata.name(letter, "UNKNOWN").partition(" ")[0] for letter in letters)
    kana = counts.pop("HIRAGANA", 0) + counts.pop("KATAKANA", 0)
    if 20 * kana >= len(letters) > 0:
        kana += counts.pop("CJK", 0)
    if kana:
        counts["KANA"] = kana
    if not counts:
        return None
    [(script, number)] = counts.most_common(1)
    return script if number >= LEAST_SHARE * len(letters) else "MIXED"


def script_of_language(code: str) -> str | None:
    """Return the script that a language (ISO 639-1, with or without a region) is written in; None: not known."""
    return _SCRIPTS.get(code.lower().partition("-")[0])
