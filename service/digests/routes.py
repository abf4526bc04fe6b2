"""HTTP for digests. Everybody may, also who only reads: they are one's own."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.digests import actions, letters, mail
from service.digests.hours import Frequency
from service.reviews.days import ZoneName
from service.web import Shape, account, no_content, parse, respond, route

# What mail servers everywhere take: ASCII, as RFC 5321 has it without quoted names and literal addresses.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")


def _plain(address: str) -> str:
    if len(address) > 254 or not _ADDRESS.fullmatch(address) or ".." in address or address.startswith("."):
        raise ValueError("is no e-mail address, as ada@example.org")
    return address


EmailAddress = Annotated[str, AfterValidator(_plain)]


class DigestChange(Shape):
    """How often and when; what is left out stays as it is. The hour is one of the time zone."""

    frequency: Frequency | None = None
    weekday: int | None = Field(None, ge=1, le=7, description="Of a weekly letter; Monday is 1.")
    hour: int | None = Field(None, ge=0, le=23)
    timezone: ZoneName | None = None


class NewAddress(Shape):
    """Where letters are to go, once a link in the first one has been followed."""

    address: EmailAddress


class LetterView(BaseModel):
    """What became of a letter; an empty one was not sent, since there was nothing new."""

    period: datetime
    state: Literal["waiting", "sent", "empty", "failed"]
    count: int | None
    sent_at: datetime | None
    error: str | None
    attempts: int


class DigestView(BaseModel):
    """How you are told by e-mail. `asked_address` waits until its owner confirms it."""

    available: bool = Field(description="A mail server is set.")
    frequency: Frequency
    weekday: int
    hour: int
    timezone: str
    address: str | None
    asked_address: str | None
    next_at: datetime | None
    stopped_reason: str | None = Field(description="Why the letters were switched off, where nobody did it.")
    last: LetterView | None


class SentTo(BaseModel):
    """Where a letter went."""

    address: str


async def read_digest(request: Request) -> Response:
    """How you are told by e-mail."""
    async with reading() as session:
        return respond(await actions.read(session, account(request)) | {"available": mail.configured()})


async def write_digest(request: Request) -> Response:
    """Choose how often, and when."""
    asked = (await parse(request, DigestChange)).model_dump(exclude_none=True)
    async with transaction() as session:
        await actions.change(session, account(request), asked)
        return respond(await actions.read(session, account(request)) | {"available": mail.configured()})


async def ask_address(request: Request) -> Response:
    """Name an address; a letter with a link goes there, and nothing else before it was followed."""
    who, address = account(request), (await parse(request, NewAddress)).address
    if not mail.configured():
        raise mail.NoMailServer
    async with transaction() as session:
        asked = await actions.ask_address(session, who, address)
    await mail.send(letters.confirmation(address, who.username, asked))
    return respond({"address": address}, 202)


async def delete_address(request: Request) -> Response:
    """Have your address forgotten; no letter is sent any more."""
    async with transaction() as session:
        await actions.forget_address(session, account(request))
    return no_content()


async def send_test(request: Request) -> Response:
    """Send a letter to your address now, which only shows that letters arrive."""
    who = account(request)
    async with reading() as session:
        row = await actions.recipient(session, who)
    assert row.address is not None
    await mail.send(letters.test(row.address, who.username))
    return respond({"address": row.address})


routes = [
    route("GET", "/notifications/digest", read_digest, scope="read", gives=DigestView),
    route("PUT", "/notifications/digest", write_digest, scope="read", takes=DigestChange, gives=DigestView),
    route(
        "POST", "/notifications/digest/address", ask_address, scope="read", takes=NewAddress, gives=SentTo, status=202,
        also=(503,),
    ),
    route("DELETE", "/notifications/digest/address", delete_address, scope="read", status=204),
    route("POST", "/notifications/digest/test", send_test, scope="read", gives=SentTo, also=(409, 503)),
]  # fmt: skip
