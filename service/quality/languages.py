"""Which language a text reads like: by its script, and by the commonest words of fourteen languages."""

import re
import unicodedata
from collections import Counter

LETTERS = 1000  # of a text whose script is looked at
LEAST_SHARE = 0.6  # of the letters; below, the text is in several scripts
WORDS = 300  # of a text that are looked at
LEAST_COMMON = 8  # every eighth word, at least, is a common one
_MARK = re.compile(r"[^\W\d_]+")

_SCRIPTS = {
    language: script
    for script, languages in {
        "LATIN": "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it la lt lv ms mt nb nl nn no pl pt ro sk sl sq"
        " sv sw tr vi",
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
    }.items()
    for language in languages.split()
}
_COMMON = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and to in is that it for was with as on are this be by from at which have not were or an",
        "de": "der die und das in den von zu mit ist sich nicht ein eine auf dem des im für als auch es an werden aus",
        "fr": "le la les de des et en un une du est que qui dans pour pas sur au avec ce il par sont plus ne",
        "es": "el la los las de y en que un una es por con para se del no su al como más lo este son fue",
        "it": "il la di e che in un una è per non sono del della con si le dei da al come più gli nel anche",
        "pt": "o a os as de e que em um uma do da não para com se por mais no na dos ao é foi como",
        "nl": "de het een en van in is dat op te voor met zijn niet aan er om ook als door bij maar uit wordt werd",
        "sv": "och i att det som en på är av för med till den inte har de ett om var men från vid sig så kan",
        "da": "og i at det som en på er af for med til den ikke har de et om var men fra ved sig så kan",
        "no": "og i at det som en på er av for med til den ikke har de et om var men fra ved seg så kan",
        "fi": "ja on ei se että oli hän ovat mutta kun tai kuin niin myös joka sen ole tämä mukaan jo vain sekä",
        "hu": "a az és hogy nem is egy volt meg de ez azt csak mint van már ha el vagy még sem ki le után",
        "ru": "и в не на что с по как это из у за от к но он она так же для было его все мы вы",
        "tr": "ve bir bu da de için ile olarak daha çok olan gibi en ne kadar sonra ancak her var değil olduğu",
    }.items()
}
_ALIKE = {"da": "no", "nb": "no", "nn": "no"}  # common words hardly tell them apart


def script_of(text: str) -> str | None:
    """Return the script of most letters, as Unicode names it; `MIXED` where none prevails, None without letters.

    Kana tell Japanese (`KANA`) from Chinese (`CJK`), which share the Han characters.
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
    return _SCRIPTS.get(_plain(code))


def language_of(text: str) -> str | None:
    """Return the language (ISO 639-1) most of whose commonest words a text has; None where that tells nothing."""
    words = Counter(word.lower() for word in _MARK.findall(text[: 20 * WORDS])[:WORDS])
    known = {code: sum(words[word] for word in common) for code, common in _COMMON.items()}
    best = max(known, key=known.__getitem__)
    return best if known[best] * LEAST_COMMON >= words.total() > 0 else None


def is_told_apart(code: str) -> bool:
    """Tell whether `language_of` would know a language."""
    return _ALIKE.get(_plain(code), _plain(code)) in _COMMON


def are_alike(one: str, other: str) -> bool:
    """Tell whether two codes name one language, or two that cannot be told apart here."""
    return _ALIKE.get(_plain(one), _plain(one)) == _ALIKE.get(_plain(other), _plain(other))


def _plain(code: str) -> str:
    return code.lower().partition("-")[0]
