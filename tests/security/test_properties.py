"""What always holds of whatever comes in over the network: addresses, headers, secrets, JSON, messages of the queue."""

# pyright: reportPrivateUsage=false

import json
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

import httpx
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import Field
from starlette.types import Message, Receive, Scope, Send

from service.errors import Invalid
from service.queue.state import _state
from service.queue.wire import Undecodable, decode
from service.resources.shapes import Address, ResourceChange
from service.security.addresses import Allowlist, forbidden, literal
from service.security.credentials import Credential
from service.security.destinations import BadUrl, check_url, host_of, in_ascii
from service.security.limits import network
from service.security.middleware import Authentication, BodyLimit, Forwarded, _session_cookie
from service.ui import wording
from service.web import Paged, Shape, parse, problem, query, validated

always = settings(derandomize=True, database=None, deadline=None, max_examples=150)

NOWHERE = Allowlist()
PRIVATE = ("127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0")
BASES = ("{:d}", "0{:o}", "0x{:x}", "0X{:08X}")


@st.composite
def disguises(draw: st.DrawFn) -> tuple[str, IPv4Address]:
    """Private IPv4 addresses in one to four parts, each to any base, or wrapped in an IPv6 address."""
    address = IPv4Address(draw(st.sampled_from(PRIVATE)))
    value, parts = int(address), draw(st.integers(1, 4))
    pieces = [value >> 24 - 8 * place & 0xFF for place in range(parts - 1)]
    pieces.append(value & (1 << 32 - 8 * (parts - 1)) - 1)
    dotted = ".".join(draw(st.sampled_from(BASES)).format(piece) for piece in pieces)
    high, low = value >> 16, value & 0xFFFF
    wrapped = (
        f"[::ffff:{address}]", f"[::ffff:{high:x}:{low:x}]", f"[0:0:0:0:0:FFFF:{high:x}:{low:x}]", f"[::{address}]",
        f"[64:ff9b::{address}]", f"[64:ff9b:1::{address}]", f"[2002:{high:x}:{low:x}::1]",
        f"[2001:0:808:808:0:0:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}]",
    )  # fmt: skip
    return draw(st.sampled_from((dotted, f"{dotted}.", *wrapped))), address


@always
@given(disguises(), st.sampled_from(("", ":8080", ":0443")))
def test_a_private_address_is_never_allowed_however_it_is_written(disguise: tuple[str, IPv4Address], port: str) -> None:
    with pytest.raises(BadUrl):
        check_url(f"http://{disguise[0]}{port}/", NOWHERE)


@always
@given(disguises())
def test_a_dotted_address_is_read_as_the_system_reads_it(disguise: tuple[str, IPv4Address]) -> None:
    assume("[" not in disguise[0])
    assert literal(disguise[0]) == disguise[1]


