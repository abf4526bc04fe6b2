"""RIS, as the specification of 2011 and every program that manages references read it."""

from service.exports.record import Record, as_csl, date_parts, literal_date, persons
from service.imports.entry import flat
from service.imports.vocabulary import RIS_FIELDS, RIS_TYPES, written_as

TYPES = written_as(RIS_TYPES)
BOOKS = ("book", "chapter")


def written(record: Record) -> str:
    """Return the record of a resource."""
    csl = as_csl(record)
    lines = [("TY", TYPES.get(str(csl["type"]), "GEN")), ("TI", csl.get("title"))]
    lines += [("AU", _person(one)) for one in persons(csl, "author")]
    lines += [("ED", _person(one)) for one in persons(csl, "editor")]
    lines.append(("T2", csl.get("container-title")))
    parts = date_parts(csl)
    lines.append(("DA", "/".join(f"{part:02}" for part in parts) if parts else literal_date(csl)))
    if parts:
        lines.append(("PY", f"{parts[0]:04}"))
    start, _, end = str(csl.get("page", "")).partition("-")
    lines += [("SP", start), ("EP", end.lstrip("-"))]
    lines.append(("SN", csl.get("ISBN" if csl["type"] in BOOKS else "ISSN")))
    lines += [(tag, csl.get(key)) for tag, key in RIS_FIELDS.items()]
    lines += [("KW", tag) for tag in record.tags]
    return "".join(f"{tag}  - {flat(str(value))}\n" for tag, value in lines if value) + "ER  - \n\n"


def _person(person: dict[str, str]) -> str:
    if person.get("literal") or not person.get("family"):
        return flat(str(person.get("literal") or person.get("given")))
    family = " ".join(part for part in (person.get("non-dropping-particle"), person["family"]) if part)
    return ", ".join(flat(part) for part in (family, person.get("given"), person.get("suffix")) if part)
