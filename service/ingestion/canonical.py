"""One spelling for the many addresses of a page: the key by which the same page is recognised."""

import re
from urllib.parse import quote, unquote, urlsplit

import idna

# Parameters that say where a visitor came from, never what the page is.
TRACKING = frozenset(
    "_ga _gl _openstat at_campaign at_medium cmpid cvid dclid epik fbclid gbraid gclid gclsrc hsctatracking igsh igshid"
    " irclickid li_fat_id mc_cid mc_eid mkt_tok msclkid ncid ocid rb_clickid rdt_cid ref_src ref_url s_cid sc_cid scm"
    " smid smtyp spm srsltid trk trkinfo ttclid twclid wbraid wickedid xtor yclid ysclid".split()
)
TRACKING_FAMILIES = tuple("utm_ mtm_ pk_ piwik_ matomo_ hsa_ _hs __hs fb_action_ oly_ vero_ at_custom".split())
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
ESCAPE = re.compile(r"%(?:[0-9A-Fa-f]{2})?")
PORTS = {"http": 80, "https": 443}


def canonical_url(url: str) -> str:
    """Return the canonical spelling of an http(s) URL; what is no such URL is returned as it is.

    The scheme and host in lower case (names in punycode) without a trailing dot or default port; dot segments
    resolved; escapes decoded where they need not be, upper case otherwise; no fragment; no tracking parameters; the
    others sorted by name, those of one name in their order; no trailing slash except for the root.

    It is a key, not an address to fetch: a few servers do tell `/a` from `/a/`, or care for the order of parameters.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = _ascii(parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not host:
        return url
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, PORTS[scheme]) else f"{shown}:{port}"
    path = _without_dots(_escapes(parts.path)).rstrip("/") or "/"  # an escaped dot is a dot
    pairs = map(_escapes, parts.query.split("&"))
    kept = sorted(filter(_matters, pairs), key=lambda pair: pair.partition("=")[0])
    return f"{scheme}://{place}{path}" + (f"?{'&'.join(kept)}" if kept else "")


def _ascii(host: str) -> str:
    return host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def _without_dots(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def _matters(pair: str) -> bool:
    name = unquote(pair.partition("=")[0]).lower()
    return bool(pair) and name not in TRACKING and not name.startswith(TRACKING_FAMILIES)


def _escapes(text: str) -> str:
    def one(escape: re.Match[str]) -> str:
        if escape[0] == "%":  # of no escape
            return "%25"
        letter = chr(int(escape[0][1:], 16))
        return letter if letter in UNRESERVED else escape[0].upper()

    return quote(ESCAPE.sub(one, text), safe="/:@!$&'()*+,;=%-._~?", errors="surrogatepass")
