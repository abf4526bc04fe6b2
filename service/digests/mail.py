"""The one way out to a mail server, and what its answers mean."""

import ssl
from email.message import EmailMessage

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from service.errors import PharosError, Unavailable
from service.settings import Settings, settings

PATIENCE = 20.0  # seconds for each answer
PERMANENT = 500


class NoMailServer(Unavailable):
    """No mail server is set: whoever runs this library sets PHAROS_SMTP_HOST and PHAROS_SMTP_FROM."""


class NotSent(PharosError):
    """The mail server {host} did not take the letter: {reason}"""

    status = 503
    transient = True


class Refused(PharosError):
    """The mail server {host} refuses the letter for good: {reason}"""

    status = 422


def configured() -> bool:
    """Tell whether a mail server is set."""
    return bool(settings().smtp_host and settings().smtp_from)


async def send(letter: EmailMessage) -> None:
    """Hand a letter to the mail server.

    Raises Refused where the server will not take this letter (5xx to its sender, its recipient or its text), NotSent
    for all that may pass: 4xx, no answer, and whatever is wrong before a letter is spoken of. What happens once the
    server has taken it changes nothing.
    """
    if not configured():
        raise NoMailServer
    host = settings().smtp_host
    client = _client(settings())
    try:
        await client.connect()
    except (SMTPException, OSError) as error:
        client.close()
        raise NotSent(host=host, reason=_said(error)) from error
    try:
        await client.send_message(letter)
    except (SMTPException, OSError) as error:
        client.close()
        raise (Refused if _is_final(error) else NotSent)(host=host, reason=_said(error)) from error
    try:
        await client.quit()
    except (SMTPException, OSError):
        client.close()


def _client(of: Settings) -> SMTP:
    password = of.smtp_password.get_secret_value() if of.smtp_password else None
    return aiosmtplib.SMTP(
        hostname=of.smtp_host,
        port=of.smtp_port,
        username=of.smtp_user,
        password=password,
        timeout=PATIENCE,
        local_hostname=(of.smtp_from or "").rpartition("@")[2].rstrip("> ") or "localhost",
        use_tls=of.smtp_tls == "tls",
        start_tls=of.smtp_tls == "starttls",
        tls_context=None if of.smtp_tls == "none" else ssl.create_default_context(),
    )


def _is_final(error: Exception) -> bool:
    if isinstance(error, SMTPRecipientsRefused):
        return all(one.code >= PERMANENT for one in error.recipients)
    return isinstance(error, SMTPResponseException) and error.code >= PERMANENT


def _said(error: Exception) -> str:
    if isinstance(error, SMTPRecipientsRefused):
        return "; ".join(f"{one.code} {one.message}" for one in error.recipients)
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