@settings(always, max_examples=600)
@given(
    st.one_of(
        st.text("0123456789abcdfxX.", max_size=14),
        st.text("0123456789abcdef:.%", max_size=20).map("[{}]".format),
        st.lists(st.sampled_from(("0", "1", "127", "0177", "0x7f", "256", "08", "00", "")), max_size=5).map(".".join),
    )
)
@example("127.0.0.1.")
@example("08.8.8.8")
@example("[::ffff:127.0.0.1%1]")
def test_what_the_system_takes_for_an_address_is_refused_or_the_address_that_is_checked(host: str) -> None:
    try:
        url = check_url(f"http://{host}/", Allowlist.parse(["0.0.0.0/0", "::/0"]))
    except BadUrl:
        return
    reached = host_of(url)
    try:
        found = socket.getaddrinfo(reached, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        return
    assert literal(reached) == ip_address(found[0][4][0])


@always
@given(st.integers(0, 2**128 - 1), st.integers(0, 2**32 - 1))
def test_an_allowed_address_is_global(six: int, four: int) -> None:
    for address in (IPv6Address(six), IPv4Address(four)):
        assert forbidden(address) or (address.is_global and not address.is_multicast)


URLISH = st.one_of(
    st.text(max_size=60),
    st.text("abж漢ß。./:@?#%[]\\ \t\n\x00\ud8000７x-_", max_size=40).map("http://{}".format),
    st.text(max_size=20).map("https://example.com/{}".format),
    st.text(st.characters(categories=["Ll", "Lo", "Mn", "Nd"]), max_size=20).map("https://{}.example".format),
)


@settings(always, max_examples=500)
@given(URLISH)
@example("http://example.com:" + "9" * 5000)
@example("http://xn--a.example/")
def test_any_text_is_an_address_to_fetch_or_refused(text: str) -> None:
    try:
        url = check_url(text, NOWHERE)
    except BadUrl:
        return
    assert url.scheme in ("http", "https")
    assert host_of(url).isascii()


@settings(always, max_examples=400)
@given(URLISH)
@example("https://аpple.com/login")
@example("https://аррӏе.com./")
def test_the_host_that_is_stored_and_shown_is_ascii_and_the_one_that_is_fetched(text: str) -> None:
    try:
        url = check_url(text.strip(), NOWHERE)
    except BadUrl:
        return
    stored = in_ascii(url, text.strip())
    shown = wording.host(stored)
    assert shown is None or shown.isascii()
    assert shown == wording.host(text.strip())
    assert host_of(check_url(stored, NOWHERE)) == host_of(url)


class Linked(Shape):
    url: Address


async def test_a_look_alike_is_stored_and_shown_as_what_it_is(api: httpx.AsyncClient) -> None:
    given = {"title": "A page", "content": "Text.", "url": "https://аpple.com/login"}  # the first letter is Cyrillic
    made = (await api.post("/resources", json=given)).json()
    assert made["url"] == "https://xn--pple-43d.com/login"
    asked = (await api.post("/ingest", json={"url": "https://аррӏе.com/"})).json()
    page = (await api.get(f"/resources/{asked['id']}")).json()
    assert page["url"] == page["title"] == "https://xn--80ak6aa92e.com/"
    many = (await api.post("/ingest", json={"urls": ["https://gооgle.com/"]})).json()
    assert (await api.get(f"/resources/{many['items'][0]['id']}")).json()["url"] == "https://xn--ggle-55da.com/"
    for path in ("/ui/", f"/ui/resources/{made['id']}", f"/ui/resources/{asked['id']}"):
        shown = (await api.get(path)).text
        assert "xn--" in shown
        assert not set("аррӏе") & set(shown)


def test_the_name_of_a_site_that_is_a_domain_is_shown_in_ascii() -> None:
    class Item:
        url, site, type = "https://evil.example/", "аpple.com", "webpage"

    assert wording.source(Item) == "xn--pple-43d.com"
    Item.site = "Журнал. Наука и жизнь"
    assert wording.source(Item) == Item.site


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(sorted(ResourceChange.model_fields))


class Sent:
    """A request with a body."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.headers, self.scope = raw, dict[str, str](), {"account": "somebody"}

    async def stream(self) -> Any:
        yield self.raw


async def parsed(raw: bytes) -> ResourceChange | None:
    """Return what is parsed; None where it is refused as the client's fault."""
    try:
        return await parse(Sent(raw), ResourceChange)  # pyright: ignore[reportArgumentType]
    except Invalid as error:
        problem(error)  # fails for what cannot be written
        return None


@settings(always, max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.dictionaries(FIELDS | st.text(max_size=5), JSON, max_size=4).map(lambda value: json.dumps(value).encode()),
        st.tuples(FIELDS, JSON).map(lambda pair: json.dumps(dict([pair])).encode()),
    )
)
@example(b'{"title": "\\ud800"}')
@example(b'{"title": "a\\u0000b"}')
@example(b'{"published_at": "0001-01-01T00:00:00+14:00"}')
@example(b'{"tags": ["\\u0000"]}')
async def test_any_body_is_parsed_or_refused_and_nothing_parsed_is_unstorable(raw: bytes) -> None:
    change = await parsed(raw)
    if change is not None:
        stored = change.model_dump_json()  # fails for lone surrogates
        assert "\\u0000" not in stored


@always
@given(st.dictionaries(st.sampled_from(("limit", "offset")), st.text(max_size=8) | st.integers().map(str)))
@example({"limit": "9" * 5000})
@example({"offset": "²"})
def test_any_page_that_is_asked_for_is_within_bounds_or_refused(params: dict[str, str]) -> None:
    class Asked:
        query_params = httpx.QueryParams(params)

    Asked.query_params.getlist = Asked.query_params.get_list  # type: ignore[attr-defined]
    try:
        page = query(Asked, Paged)  # pyright: ignore[reportArgumentType]
    except Invalid:
        return
    assert 1 <= page.limit <= 100
    assert 0 <= page.offset <= 1_000_000


