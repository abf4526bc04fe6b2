"""BibTeX, UTF-8: types and fields that every program knows; LaTeX's own characters are escaped."""

import re
from typing import Any

from service.exports.record import Record, as_csl, date_parts, literal_date, persons
from service.imports.entry import flat
from service.imports.vocabulary import BIBTEX_FIELDS, BIBTEX_TYPES, written_as

TYPES = written_as(BIBTEX_TYPES)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "$": r"\$", "&": r"\&", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_LIGATURES = re.compile(r"(?<=[-'`,<>!?])(?=[-'`,<>])")
_UNSAFE = re.compile(r"""[\s{}"\\,=%#~'@()]""")


def written(record: Record) -> str:
    """Return the entry of a resource."""
    csl = as_csl(record)
    kind = TYPES.get(str(csl["type"]), "misc")
    fields: dict[str, str] = {}
    for role in ("author", "editor"):
        if names := [_person(one) for one in persons(csl, role)]:
            fields[role] = " and ".join(names)
    for name, key in BIBTEX_FIELDS.items():
        if key in csl:
            fields[name] = escaped(csl[key])
    if "container-title" in csl:
        fields["journal" if kind == "article" else "booktitle"] = escaped(csl["container-title"])
    if "publisher" in csl:
        place = {"phdthesis": "school", "techreport": "institution"}
        fields[place.get(kind, "publisher")] = escaped(csl["publisher"])
    if "genre" in csl:
        fields["type"] = escaped(csl["genre"])
    if number := csl.get("number") or csl.get("issue"):
        fields["number"] = escaped(number)
    if "page" in csl:
        fields["pages"] = escaped(csl["page"]).replace("-{}-", "-").replace("-", "--")
    for name in ("url", "doi"):
        if name in fields:
            fields[name] = _address(str(csl[BIBTEX_FIELDS[name]]))
    parts = date_parts(csl)
    if parts or literal_date(csl):
        fields["year"] = f"{parts[0]:04}" if parts else escaped(literal_date(csl))
    if len(parts) > 1 and 1 <= parts[1] <= 12:
        fields["month"] = MONTHS[parts[1] - 1]
        if len(parts) > 2:
            fields["day"] = str(parts[2])
    if record.tags:
        fields["keywords"] = ", ".join(_keyword(tag) for tag in record.tags)
    lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}" for name, value in fields.items()]
    return f"@{kind}{{{_key(csl)},\n" + ",\n".join(lines) + "\n}\n\n"


def escaped(value: Any) -> str:
    """Return a text on one line as LaTeX shows it; two characters that it would make one are kept apart."""
    text = "".join(_SPECIAL.get(char, char) for char in flat(str(value)))
    return _LIGATURES.sub("{}", text)


def _key(csl: dict[str, Any]) -> str:
    key = _UNSAFE.sub("", str(csl["id"]))
    return key[:100] or "entry"


def _address(value: str) -> str:
    return re.sub(r"[{}\\\s]", lambda found: f"%{ord(found[0]):02X}", value)


def _keyword(tag: str) -> str:
    text = escaped(tag)
    return f"{{{text}}}" if "," in tag or ";" in tag else text


def _person(person: dict[str, str]) -> str:
    if person.get("literal") or not person.get("family"):
        return f"{{{escaped(person.get('literal') or person.get('given'))}}}"
    family = _part(person["family"])
    particle = person.get("non-dropping-particle") or person.get("dropping-particle")
    family = f"{escaped(particle)} {family}" if particle else family
    given = _part(person["given"]) if person.get("given") else ""
    if person.get("suffix"):
        return f"{family}, {_part(person['suffix'])}, {given}"
    return f"{family}, {given}" if given else f"{{{escaped(person['family'])}}}"


def _part(text: str) -> str:
    """Return a part of a name; one that could be taken apart wrongly in braces."""
    plain = all(word[:1].isupper() and word.replace("-", "").isalpha() for word in text.split()) and len(text.split())
    return escaped(text) if plain else f"{{{escaped(text)}}}"
