import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.errors import PharosError
from service.security.addresses import Allowlist
from service.security.egress import (
    BadUrl,
    BodyTooLarge,
    BrokenResponse,
    CredentialsInUrl,
    Egress,
    EgressBlocked,
    FetchError,
    FetchTimeout,
    HttpBusy,
    HttpRefused,
    Limits,
    TooManyRedirects,
    UnknownHost,
    Unreachable,
    UnsupportedScheme,
    UntrustedCertificate,
    check_url,
)
from tests.origin import Origin, Page

TLS = Path(__file__).parent / "tls"
NOTHING = Allowlist()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as server:
        yield server


def to(origin: Origin, **limits: float) -> Egress:
    """An egress client for which this one server is an exception."""
    return Egress(allow=Allowlist.parse([origin.address]), limits=Limits(**limits))  # pyright: ignore[reportArgumentType]


class Names:
    """A resolver with answers of its own; a name with several lists gives the next one at each look-up."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): lists for name, lists in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        lists = self.answers[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]


# What can be refused at once


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", UnsupportedScheme),
        ("ftp://example.com/x", UnsupportedScheme),
        ("javascript:alert(1)", UnsupportedScheme),
        ("//example.com/x", UnsupportedScheme),
        ("example.com", UnsupportedScheme),
        ("", UnsupportedScheme),
        ("http://user:secret@example.com/", CredentialsInUrl),
        ("http://user@example.com/", CredentialsInUrl),
        ("http://127.0.0.1:80@example.com/", CredentialsInUrl),
        ("http://", BadUrl),
        ("http:///path", BadUrl),
        ("http://./", BadUrl),
        ("http://a..b/", BadUrl),
        ("http://exam\\ple.com/", BadUrl),
        ("http://exa\tmple.com/", BadUrl),
        ("http://example.com\x00/", BadUrl),
        ("http://exa mple.com/", BadUrl),
        ("http://example.com:0/", BadUrl),
        ("http://example.com:99999/", BadUrl),
        ("http://[::1", BadUrl),
        ("http://xn--/", BadUrl),
        ("http://①②⑦.0.0.1/", BadUrl),
        ("http://%31%32%37.0.0.1/", BadUrl),
        ("http://[fe80::1%25eth0]/", BadUrl),
        ("http://[fe80::1%eth0]/", BadUrl),
        ("http://" + "a" * 300 + "/", BadUrl),
        ("http://example.com/" + "a" * 9000, BadUrl),
        ("http://127.0.0.1/", EgressBlocked),
        ("http://127.0.0.1./", EgressBlocked),
        ("http://127。0。0。1/", EgressBlocked),
        ("http://2130706433/", EgressBlocked),
        ("http://0x7f.1/", EgressBlocked),
        ("http://0x7f000001/", EgressBlocked),
        ("http://127.1/", EgressBlocked),
        ("http://0/", EgressBlocked),
        ("http://localhost/", EgressBlocked),
        ("http://localhost./", EgressBlocked),
        ("http://LOCALHOST:8080/", EgressBlocked),
        ("http://a.localhost/", EgressBlocked),
        ("http://[::1]/", EgressBlocked),
        ("http://[::ffff:127.0.0.1]/", EgressBlocked),
        ("http://[::ffff:7f00:1]/", EgressBlocked),
        ("http://[64:ff9b::7f00:1]/", EgressBlocked),
        ("http://[2002:7f00:1::]/", EgressBlocked),
        ("http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", EgressBlocked),
        ("http://169.254.169.254/latest/meta-data/", EgressBlocked),
        ("http://100.64.0.1/", EgressBlocked),
        ("http://10.0.0.1/", EgressBlocked),
        ("http://[fd00:ec2::254]/", EgressBlocked),
    ],
)
def test_a_bad_url_is_refused_at_once(url: str, error: type[BadUrl]) -> None:
    with pytest.raises(BadUrl) as raised:
        check_url(url, NOTHING)
    assert type(raised.value) is error
    assert raised.value.status == 422


def test_octal_numbers_never_reach_an_address() -> None:
    with pytest.raises(BadUrl):
        check_url("http://0177.0.0.1/", NOTHING)


@pytest.mark.parametrize(
    "url", ["http://example.com", "https://example.com:8443/a?b=c#d", " https://bücher.example/ ", "http://1.1.1.1/"]
)
def test_a_good_url_passes(url: str) -> None:
    assert check_url(url, NOTHING).scheme in ("http", "https")


def test_a_block_says_which_rule_and_how_to_allow_it() -> None:
    with pytest.raises(EgressBlocked) as raised:
        check_url("http://[::1]:8080/", NOTHING)
    assert raised.value.detail == (
        "[::1] may not be fetched: ::1 is a loopback address. "
        "If Pharos may go there, add `[::1]:8080` to PHAROS_EGRESS_ALLOW."
    )
    assert check_url("http://[::1]:8080/", Allowlist.parse(["[::1]:8080"])).port == 8080


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(CredentialsInUrl) as raised:
        check_url("http://user:secret@example.com/", NOTHING)
    assert "secret" not in raised.value.detail


# What only the look-up tells


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "64:ff9b::a00:1", "10.0.0.1"]
)
async def test_a_name_with_a_private_address_is_blocked(address: str) -> None:
    names = Names(rebind_example=[[address]])
    async with Egress(allow=NOTHING, resolver=names) as egress:
        with pytest.raises(EgressBlocked, match=r"rebind\.example may not be fetched"):
            await egress.fetch("http://rebind.example/")


async def test_one_private_address_among_public_ones_blocks_the_name() -> None:
    names = Names(mixed_example=[["1.1.1.1", "192.168.0.1"]])
    async with Egress(allow=NOTHING, resolver=names) as egress:
        with pytest.raises(EgressBlocked, match=r"192\.168\.0\.1 is a private address"):
            await egress.fetch("http://mixed.example/")


async def test_a_name_is_looked_up_once_so_that_a_second_answer_cannot_differ(origin: Origin) -> None:
    origin.pages["/"] = Page(b"one look-up")
    names = Names(twice_example=[["127.0.0.1"], ["192.168.0.1"]])
    async with Egress(allow=Allowlist.parse(["127.0.0.1/32"]), resolver=names) as egress:
        fetched = await egress.fetch(origin.url("/", "twice.example"))
    assert fetched.body == b"one look-up"
    assert names.asked == ["twice.example"]
    assert origin.requests[0].headers["host"] == f"twice.example:{origin.port}"


async def test_a_name_that_answers_public_first_and_private_then_is_blocked_at_the_redirect(origin: Origin) -> None:
    origin.pages["/"] = Page(status=302, headers={"Location": f"http://later.example:{origin.port}/secret"})
    origin.pages["/secret"] = Page(b"secret")
    names = Names(first_example=[["127.0.0.1"]], later_example=[["127.0.0.2"]])
    async with Egress(allow=Allowlist.parse(["127.0.0.1/32"]), resolver=names) as egress:
        with pytest.raises(EgressBlocked, match=r"127\.0\.0\.2 is a loopback address"):
            await egress.fetch(origin.url("/", "first.example"))
    assert [request.path for request in origin.requests] == ["/"]


async def test_an_excepted_host_may_have_any_address(origin: Origin) -> None:
    origin.pages["/"] = Page(b"intranet")
    names = Names(wiki_home_arpa=[["127.0.0.1"]])
    async with Egress(allow=Allowlist.parse(["wiki.home.arpa"]), resolver=names) as egress:
        assert (await egress.fetch(origin.url("/", "wiki.home.arpa"))).body == b"intranet"


async def test_the_next_address_is_tried_when_the_first_does_not_answer(origin: Origin) -> None:
    origin.pages["/"] = Page(b"second address")
    names = Names(pair_example=[["127.0.0.2", "127.0.0.1"]])
    async with Egress(allow=Allowlist.parse(["127.0.0.0/8"]), resolver=names) as egress:
        assert (await egress.fetch(origin.url("/", "pair.example"))).body == b"second address"


@pytest.mark.parametrize(
    ("code", "error"),
    [(socket.EAI_NONAME, UnknownHost), (socket.EAI_AGAIN, Unreachable), (socket.EAI_FAIL, Unreachable)],
)
async def test_a_name_that_cannot_be_looked_up(code: int, error: type[Unreachable]) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        raise socket.gaierror(code, "no answer")

    async with Egress(allow=NOTHING, resolver=resolver) as egress:
        with pytest.raises(Unreachable) as raised:
            await egress.fetch("http://missing.example/")
    assert type(raised.value) is error
    assert raised.value.transient is (error is Unreachable)


async def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with Egress(allow=Allowlist.parse(["127.0.0.1"])) as egress:
            with pytest.raises(Unreachable, match="refuses connections"):
                await egress.fetch(f"http://127.0.0.1:{port}/")


async def test_a_host_that_accepts_no_connection_is_given_up_after_the_connect_time() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with Egress(allow=NOTHING, resolver=never, limits=Limits(connect=0.05)) as egress:
        with pytest.raises(Unreachable, match=r"within 0\.05 s"):
            await egress.fetch("http://silent.example/")


# TLS


async def test_tls_is_verified_against_the_name_though_the_connection_goes_to_the_address() -> None:
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(TLS / "server.pem")
    asked: list[str | None] = []
    server_tls.sni_callback = lambda _connection, name, _context: asked.append(name)
    names = Names(pharos_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    allow = Allowlist.parse(["127.0.0.1/32"])
    async with Origin({"/": Page(b"verified")}, server_tls) as origin:
        trusting = ssl.create_default_context(cafile=TLS / "ca.pem")
        async with Egress(allow=allow, resolver=names, tls=trusting) as egress:
            assert (await egress.fetch(origin.url("/", "pharos.example"))).body == b"verified"
            with pytest.raises(UntrustedCertificate, match=r"other\.example"):
                await egress.fetch(origin.url("/", "other.example"))
        async with Egress(allow=allow, resolver=names) as egress:
            with pytest.raises(UntrustedCertificate):
                await egress.fetch(origin.url("/", "pharos.example"))
    assert asked[:2] == ["pharos.example", "other.example"]
    assert [request.headers["host"] for request in origin.requests] == [f"pharos.example:{origin.port}"]


# Redirects


async def test_redirects_are_followed_and_the_last_url_is_told(origin: Origin) -> None:
    origin.pages |= {
        "/a": Page(status=301, headers={"Location": "/b?x=1#part"}),
        "/b?x=1": Page(status=307, headers={"Location": origin.url("/c")}),
        "/c": Page(b"there"),
    }
    async with to(origin) as egress:
        fetched = await egress.fetch(origin.url("/a"))
    assert (fetched.url, fetched.body) == (origin.url("/c"), b"there")


async def test_a_redirect_loop_is_named(origin: Origin) -> None:
    origin.pages |= {
        "/a": Page(status=302, headers={"Location": "/b"}),
        "/b": Page(status=302, headers={"Location": "/a"}),
    }
    async with to(origin) as egress:
        with pytest.raises(TooManyRedirects, match="in a circle, back to"):
            await egress.fetch(origin.url("/a"))
    assert len(origin.requests) == 2


@pytest.mark.parametrize(("hops", "arrives"), [(5, True), (6, False)])
async def test_at_most_five_redirects_are_followed(origin: Origin, hops: int, arrives: bool) -> None:
    for number in range(hops):
        origin.pages[f"/{number}"] = Page(status=302, headers={"Location": f"/{number + 1}"})
    origin.pages[f"/{hops}"] = Page(b"arrived")
    async with to(origin) as egress:
        if arrives:
            assert (await egress.fetch(origin.url("/0"))).body == b"arrived"
        else:
            with pytest.raises(TooManyRedirects, match="more than 5 times"):
                await egress.fetch(origin.url("/0"))
    assert len(origin.requests) == 6


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://127.0.0.1:1/", EgressBlocked),
        ("http://169.254.169.254/latest/meta-data/", EgressBlocked),
        ("http://[::ffff:127.0.0.1]/", EgressBlocked),
        ("//localhost/", EgressBlocked),
        ("http://user:secret@example.com/", CredentialsInUrl),
        ("file:///etc/passwd", UnsupportedScheme),
        ("http:\\\\127.0.0.1/", BadUrl),
    ],
)
async def test_a_redirect_to_a_bad_place_is_refused_and_says_so(
    origin: Origin, location: str, error: type[BadUrl]
) -> None:
    origin.pages["/"] = Page(status=302, headers={"Location": location})
    async with to(origin) as egress:
        with pytest.raises(BadUrl, match="redirects elsewhere") as raised:
            await egress.fetch(origin.url("/"))
    assert type(raised.value) is error
    assert "secret" not in raised.value.detail


# Answers


@pytest.mark.parametrize(
    ("status", "transient", "meaning"),
    [
        (401, False, "asks for a login"),
        (403, False, "does not let Pharos read this page"),
        (404, False, "there is no such page"),
        (410, False, "the page is gone"),
        (418, False, "refused the request"),
        (304, False, "refused the request"),
        (429, True, "too many requests"),
        (500, True, "the server has a problem"),
        (503, True, "the server has a problem"),
        (599, True, "the server has a problem"),
    ],
)
async def test_an_error_status_is_explained(origin: Origin, status: int, transient: bool, meaning: str) -> None:
    origin.pages["/"] = Page(b"<h1>error page</h1>", status)
    async with to(origin) as egress:
        with pytest.raises(HttpRefused, match=meaning) as raised:
            await egress.fetch(origin.url("/"))
    assert raised.value.transient is transient
    assert isinstance(raised.value, HttpBusy) is transient
    assert raised.value.context["code"] == status


async def test_the_declared_type_is_told_with_and_without_its_charset(origin: Origin) -> None:
    origin.pages["/"] = Page(b"x", content_type="Text/HTML; charset=windows-1252")
    async with to(origin) as egress:
        fetched = await egress.fetch(origin.url("/"))
    assert (fetched.media_type, fetched.content_type) == ("text/html", "Text/HTML; charset=windows-1252")


async def test_cookies_are_not_kept(origin: Origin) -> None:
    origin.pages["/"] = Page(b"x", headers={"Set-Cookie": "session=1; Path=/"})
    async with to(origin) as egress:
        await egress.fetch(origin.url("/"))
        await egress.fetch(origin.url("/"))
    assert [request.headers.get("cookie") for request in origin.requests] == [None, None]


async def test_proxies_of_the_environment_are_not_used(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    origin.pages["/"] = Page(b"direct")
    async with to(origin) as egress:
        assert (await egress.fetch(origin.url("/"))).body == b"direct"


# Sizes and times


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity", ""])
async def test_a_compressed_page_is_decompressed(origin: Origin, encoding: str) -> None:
    text = b"<p>" + b"many words " * 100_000
    packed = gzip.compress(text) if "gzip" in encoding else zlib.compress(text) if encoding == "deflate" else text
    origin.pages["/"] = Page(packed, headers={"Content-Encoding": encoding} if encoding else {})
    async with to(origin) as egress:
        assert (await egress.fetch(origin.url("/"))).body == text


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"plain", "gzip", "compression is broken"),
        (gzip.compress(b"text" * 1000)[:-20], "gzip", "ends too early"),
        (b"\x0b\x02\x80text", "br", "compressed with br"),
    ],
)
async def test_broken_compression_is_an_error(origin: Origin, body: bytes, encoding: str, reason: str) -> None:
    origin.pages["/"] = Page(body, headers={"Content-Encoding": encoding})
    async with to(origin) as egress:
        with pytest.raises(BrokenResponse, match=reason):
            await egress.fetch(origin.url("/"))


async def test_a_page_of_200_mb_is_refused_before_it_is_read(origin: Origin) -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(1_000_000)

    origin.pages["/"] = Page(much, headers={"Content-Length": "200000000"})
    async with to(origin) as egress:
        with pytest.raises(BodyTooLarge, match="larger than 100 MB"):
            await egress.fetch(origin.url("/"))


async def test_a_page_is_cut_at_its_limit_whatever_its_length_says(origin: Origin) -> None:
    sent = 0

    async def much() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b"x" * 100_000

    origin.pages["/"] = Page(much)
    async with to(origin, page=1_000_000) as egress:
        with pytest.raises(BodyTooLarge, match="larger than 1 MB, the limit for a page"):
            await egress.fetch(origin.url("/"))
    assert sent < 200


async def test_a_file_may_be_larger_than_a_page(origin: Origin) -> None:
    origin.pages["/file"] = Page(b"%PDF-1.7" + bytes(1500), content_type="text/html")
    origin.pages["/large"] = Page(b"PK\x03\x04" + bytes(2500))
    async with to(origin, page=1000, file=2000) as egress:
        assert len((await egress.fetch(origin.url("/file"))).body) == 1508
        with pytest.raises(BodyTooLarge, match="the limit for a file"):
            await egress.fetch(origin.url("/large"))
        with pytest.raises(BodyTooLarge):
            await egress.fetch(origin.url("/file"), max_bytes=1507)


async def test_a_small_body_that_inflates_without_end_is_cut(origin: Origin) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    origin.pages["/"] = Page(bomb, headers={"Content-Encoding": "gzip"})
    async with to(origin) as egress:
        with pytest.raises(BodyTooLarge):
            await egress.fetch(origin.url("/"))
    assert len(bomb) < 60_000


async def test_an_endless_slow_stream_is_cut_by_the_total_time(origin: Origin) -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.02)

    origin.pages["/"] = Page(drip)
    async with to(origin, total=0.3) as egress:
        with pytest.raises(FetchTimeout, match=r"within 0\.3 s") as raised:
            await egress.fetch(origin.url("/"))
    assert raised.value.transient


async def test_a_silent_server_is_cut_by_the_total_time(origin: Origin) -> None:
    async def silence() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    origin.pages["/"] = Page(silence)
    async with to(origin, total=0.2) as egress:
        with pytest.raises(FetchTimeout):
            await egress.fetch(origin.url("/"))


async def test_an_answer_that_breaks_off_can_be_tried_again(origin: Origin) -> None:
    origin.pages["/"] = Page(b"half", headers={"Content-Length": "1000"})
    async with to(origin) as egress:
        with pytest.raises(BrokenResponse) as raised:
            await egress.fetch(origin.url("/"))
    assert raised.value.transient


async def test_one_bad_fetch_does_not_hold_up_its_neighbours(origin: Origin) -> None:
    async def silence() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    origin.pages |= {"/bad": Page(silence), "/good": Page(b"good")}
    async with to(origin, total=0.5) as egress:
        outcomes = await asyncio.gather(
            *(egress.fetch(origin.url(path)) for path in ["/bad", *["/good"] * 5]), return_exceptions=True
        )
    assert isinstance(outcomes[0], FetchTimeout)
    assert [fetched.body for fetched in outcomes[1:] if not isinstance(fetched, BaseException)] == [b"good"] * 5


def test_every_error_has_a_readable_sentence() -> None:
    context = dict.fromkeys(["url", "host", "reason", "code", "phrase", "meaning", "kind"], "x") | {
        "seconds": 1.0,
        "megabytes": 25.0,
    }
    tree: list[type[PharosError]] = [FetchError]
    for error in tree:
        tree += error.__subclasses__()
    assert all(
        error(**context).detail.endswith((".", "later.")) and "{" not in error(**context).detail for error in tree
    )