def test_no_more_faults_are_answered_than_somebody_reads() -> None:
    class Numbers(Shape):
        numbers: Annotated[list[int], Field(max_length=1_000_000)]

    with pytest.raises(Invalid) as refused:
        validated(Numbers, {"numbers": ["x"] * 10_000})
    assert len(refused.value.errors) == 50


@always
@given(st.binary(max_size=60))
@example(b"pharos_0123456789abcdef_" + b"a" * 43)
def test_any_bytes_shown_as_a_secret_have_a_key_and_match_only_themselves(shown: bytes) -> None:
    secret = shown.decode(errors="surrogateescape")
    credential = Credential.of(secret)
    assert len(credential.key) == 16
    assert set(credential.key) <= set("0123456789abcdef")
    assert credential.matches(Credential.of(secret).digest)
    assert not credential.matches(Credential.of(f"{secret}x").digest)


@always
@given(st.binary(max_size=60))
def test_any_cookie_header_gives_a_secret_or_none(header: bytes) -> None:
    secret = _session_cookie(header)
    assert secret is None or Credential.of(secret).key
    planted = _session_cookie(header + b"; pharos_session=abc")
    assert planted is not None or b"pharos_session" in header


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind a middleware."""


HEADER = st.text("0123456789abcdef.:,[]% \xff²x", max_size=40).map(lambda text: text.encode("latin-1"))


@always
@given(st.lists(HEADER, max_size=3))
@example([b"203.0.113.7, [::1%eth0], 10.0.0.1"])
@example([b"1.2.3.4:5:6, ::1"])
def test_any_forwarded_header_names_an_address_or_nobody(values: list[bytes]) -> None:
    layer = Forwarded.__new__(Forwarded)
    layer._networks = list(Allowlist.parse(["10.0.0.0/8", "::1"]).networks)
    layer._trusted = layer._is_trusted  # pyright: ignore[reportAttributeAccessIssue]
    client = layer._client([(b"x-forwarded-for", value) for value in values])
    if client is not None:
        ip_address(client)
        assert network(client)


@pytest.mark.parametrize("length", ["", "-1", "+1", "1_0", "²", "0x10", " 1", "1e3", "9" * 5000, "٣", "NaN"])
async def test_a_length_that_is_no_number_never_reaches_the_application(pharos: object, length: str) -> None:
    reached: list[Scope] = []
    told: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def send(message: Message) -> None:
        told.append(message)

    header = (b"content-length", length.encode("latin-1", "replace"))
    scope: Scope = {"type": "http", "path": "/", "headers": [header]}
    await BodyLimit(application)(scope, None, send)  # type: ignore[arg-type]
    assert (length == "") == bool(reached)  # no length is none
    assert reached or told[0]["status"] == 413


async def test_no_origin_but_ours_is_ours(pharos: object) -> None:
    layer = Authentication(nothing)

    @settings(always, max_examples=300)
    @given(st.text("htps:/@.[]?#\\ pharostev\xff", max_size=30).map(lambda text: text.encode("latin-1")))
    @example(b"http://[")
    @example(b"http://pharos.test@evil.example")
    @example(b"http://evil.example/http://pharos.test")
    @example(b"null")
    def holds(origin: bytes) -> None:
        own = layer._is_own([(b"host", b"pharos.test"), (b"origin", origin)])
        assert own is not True or httpx.URL(origin.decode("latin-1")).host == "pharos.test"

    holds()
    assert layer._is_own([(b"host", b"pharos.test"), (b"origin", b"http://pharos.test")]) is True


@settings(always, max_examples=300)
@given(
    st.binary(max_size=40)
    | st.fixed_dictionaries(
        {},
        optional={
            name: JSON
            for name in ("queue_name", "actor_name", "args", "kwargs", "options", "message_id", "message_timestamp")
        },
    ).map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
)
@example(b"[" * 10_000)
@example(b'{"queue_name": "q", "actor_name": "a", "args": 1, "kwargs": {}, "options": {}, "message_id": "i"}')
def test_any_bytes_are_a_message_or_undecodable(body: bytes) -> None:
    try:
        message = decode(body)
    except Undecodable:
        return
    assert type(message.queue_name) is type(message.actor_name) is type(message.message_id) is str
    assert isinstance(message.args, (list, tuple))
    assert isinstance(message.kwargs, dict)


DEEP = {"nested": "[" * 10_000 + "]" * 10_000, "a nested title": '{"title":' * 10_000 + "1" + "}" * 10_000}
WRONG = DEEP | {
    "a hundred thousand keys": json.dumps({f"k{number}": number for number in range(100_000)}),
    "a title of ten megabytes": json.dumps({"title": "x" * 10_000_000, "content": "a"}),
    "a key of ten megabytes": json.dumps({"x" * 10_000_000: 1}),
    "a million digits": '{"title": "a", "content": "b", "private": ' + "1" * 1_000_000 + "}",
    "a number beyond all": '{"published_at": 1e999}',
    "no number": '{"title": NaN, "content": "a"}',
    "half a character": '{"title": "\\ud800", "content": "a"}',
    "a null character": '{"title": "\\u0000", "content": "a"}',
    "a language of two megabytes": json.dumps({"title": "a", "content": "b", "language": "aa" + "-a" * 1_000_000}),
    "a hundred thousand tags": json.dumps({"title": "a", "content": "b", "tags": ["a"] * 100_000}),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", WRONG)
async def test_a_monstrous_body_is_refused_at_once(api: httpx.AsyncClient, name: str) -> None:
    made = (await api.post("/resources", json={"title": "a", "content": "b"})).json()
    for method, path in (("POST", "/resources"), ("PUT", f"/resources/{made['id']}")):
        answer = await api.request(method, path, content=WRONG[name])
        assert answer.status_code == 422, answer.text[:300]
        assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("value", "status"),
    [(b"\xb2", 422), (b"9" * 5000, 422), (b"9" * 19, 412), (b'""', 422), (b'W/"7"', 412), (b"3, 4", 422)],
)
async def test_any_version_to_match_is_compared_or_refused(api: httpx.AsyncClient, value: bytes, status: int) -> None:
    made = (await api.post("/resources", json={"title": "a", "content": "b"})).json()
    headers = [(b"if-match", value), (b"content-type", b"application/json")]
    answer = await api.put(f"/resources/{made['id']}", content=b'{"title": "c"}', headers=headers)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("value", [b"9" * 5000, b"\xb2", b"-1", b"1.0", b"0x1", b" ", b"1_0"])
async def test_a_last_event_that_is_none_is_refused(api: httpx.AsyncClient, value: bytes) -> None:
    answer = await api.get("/events/stream", headers=[(b"last-event-id", value)])
    assert answer.status_code == 422 or not value.strip()


FORM = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\nContent-Type: text/plain%s\r\n\r\n%s\r\n'


async def test_a_form_in_any_charset_is_taken_or_refused(api: httpx.AsyncClient) -> None:
    for charset in ("unicode_escape", "utf-7", "idna", "undefined", "punycode", "no-such"):
        for name in (b"\\ud800", b"+2AA-", b"\\x00", b"\xff"):
            file = FORM % (b"file", b'; filename="a%s.txt"' % name, b"", b"The lamp is lit every evening.")
            form = FORM % (b"subject", b"", b"", b"a\x00" + name) + file + b"--b--\r\n"
            headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
            answer = await api.post("/documents", content=form, headers=headers)
            assert answer.status_code in (202, 422), (charset, name)


@pytest.mark.parametrize("code", ["\ud800", "\x00", "x" * 200, "pharos_0123456789abcdef_" + "a" * 43, "%", ""])
async def test_any_code_of_an_invitation_is_looked_up_or_refused(api: httpx.AsyncClient, code: str) -> None:
    body = json.dumps({"username": "somebody", "password": "a long enough password", "code": code})
    assert (await api.post("/auth/register", content=body)).status_code in (403, 422)


async def test_what_is_kept_of_a_task_is_shown_whatever_it_is() -> None:
    assert _state("id", {}) is None
    shown = _state("id", {"s": "failed", "q": "default:x", "e": "\x00<"})
    assert shown is not None
    assert (shown.error, shown.priority) == ("\x00<", 5)
