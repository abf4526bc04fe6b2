"""A mail server on 127.0.0.1 that keeps what it takes and answers as a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """`recipients` and `letters` are answered to RCPT and DATA, one after the other, the last one again and again."""

    port: int = 0
    recipients: list[str] = field(default_factory=lambda: ["250 OK"])
    letters: list[str] = field(default_factory=lambda: ["250 OK"])
    hangs_up: bool = False  # after it has taken a letter, before it says so
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipients.pop(0) if len(self.recipients) > 1 else self.recipients[0]
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.letters.pop(0) if len(self.letters) > 1 else self.letters[0]
        if answer.startswith("250"):
            self.to += envelope.rcpt_tos
            self.taken.append(cast("EmailMessage", message_from_bytes(cast("bytes", envelope.content), policy=default)))
        if self.hangs_up:
            assert server.transport is not None
            server.transport.abort()
        return answer

    def authenticate(self, *given: Any) -> AuthResult:
        """Take the password `right`."""
        data = given[-1]
        self.users.append(data.login)
        return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"right", handled=False)


@asynccontextmanager
async def serving(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, auth: bool = False
) -> AsyncIterator[MailServer]:
    """Run one; with `tls` after STARTTLS, or from the first byte."""
    mail = MailServer()

    def session() -> SMTP:
        return SMTP(
            mail, enable_SMTPUTF8=True, hostname="mail.example", ident="test",
            tls_context=None if at_once else tls, require_starttls=tls is not None and not at_once,
            authenticator=mail.authenticate if auth else None, auth_required=auth, 
            loop=asyncio.get_running_loop(),
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls if at_once else None)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()
