"""What is written: letters in plain text and in HTML, with the headers that mail programs go by."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from service.digests.wording import text
from service.settings import settings

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["t"] = text  # pyright: ignore[reportArgumentType] -- any function may be one
LONGEST = 60  # characters of a title in a subject


def base() -> str:
    """Return the address that people reach the library at, without a slash at its end."""
    of = settings()
    return (of.public_url or f"http://{of.host}:{of.port}").rstrip("/")


def digest(
    id: UUID,
    user_id: UUID,
    address: str,
    username: str,
    written_at: datetime,
    count: int,
    items: list[dict[str, Any]],
    stops: str,
) -> EmailMessage:
    """Write a digest; the same letter has the same Message-ID and date, however often it is written."""
    letter = _letter(address, _subject(count, items))
    letter["Date"] = format_datetime(written_at)
    letter["Message-ID"] = f"<{id}@{_domain()}>"
    asked = urlencode({"account": user_id, "address": address, "signature": stops})
    unsubscribe = f"{base()}/ui/public/digest/unsubscribe?{asked}"
    letter["List-Unsubscribe"] = f"<{unsubscribe}>"
    letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter["List-ID"] = f"Pharos <digest.{_domain()}>"
    values = {"items": items, "more": count - len(items), "username": username, "base": base()}
    _fill(letter, "digest", values | {"count": count, "unsubscribe": unsubscribe})
    return letter


def confirmation(address: str, username: str, asked: str) -> EmailMessage:
    """Write to an address that somebody says is theirs."""
    letter = _letter(address, text("confirm.subject"))
    letter["Message-ID"] = make_msgid(domain=_domain())
    _fill(letter, "confirmation", {"username": username, "link": f"{base()}/ui/public/digest/confirm?{asked}"})
    return letter


def test(address: str, username: str) -> EmailMessage:
    """Write a letter that only shows that letters arrive."""
    letter = _letter(address, text("test.subject"))
    letter["Message-ID"] = make_msgid(domain=_domain())
    _fill(letter, "test", {"username": username, "base": base()})
    return letter


def _letter(address: str, subject: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = settings().smtp_from
    letter["To"] = Address(addr_spec=address)
    letter["Subject"] = one_line(subject)
    letter["Auto-Submitted"] = "auto-generated"
    return letter


def _fill(letter: EmailMessage, template: str, values: dict[str, Any]) -> None:
    letter.set_content(_templates.get_template(f"{template}.txt").render(values))
    letter.add_alternative(_templates.get_template(f"{template}.html").render(values), subtype="html")


def _subject(count: int, items: list[dict[str, Any]]) -> str:
    first = one_line(items[0]["title"])
    first = first if len(first) <= LONGEST else f"{first[: LONGEST - 1].rstrip()}…"
    return text("digest.subject.one", title=first) if count == 1 else text("digest.subject", title=first, n=count - 1)


def one_line(words: str) -> str:
    """Return words as a header may carry them: on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _domain() -> str:
    return (settings().smtp_from or "").rpartition("@")[2].rstrip("> ") or "localhost"
