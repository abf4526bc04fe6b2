"""How far the host of a source can be believed: a coarse table of kinds of hosts, not a judgement of any page."""

from service.quality.identifiers import host_of, is_number

UNKNOWN_HOST = 0.6
PLAIN = 0.1  # what an address without encryption costs: anybody on the way could have changed the page

_KINDS: list[tuple[float, str, str]] = [
    (1.0, "a register or archive of research", "doi.org arxiv.org pubmed.ncbi.nlm.nih.gov ncbi.nlm.nih.gov zenodo.org"),
    (1.0, "a body of standards", "iso.org ietf.org rfc-editor.org w3.org ieee.org unicode.org ecma-international.org"),
    (0.95, "a public body", "gov mil int europa.eu un.org gc.ca admin.ch bund.de gouv.fr"),
    (0.95, "a publisher of research", "nature.com science.org acm.org springer.com sciencedirect.com wiley.com plos.org"
     " cell.com thelancet.com nejm.org bmj.com jstor.org cambridge.org oup.com pnas.org aps.org acs.org biorxiv.org"),
    (0.9, "a university or school", "edu ac.uk ac.jp uni-heidelberg.de ethz.ch mpg.de cnrs.fr"),
    (0.8, "an edited reference work", "wikipedia.org britannica.com wiktionary.org"
     " plato.stanford.edu developer.mozilla.org"),
    (0.8, "a news agency or paper of record", "reuters.com apnews.com afp.com bbc.co.uk bbc.com nytimes.com ft.com"
     " economist.com theguardian.com lemonde.fr zeit.de nzz.ch"),
    (0.65, "a site of code and questions", "github.com gitlab.com stackoverflow.com stackexchange.com readthedocs.io"),
    (0.45, "a place where anybody publishes", "medium.com substack.com blogspot.com wordpress.com tumblr.com"
     " wixsite.com weebly.com livejournal.com github.io blogger.com"),
    (0.35, "a social network", "facebook.com twitter.com x.com instagram.com tiktok.com reddit.com"
     " quora.com threads.net"),
    (0.2, "a link shortener, which hides the source", "bit.ly t.co tinyurl.com goo.gl ow.ly is.gd buff.ly"),
]  # fmt: skip
_HOSTS = {host: (value, kind) for value, kind, hosts in _KINDS for host in hosts.split()}
_OF_COUNTRIES = {"gov": "gov", "gob": "gov", "gouv": "gov", "mil": "gov", "edu": "edu", "ac": "edu"}  # gov.au, ac.nz


def credibility(url: str) -> tuple[float, str]:
    """Return how far the host of an address can be believed, 0 to 1, and what kind of host it is."""
    host = host_of(url)
    value, kind = _of(host)
    return (value - PLAIN, f"{kind}, without encryption") if url.lower().startswith("http:") else (value, kind)


def _of(host: str) -> tuple[float, str]:
    if not host or "." not in host or is_number(host):
        return 0.3, "no named host"
    labels = host.split(".")
    for start in range(len(labels)):  # the longest name that is known decides
        if (known := _HOSTS.get(".".join(labels[start:]))) is not None:
            return known
    if len(labels) >= 3 and len(labels[-1]) == 2 and (alike := _OF_COUNTRIES.get(labels[-2])):
        return _HOSTS[alike]
    return UNKNOWN_HOST, "a host of no known kind"
