"""Which URLs may be fetched: what can be refused at once, and what only the addresses of the host tell.

Invalid 422
└── BadUrl
    ├── UnsupportedScheme
    ├── CredentialsInUrl
    └── EgressBlocked      an address that is not public
"""

from collections.abc import Iterable
from ipaddress import ip_address

import httpx

from service.errors import Invalid
from service.security.addresses import Address, Allowlist, forbidden, literal
from service.settings import settings

LOOPBACK = ip_address("127.0.0.1")
LONGEST_HOST = 253  # RFC 1035
LONGEST_URL = 8_000  # what servers commonly accept (RFC 9110, section 4.1)


class BadUrl(Invalid):
    """{url} is not an address that can be fetched: {reason}."""


class UnsupportedScheme(BadUrl):
    """{url} cannot be fetched: only http:// and https:// addresses can."""


class CredentialsInUrl(BadUrl):
    """The address holds a user name or a password. Remove it: it would be stored and shown with the page."""


class EgressBlocked(BadUrl):
    """{host} may not be fetched: {reason}. If Pharos may go there, add `{allow}` to PHAROS_EGRESS_ALLOW."""


def configured_allowlist() -> Allowlist:
    """Return the exceptions that PHAROS_EGRESS_ALLOW names."""
    return Allowlist.parse(settings().egress_allow)


def check_url(url: str, allow: Allowlist | None = None) -> httpx.URL:
    """Refuse what can be known to be wrong before any look-up, and return the parsed URL (raises BadUrl).

    Fetch what is returned, not the text: to check with one parser and to fetch with another is how such checks are
    walked around.
    """
    allow = allow if allow is not None else configured_allowlist()
    parsed = _parse(url.strip())
    host, port = host_of(parsed), port_of(parsed)
    address = literal(host)
    name = host.rstrip(".").lower()
    if address is not None:
        check_addresses(host, port, [address], allow)
    elif name == "localhost" or name.endswith(".localhost"):  # RFC 6761
        check_addresses(host, port, [LOOPBACK], allow)
    return parsed


def check_addresses(host: str, port: int, addresses: Iterable[Address], allow: Allowlist) -> None:
    """Refuse a host when any of its addresses is neither public nor excepted (raises EgressBlocked)."""
    if allow.names(host, port):
        return
    for address in addresses:
        if (reason := forbidden(address)) and not allow.covers(address):
            shown = f"[{host}]" if ":" in host else host
            raise EgressBlocked(host=shown, reason=f"{address} {reason}", allow=f"{shown.rstrip('.')}:{port}")


def host_of(url: httpx.URL) -> str:
    """Return the host as it goes over the wire: ASCII, names in punycode."""
    return url.raw_host.decode("ascii")


def in_ascii(url: httpx.URL, written: str) -> str:
    """Return a URL as it was written, but one with a name in other letters in ASCII.

    So `аpple.com` with a Cyrillic а is shown as the `xn--pple-43d.com` that it is.
    """
    return written if url.host == host_of(url) else str(url)


def port_of(url: httpx.URL) -> int:
    """Return the port, the scheme's own when the URL names none."""
    return url.port or (443 if url.scheme == "https" else 80)


def _parse(text: str) -> httpx.URL:
    if len(text) > LONGEST_URL:
        raise BadUrl(url=f"{text[:80]}...", reason=f"it is longer than {LONGEST_URL} characters")
    if "\\" in text:
        raise BadUrl(url=text, reason="it contains a backslash")
    try:
        parsed = httpx.URL(text)
        host = host_of(parsed)
        _ = parsed.host  # decodes punycode, which may be broken
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl(url=text, reason=str(error).rstrip(".")) from error
    if parsed.userinfo:
        raise CredentialsInUrl
    if parsed.scheme not in ("http", "https"):
        raise UnsupportedScheme(url=text or "An empty text")
    if not host.strip("."):
        raise BadUrl(url=text, reason="it names no host")
    if "%" in host or ".." in host or len(host) > LONGEST_HOST:
        raise BadUrl(url=text, reason="what it names is not a host")
    if parsed.port is not None and not 1 <= parsed.port <= 65535:
        raise BadUrl(url=text, reason=f"there is no port {parsed.port}")
    return parsed
