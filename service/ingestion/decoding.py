"""From bytes to clean text: which encoding, and without what no database and no reader wants."""

import codecs
import re
import unicodedata
from email.message import Message

import charset_normalizer

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAMPLE = 100_000  # bytes that the guess of an encoding looks at
LEAST_TO_GUESS = 64  # bytes; fewer look like anything
META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
LATIN = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "ascii", "us-ascii"})  # windows-1252 on the web
PYTHONS_OWN = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})  # no page's
UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff\u200b\u2060]")
BREAKS = re.compile("\r\n?|[\x0c\x1c-\x1e\x85\u2028\u2029]")


def charset_of(content_type: str | None) -> str | None:
    """Return the charset parameter of a Content-Type."""
    if not content_type:
        return None
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_charset()


def decode(body: bytes, declared: str | None = None) -> str:
    """Decode text or HTML: by its byte order mark, as UTF-8 when it is that, as declared, or by a guess.

    What is valid UTF-8 is UTF-8, whatever is declared: other encodings hardly ever look like it. Broken UTF-8 keeps
    its readable part, with U+FFFD for the rest.
    """
    for mark, encoding in BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if encoding := _wide(body):
        return body.decode(encoding, "replace")
    named = [declared, *_named_within(body)]
    stateful = b"\x1b" in body and any((name or "").lower().startswith("iso-2022") for name in named)
    for name in (*(named if stateful else ()), "utf-8", *named):
        if name and (text := _strictly(body, name)) is not None:
            return text
    as_utf8 = body.decode("utf-8", "replace")
    if as_utf8.count("\ufffd") * 50 < sum(byte > 127 for byte in body[:SAMPLE]):
        return as_utf8
    guess = charset_normalizer.from_bytes(body[:SAMPLE]).best() if len(body) >= LEAST_TO_GUESS else None
    return body.decode(guess.encoding if guess else "windows-1252", "replace")


def clean(text: str) -> str:
    r"""Remove what text cannot hold (control characters, \x00, lone surrogates), and normalise to NFC."""
    return unicodedata.normalize("NFC", UNWANTED.sub("", BREAKS.sub("\n", text)))


def one_line(text: str | None, longest: int = 1000) -> str:
    """Clean a title or the like and put it on one line."""
    return " ".join(clean(text or "").split())[:longest]


def _wide(body: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by its zero bytes."""
    sample = body[:SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _named_within(body: bytes) -> list[str]:
    head = body[:2048]
    return [found.group(1).decode("ascii") for found in (META_CHARSET.search(head), XML_ENCODING.search(head)) if found]


def _strictly(body: bytes, name: str) -> str | None:
    encoding = "windows-1252" if name.lower() in LATIN else name
    try:
        return None if codecs.lookup(encoding).name in PYTHONS_OWN else body.decode(encoding)
    except (ValueError, LookupError):
        return None


def is_text(body: bytes) -> bool:
    """Tell text, in whatever charset, from other bytes by its first 64 KB."""
    sample = body[:65536]
    controls = sum(sample.count(code) for code in range(32) if code not in b"\t\n\r\x0c\x1b\x00")
    if controls * 50 > len(sample):
        return False
    zeros = sample.count(0)
    return zeros * 50 < len(sample) or "\x00" not in decode(sample)  # many zeros only where they are half of UTF-16
