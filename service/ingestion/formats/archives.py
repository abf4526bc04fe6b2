"""Zip archives as DOCX and EPUB use them, with limits on what they unpack to."""

import io
import zipfile
import zlib
from lzma import LZMAError
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from service.ingestion.unreadable import BrokenDocument, DocumentTooLarge, PasswordProtected

Element = Any  # lxml carries no types

MOST_ENTRIES = 10_000
LARGEST = 300_000_000  # bytes of all entries together, unpacked
HIGHEST_RATIO = 100  # unpacked : packed; XML and text stay far below
RATIO_COUNTS_FROM = 10_000_000  # bytes unpacked; small archives may be as dense as they like
ENCRYPTED = 0x1
UNREADABLE = (  # all that `zipfile` and the libraries under it raise for broken bytes
    zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zlib.error, LZMAError
)  # fmt: skip


class Archive:
    """A zip archive whose sizes were checked; entries are never written anywhere, so their paths cannot do harm."""

    def __init__(self, body: bytes, kind: str) -> None:
        self.kind = kind
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(body))
        except UNREADABLE as error:
            raise BrokenDocument(kind=kind, reason=str(error)) from error
        entries = self._zip.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > MOST_ENTRIES:
            raise DocumentTooLarge(kind=kind, measure=f"holds {len(entries)} files", limit=MOST_ENTRIES)
        if unpacked > LARGEST or (unpacked > RATIO_COUNTS_FROM and unpacked > HIGHEST_RATIO * len(body)):
            measure = f"unpacks from {len(body) / 1e6:.3g} MB to {unpacked / 1e6:,.0f} MB"
            limit = f"{LARGEST // 1_000_000} MB and {HIGHEST_RATIO} times its size"
            raise DocumentTooLarge(kind=kind, measure=measure, limit=limit)
        if any(entry.flag_bits & ENCRYPTED for entry in entries):
            raise PasswordProtected(kind=kind)
        self.names = frozenset(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Unpack one entry (raises BrokenDocument); no more comes out than the checked size says."""
        try:
            return self._zip.read(name)
        except KeyError as error:
            raise BrokenDocument(kind=self.kind, reason=f"it holds no {name}") from error
        except UNREADABLE as error:
            raise BrokenDocument(kind=self.kind, reason=f"{name} in it cannot be unpacked") from error

    def xml(self, name: str) -> Element:
        """Parse one entry as XML without entities or network (raises BrokenDocument)."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            return etree.fromstring(self.read(name), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise BrokenDocument(kind=self.kind, reason=f"{name} in it is not XML") from error


def dublin_core(metadata: Element, name: str) -> list[str]:
    """Return the non-empty Dublin Core elements of a name, as DOCX and EPUB both use them."""
    found = metadata.iter("{http://purl.org/dc/elements/1.1/}" + name)
    return [text for element in found if (text := " ".join("".join(element.itertext()).split()))]
