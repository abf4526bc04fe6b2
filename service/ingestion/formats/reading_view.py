"""HTML that is safe to show, and the plain text of it."""

import re
from html import escape

import lxml.html
import nh3
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

TAGS = """
    a abbr b blockquote br caption cite code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins
    kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul
    var
"""
DROPPED = "audio button canvas embed form iframe math noscript object script style svg template title video"
BLOCKS = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul
"""
BLOCK_TAGS = frozenset(BLOCKS.split())
CLEANER = nh3.Cleaner(
    tags=set(TAGS.split()),
    clean_content_tags=set(DROPPED.split()),
    attributes={"a": {"href", "title"}, "td": {"colspan"}, "th": {"colspan"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)
SPACES = re.compile(r"[ \t\r\n\f\v]+")


def safe_html(html: str) -> str:
    """Clean HTML for display: text markup and absolute links, no script, style, image or event handler."""
    return CLEANER.clean(html).strip()


def html_of(text: str) -> str:
    """Wrap plain text, one paragraph a line, as HTML."""
    return "\n".join(f"<p>{escape(line, quote=False)}</p>" for line in text.split("\n") if line.strip())


def text_of(html: str) -> str:
    """Return the plain text of cleaned HTML, one block a line; table cells are set apart by tabs."""
    if not html.strip():
        return ""
    root = lxml.html.fromstring(f"<div>{html}</div>")
    pieces: list[str] = []
    verbatim = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if not isinstance(tag, str):
            continue
        if event == "start":
            verbatim += tag == "pre"
            if tag in BLOCK_TAGS or tag == "br":
                pieces.append("\n")
            pieces.append((element.text or "") if verbatim else SPACES.sub(" ", element.text or ""))
        else:
            verbatim -= tag == "pre"
            pieces.append("\n" if tag in BLOCK_TAGS else "\t" if tag in ("td", "th") else "")
            pieces.append((element.tail or "") if verbatim else SPACES.sub(" ", element.tail or ""))
    lines = (line.strip(" \t") for line in "".join(pieces).split("\n"))
    return "\n".join(SPACES.sub(" ", line) if "\t" not in line else line for line in lines if line)
