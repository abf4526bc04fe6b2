"""XML from strangers: no entities, no network, no document type; what is cut off is read as far as it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from service.imports.entry import Problem

Element = Any  # of lxml, which has no types of its own


@dataclass(frozen=True, slots=True)
class Tree:
    """The root, None where nothing could be read, and what was wrong."""

    root: Element | None
    faults: list[tuple[int, str]]


def parsed(body: bytes) -> Tree:
    """Read XML, also a broken one; nothing that it names is loaded or expanded."""
    if b"<!ENTITY" in body:
        return Tree(None, [(body[: body.index(b"<!ENTITY")].count(b"\n") + 1, "it declares entities")])
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, recover=True, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Tree(None, [(getattr(error, "lineno", None) or 1, str(error))])
    return Tree(root, [(one.line, one.message) for one in list(parser.error_log)[:100]])


def problems(tree: Tree) -> Iterator[Problem]:
    """Yield what was wrong with the file."""
    if tree.root is None and not tree.faults:
        yield Problem(1, "There is nothing in it.")
    for line, message in tree.faults:
        yield Problem(line, f"The XML is broken: {message[:300]}.")


def local(element: Element) -> str:
    """Return the name of an element without its namespace; nothing for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def text_of(element: Element | None) -> str:
    """Return the text in an element."""
    return "" if element is None else "".join(element.itertext()).strip()
