"""Why a document could not be read; each sentence is shown to the person who added it.

ExtractionError 422
├── UnsupportedDocument 415
├── BrokenDocument
├── PasswordProtected
├── MacroDocument
├── NoTextLayer
├── DocumentTooLarge 413    too many pages, too much text, a zip bomb
├── EmptyPage
├── LoginWall
├── Captcha
├── ErrorPage
├── OutOfMemory
├── TookTooLong
├── ParserCrashed
└── ParserAway 503          the reader itself could not run; tasks try again
"""

from service.errors import PharosError


class ExtractionError(PharosError):
    """The {kind} could not be read: {reason}."""

    status = 422


class UnsupportedDocument(ExtractionError):
    """Pharos cannot read {what}. It reads web pages (HTML), PDF, DOCX, EPUB, Markdown and plain text."""

    status = 415


class BrokenDocument(ExtractionError):
    """The {kind} is broken: {reason}."""


class PasswordProtected(ExtractionError):
    """The {kind} is protected by a password. Save it without the password, then add it again."""


class MacroDocument(ExtractionError):
    """The Word document contains macros. Save it as .docx without macros, then add it again."""


class NoTextLayer(ExtractionError):
    """This PDF has no text layer (it is probably a scan). Pharos has no OCR."""


class DocumentTooLarge(ExtractionError):
    """The {kind} is too large: it {measure}, and the limit is {limit}."""

    status = 413


class EmptyPage(ExtractionError):
    """This page has no text to keep{hint}."""


class LoginWall(ExtractionError):
    """This page asks for a login instead of showing its text. Save the page in your browser and add the file."""


class Captcha(ExtractionError):
    """This page shows a captcha instead of its text. Save the page in your browser and add the file."""


class ErrorPage(ExtractionError):
    """This is an error page of the site ("{title}"), not the document."""


class OutOfMemory(ExtractionError):
    """The {kind} needed more than {limit} of memory to read."""


class TookTooLong(ExtractionError):
    """The {kind} took longer than {seconds} s to read."""


class ParserCrashed(ExtractionError):
    """The {kind} made its reader crash ({signal}); it is probably broken."""


class ParserAway(ExtractionError):
    """The {kind} could not be read now: its reader was stopped from outside. It is tried again."""

    status = 503
    transient = True


def amount(size: int) -> str:
    """Write a number of bytes for people: `1 GB`, `512 MB`."""
    return f"{size / (1 << 30):.3g} GB" if size >= 1 << 30 else f"{size / (1 << 20):.3g} MB"
