"""HTML that is safe to show, and the plain text of it."""

import re
from html import escape

import nh3
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from service.ingestion.formats.trees import parse_fragment

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
CELL_TAGS = frozenset({"td", "th"})
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
    pieces: list[str] = []
    verbatim = cells = 0
    for event, element in etree.iterwalk(parse_fragment(html), events=("start", "end")):
        tag, begins = element.tag, event == "start"
        verbatim += (tag == "pre") * (1 if begins else -1)
        cells += (tag in CELL_TAGS) * (1 if begins else -1)
        if tag in BLOCK_TAGS or (tag == "br" and begins):
            pieces.append(" " if cells else "\n")
        elif tag in CELL_TAGS and not begins:
            pieces.append("\t")
        text = (element.text if begins else element.tail) or ""
        pieces.append(text if verbatim else SPACES.sub(" ", text))
    lines = (line.strip(" \t") for line in "".join(pieces).split("\n"))
    return "\n".join("\t".join(SPACES.sub(" ", cell).strip() for cell in line.split("\t")) for line in lines if line)
