"""Names of authors: read from how people and documents write them, and brought to one form. Pure functions.

Reading follows the habits of citation formats: `Last, First` (APA), `First Last` (Chicago), `Last FM` (Vancouver/NLM),
`LAST First` (French). Particles stand with the given names when names are sorted (Chicago Manual of Style, 16.71).
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from service.authors.vocabulary import (
    COMPANIES,
    DEGREES,
    JOINS,
    NOBODY,
    ORGANISATIONS,
    PARTICLES,
    SHORT_FAMILIES,
    SUFFIXES,
    TITLES,
)

LONGEST = 200  # characters; what is longer is no name

ORCID = re.compile(r"(?:https?://)?(?:orcid\.org/|orcid:?\s*)?(\d{4}-\d{4}-\d{4}-\d{3}[\dXx])\b", re.IGNORECASE)
EMAIL = re.compile(r"[<(\[]?\b[\w.+'-]+@[\w-]+(?:\.[\w-]+)+\b[>)\]]?|[<(\[]?\bmailto:\S+")
ADDRESS = re.compile(r"https?://\S+|\bwww\.\S+|^@\w+$", re.IGNORECASE)
ET_AL = re.compile(
    r"[\s,;&(]*(?:\bet\s*\.?\s*al(?:ii|\b)\.?|\band (?:\d+ )?others\b|\bu\.\s?a\.)[\s).]*$", re.IGNORECASE
)
CREDIT = re.compile(r"^(?:(?:written|posted|edited) by|by|authors?:|von:|par)\s+", re.IGNORECASE)
MARKS = re.compile(r"[\d*†‡§¶#^~]+(?=[\s,.;]|$)|[†‡§¶*¹²³⁰-⁹ᵃ-ᵛ]+")
INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+[^\W\d_]?\.?$")
ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002fa1f]")
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}


@dataclass(frozen=True, slots=True)
class Name:
    """A name in its parts; an organisation, and a name that cannot be divided, is all `family`."""

    family: str
    given: tuple[str, ...] = ()
    particles: str = ""
    suffix: str = ""
    kind: Literal["person", "organisation"] = "person"
    orcid: str | None = None

    @property
    def display(self) -> str:
        """The name as it is said: `Ludwig van Beethoven`."""
        if _is_asian(self.family):
            return f"{self.family} {' '.join(self.given)}".strip()
        return " ".join(part for part in (*self.given, self.particles, self.family, self.suffix) if part)

    @property
    def sort_name(self) -> str:
        """The name as it is sorted: `Beethoven, Ludwig van`; `The` of an organisation goes to the end."""
        if self.kind == "organisation":
            return f"{self.family[4:]}, The" if self.family.startswith("The ") else self.family
        before = self.family if not self.suffix else f"{self.family}, {self.suffix}"
        after = " ".join(part for part in (*self.given, self.particles) if part)
        return f"{before}, {after}" if after else before

    @property
    def key(self) -> str:
        """What candidates share: the folded last name and the first initial; an organisation's whole name."""
        if self.kind == "organisation":
            return folded(self.family).removeprefix("the ")
        if _is_asian(self.family):
            return folded("".join((self.family, *self.given)).replace(" ", ""))
        family = re.sub(r"^(?:al|el|ul|ad|as|ash|an|ar|at|az) (?=\w)", "", folded(self.family))
        initial = folded(self.given[0])[:1] if self.given else ""
        return f"{family} {initial}".strip()

    @property
    def heading(self) -> str:
        """The whole name folded: two ways to write the same name have the same one."""
        if self.kind == "organisation" or _is_asian(self.family):
            return self.key
        family = self.key.rsplit(" ", 1)[0] if self.given else self.key
        return " ".join(part for part in (family, "|", *map(folded, self.given), self.suffix.lower()) if part)

    @property
    def is_full(self) -> bool:
        """Whether the heading says who it is, as far as a name can: not only initials, not one word."""
        if self.kind == "organisation" or _is_asian(self.family) or " of " in self.family:
            return True
        return any(len(folded(one)) > 1 for one in self.given[:1])

    @property
    def fullness(self) -> int:
        """How much of a name is written out: given names in full, then given names, then letters in small."""
        whole = sum(len(folded(one).replace(" ", "")) > 1 for one in self.given)
        small = sum(not letter.isupper() for letter in self.display)
        return whole * 100_000 + min(len(self.given), 99) * 1000 + min(small, 999)


def folded(text: str) -> str:
    """Return a text without case, accents and punctuation; words are separated by one blank."""
    plain = "".join(LETTERS.get(letter, letter) for letter in unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFKD", plain)
    kept = ("" if unicodedata.combining(c) or c in "'’ʼ`." else c if c.isalnum() else " " for c in plain)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def parse(written: str) -> Name | None:
    """Read a name; None for what names nobody: nothing, "et al.", an address, a text."""
    text, orcid = _cleaned(written)
    if not text or len(text) > LONGEST or folded(text).replace(" ", "") in NOBODY or not any(c.isalpha() for c in text):
        return None
    parts = [part for part in (one.strip() for one in text.split(",")) if part]
    is_alone = len(parts) == 1 or " " in parts[0]  # `SMITH, John` is no acronym
    if parts and ((is_alone and _is_organisation(parts[0])) or (len(parts) > 1 and folded(parts[-1]) in COMPANIES)):
        return Name(text, kind="organisation", orcid=orcid)
    parts, suffix = _without_suffix(parts)
    if not parts:
        return None
    if len(parts) > 1 and any(_is_affiliation(part, parts[0]) for part in parts[1:]):
        parts = parts[:1]
    if len(parts) > 2:
        return Name(", ".join(parts), kind="organisation", orcid=orcid)  # more than one name: it stays what it is
    person = _inverted(*parts) if len(parts) == 2 else _direct(parts[0])
    if person is None:
        return None
    return Name(person.family, person.given, person.particles, suffix or person.suffix, person.kind, orcid)


def compatible(one: Name, other: Name) -> bool:
    """Tell whether two names may be of the same person: each given name is the other's, or its initial.

    Of organisations, and names in one piece, only the same ones are.
    """
    if one.kind != other.kind or one.key != other.key:
        return False
    if one.suffix and other.suffix and one.suffix != other.suffix:
        return False
    return all(
        _is_initial_of(a, b) or _is_initial_of(b, a)
        for a, b in zip(map(folded, one.given), map(folded, other.given), strict=False)
    )


def is_orcid(text: str) -> bool:
    """Check the last digit of an ORCID iD (ISO 7064, MOD 11-2)."""
    digits = text.replace("-", "").upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return digits[-1] == "0123456789X"[(12 - total % 11) % 11]


def _is_initial_of(short: str, long: str) -> bool:
    return short == long or (len(short) == 1 and long.startswith(short))


def _cleaned(written: str) -> tuple[str, str | None]:
    """Return what may be a name, and the ORCID iD beside it."""
    text = unicodedata.normalize("NFC", written[: 20 * LONGEST])
    text = "".join(
        " " if c.isspace() else c
        for c in text
        if c.isspace() or unicodedata.category(c)[0] in "LMNPZ" or c in "|+&^`~$=<>"
    )
    orcid = next((one[1].upper() for one in ORCID.finditer(text) if is_orcid(one[1])), None)
    text = EMAIL.sub(" ", ADDRESS.sub(" ", ORCID.sub(" ", text)))
    text = ET_AL.sub("", CREDIT.sub("", " ".join(text.split())))
    if re.search(r"[^\W\d_]{2}\d|\d\s*[,*†‡]|[*†‡§¶¹²³]", text):
        text = MARKS.sub("", text)
    text = re.sub(r"\(\s*\)|<\s*>|\[\s*\]", " ", text)
    return " ".join(text.split()).strip(' ,;:-–—·•|/()<>[]{}"“”'), orcid


def _is_organisation(text: str) -> bool:
    words = text.split()
    plain = [folded(word) for word in words]
    if not ORGANISATIONS.isdisjoint(plain) or "&" in words or "for" in plain or "sans" in plain:
        return len(words) > 1 or text.isupper()
    if len(words) > 1 and words[0] in ("The", "Team"):
        return True
    if len(words) == 1:  # an acronym: NASA, IEEE-USA, 3M, U.S.
        letters = [c for c in text if c.isalpha()]
        if any(c.isdecimal() for c in text):
            return not _is_asian(text)
        return len(letters) >= 2 and all(c.isupper() for c in letters) and len(letters) <= 6 and not _is_asian(text)
    return any(c.isdigit() for c in text) and not _is_asian(text)


def _is_affiliation(part: str, name: str) -> bool:
    """Tell whether what follows a name and a comma is where somebody works; `Smith, JRR` has initials there."""
    return (
        not _is_initial(part)
        and _is_organisation(part)
        and (" " in part or len(part) > 3 or (len(part) > 2 and " " in name))
    )


def _without_suffix(parts: list[str]) -> tuple[list[str], str]:
    """Take `Jr.` and degrees out of what commas divide, and from the end of each part."""
    kept, suffix = list[str](), ""
    for place, part in enumerate(parts):
        words = part.split()
        while words:
            last = words[-1].lower().replace(".", "")
            may_end = len(words) > 2 or (place > 0 and len(words) == 1)
            if (
                last in SUFFIXES
                and (len(words) > 1 or place > 0)
                and not (last in ("ii", "iv") and words[-1].islower())
            ):
                suffix = suffix or SUFFIXES[last]
            elif (
                last in DEGREES
                and may_end
                and (words[-1] != words[-1].title() or "." in words[-1])
                and not (place == 1 and len(parts) == 2 and len(last) == 2 and "." not in words[-1] and last != "md")
            ):  # `Smith, MA` has initials
                pass
            else:
                break
            words.pop()
        if words:
            kept.append(" ".join(words))
    return kept, suffix


def _inverted(before: str, after: str) -> Name | None:
    """Read `Last, First`."""
    if _is_asian(before):
        return Name(before.replace(" ", ""), (after.replace(" ", ""),))
    front, back = before.split(), _without_titles(after.split())
    particles = list[str]()
    while len(front) > 1 and front[0].lower() in PARTICLES:
        particles.append(front.pop(0))
    behind = list[str]()
    while back and back[-1] in PARTICLES and back[-1].islower():  # Beethoven, Ludwig van
        behind.insert(0, back.pop())
    given = _given(back, f"{before} {after}".isupper())
    return Name(_cased(" ".join(front)), given, " ".join((*behind, *map(str.lower, particles))))


def _direct(text: str) -> Name | None:
    """Read `First Last`, `LAST First` or `Last FM`."""
    if _is_asian(text):
        words = text.split()
        if len(words) == 2 and all(map(_is_asian, words)):
            return Name(words[0], (words[1],))
        return Name(text)
    words = _without_titles(text.split())
    if len(words) == 1 or "of" in words:  # Plato, Joan of Arc
        return Name(_cased(" ".join(words)))
    if turned := _family_first(words):
        return turned
    start = _start_of_family(words)
    end = start
    while end < len(words) - 1 and words[end].lower() in PARTICLES - JOINS:
        end += 1
    particles = " ".join(words[start:end])
    if words[start:end] and text.isupper():
        particles = particles.lower()
    return Name(_cased(" ".join(words[end:])), _given(words[:start], text.isupper()), particles)


def _family_first(words: list[str]) -> Name | None:
    """Read `Smith JA`, `van der Berg JA`, `SMITH John`; None where the family name does not come first."""
    last = words[-1]
    plain = last.replace(".", "").replace("-", "")
    is_mixed = any(not word.isupper() for word in words[:-1])
    if len(plain) <= 3 and plain.isupper() and plain.isalpha() and "." not in last:
        if (
            (is_mixed or len(plain) < 3)
            and plain.lower() not in SHORT_FAMILIES
            and not (len(words) > 2 and _is_initial(words[-2]))
        ):
            front = words[:-1]
            particles = list[str]()
            while len(front) > 1 and front[0] in PARTICLES:
                particles.append(front.pop(0))
            if len(front) == 1 or particles:
                return Name(_cased(" ".join(front)), tuple(f"{letter}." for letter in plain), " ".join(particles))
    capitals = [len(word) > 1 and word.isupper() and not _is_initial(word) for word in words]
    if capitals[0] and not capitals[-1] and not _is_initial(last):
        number = capitals.index(False)
        return Name(_cased(" ".join(words[:number])), _given(words[number:], in_capitals=False))
    return None


def _start_of_family(words: list[str]) -> int:
    """Return where particles and family name begin, in `First Last`."""
    for place, word in enumerate(words[:-1]):
        if word.lower() in JOINS and place > 1:
            return place - 1
        if word.lower() in PARTICLES and (place > 0 or word.islower()) and not _is_initial(word):
            return place
    capitals = [len(word) > 1 and word.isupper() and not _is_initial(word) for word in words]
    if capitals[-1] and not all(capitals) and not capitals[0]:  # Jean Pierre DUPONT MARTIN
        return next(place for place in range(len(words)) if all(capitals[place:]))
    return len(words) - 1


def _without_titles(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0].lower().rstrip(".") in TITLES:
        words = words[1:]
    return words


def _is_initial(word: str) -> bool:
    return len(word) == 1 or bool(INITIALS.fullmatch(word))


def _given(words: list[str], in_capitals: bool) -> tuple[str, ...]:
    """Return given names, each initial by itself and with a point: `J.R.R.` is three.

    Three capitals are initials, too, unless the whole name is written `in_capitals`.
    """
    most = 2 if in_capitals else 3
    given = list[str]()
    for word in words:
        plain = word.replace(".", "")
        if _is_initial(word) or (len(plain) <= most and plain.isupper() and len(words) == 1 and plain.isalpha()):
            given += [f"{letter}." for letter in re.findall(r"[^\W\d_]", word.upper())]
        else:
            given.append(_cased(word.rstrip(".") if len(plain) > 3 else word))
    return tuple(given)


def _cased(text: str) -> str:
    """Return a name in capitals as names are written; one in small letters as well; any other one as it is."""
    return " ".join(_cased_word(word) for word in text.split())


def _cased_word(word: str) -> str:
    if word in PARTICLES or word in JOINS or word == "of":
        return word
    if len(word) == 1 and word.isalpha():
        return word.upper()
    if not (word.isupper() or word.islower()) or not any(c.isalpha() for c in word) or _is_initial(word):
        return word
    shaped = "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
    shaped = re.sub(r"^(Mc|[OD]['’])(\w)", lambda m: m[1] + m[2].upper(), shaped)
    return shaped


def _is_asian(text: str) -> bool:
    return bool(ASIAN.search(text))
