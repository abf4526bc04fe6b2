import re

import pytest

from service.ingestion.formats import html
from service.ingestion.formats.reading_view import html_of, safe_html, text_of
from service.ingestion.unreadable import Captcha, EmptyPage, ErrorPage, ExtractionError, LoginWall
from tests.ingestion.samples import ARTICLE, SENTENCE, page

URL = "https://news.example/2019/lighthouse"
LOGIN = '<form><input name=user><input type="Password" name=p><button>Go</button></form>'


def read(body: str = ARTICLE, head: str = "<title>The Lighthouse</title>", url: str | None = URL) -> html.Draft:
    return html.read(page(body, head), None, url, captured=False)


# The article


def test_what_surrounds_the_article_is_left_out() -> None:
    menu = "<nav><a href=/>Home</a><a href=/about>About us</a></nav>"
    footer = "<footer>All rights reserved <a href=/terms>Terms</a></footer><aside>Subscribe now</aside>"
    draft = read(f"{menu}<article>{ARTICLE}</article>{footer}")
    assert draft.text.count("\n") == 11
    assert draft.text.startswith(SENTENCE.strip())
    assert not re.search("Home|About|rights|Subscribe", draft.text)


def test_what_the_page_says_about_itself_is_taken_over() -> None:
    draft = read(
        head="<title>The Lighthouse - The Harbour News</title>"
        '<meta property="og:site_name" content="The Harbour News"><meta name="author" content="By Ada Lovelace">'
        '<meta name="description" content="On a tower."><link rel="canonical" href="/lighthouse">'
        '<meta property="article:published_time" content="2019-11-20T10:00:00Z">'
    )
    assert (draft.title, draft.site, draft.authors, draft.description) == (
        "The Lighthouse",
        "The Harbour News",
        ["Ada Lovelace"],
        "On a tower.",
    )
    assert draft.published_at is not None
    assert draft.published_at.date().isoformat() == "2019-11-20"
    assert draft.canonical_url == "https://news.example/lighthouse"
    assert draft.language == "en"


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("https://www.news.example/lighthouse", "https://www.news.example/lighthouse"),
        ("https://m.news.example/lighthouse", "https://m.news.example/lighthouse"),
        ("https://bank.example/login", None),
        ("https://news.example/", None),
        ("javascript:alert(1)", None),
        ("https://user@news.example/a", None),
        ("http://[broken", None),
    ],
)
def test_a_page_may_only_claim_an_address_of_its_own_site(href: str, canonical: str | None) -> None:
    assert read(head=f'<title>x</title><link rel="canonical" href="{href}">').canonical_url == canonical


def test_the_title_is_not_repeated_in_the_text() -> None:
    draft = read(f"<article><h1>The Lighthouse</h1>{ARTICLE}</article>", "<title>The Lighthouse</title>")
    assert "The Lighthouse\n" not in draft.text
    assert "<h1>" not in draft.html


def test_links_of_the_article_are_kept_and_listed() -> None:
    linked = (
        f'<p>{SENTENCE}It is told by <a href="/strabo">Strabo &amp; others</a>, and by <a href="#x">no link</a>.</p>'
    )
    draft = read(f"<nav><a href='/menu'>Menu</a></nav><article>{ARTICLE}{linked}</article>")
    assert [(link.url, link.text) for link in draft.links] == [("https://news.example/strabo", "Strabo & others")]
    assert '<a href="https://news.example/strabo" rel="noopener noreferrer nofollow">Strabo &amp; others</a>, and' in (
        draft.html
    )
    assert "It is told by Strabo & others, and by no link." in draft.text


def test_teasers_of_other_articles_are_dropped() -> None:
    teaser = (
        '<p>Related: <a href="/other">Another story about ports</a></p><p>See also: RFC 1149, which explains it.</p>'
    )
    draft = read(f"<article>{ARTICLE}{teaser}</article>")
    assert "Another story" not in draft.text
    assert "RFC 1149" in draft.text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<h1>Title</h1><p>One sentence only here.</p>", "One sentence only here."),
        (
            "<div>Just some text in a div that is not a paragraph.</div>",
            "Just some text in a div that is not a paragraph.",
        ),
        ("<ul><li>Alpha item<li>Beta item</ul>", "Alpha item"),
    ],
)
def test_a_small_page_is_read_as_well(body: str, text: str) -> None:
    assert text in read(body).text


def test_a_fragment_is_read_as_well() -> None:
    assert html.read(b"<p>Only a paragraph of text</p>", None, None, captured=True).text == "Only a paragraph of text"


@pytest.mark.parametrize("body", ["<p>" * 5000 + "deep words here", "<div><b><i>" * 20_000 + "deep words here"])
def test_a_page_nested_without_end_is_read_or_refused(body: str) -> None:
    try:
        text = read(body).text
    except (ExtractionError, RecursionError):
        text = "deep words here"
    assert "deep words" in text


# Cleaning

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)' onclick='alert(1)'>words</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>words</a>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><style><img src onerror=alert(1)></style></mtext></math>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<iframe src=//evil.example></iframe>",
    "<p style='position:fixed' onmouseover=alert(1)>words</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<form action=//evil.example><input name=q></form>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<template><script>alert(1)</script></template>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_active_survives(attack: str) -> None:
    for cleaned in (
        safe_html(f"<p>before</p>{attack}<p>after</p>"),
        read(f"<article>{ARTICLE}{attack}</article>").html,
    ):
        assert not re.search(
            r"<(?!/?(?:p|a|h[1-6]|ul|li)\b)|\son\w+=|javascript:|data:|style=|evil", cleaned, re.IGNORECASE
        )


def test_text_never_becomes_markup() -> None:
    written = html_of("1 < 2 & <script>alert(1)</script>")
    assert written == "<p>1 &lt; 2 &amp; &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert text_of(safe_html(written)) == "1 < 2 & <script>alert(1)</script>"


def test_the_text_of_html_has_one_block_a_line() -> None:
    blocks = "<h1>Title</h1><p>One<br>two <b>bold</b>\n words</p><ul><li>a<li>b</ul><pre>x\n  y</pre>"
    table = "<table><tr><td>1<td><p>2</p><p>3</p></table>"
    assert text_of(safe_html(blocks + table)) == "Title\nOne\ntwo bold words\na\nb\nx\ny\n1\t2 3"


# Walls

WALLS = [
    ("<title>Log in</title>", f"<h1>Log in</h1>{LOGIN}", LoginWall),
    ("<title>Daily News</title>", f"<p>Please sign in to continue reading.</p>{LOGIN}", LoginWall),
    ("<title>Members</title>", "<p>You must be logged in to view this page.</p>", LoginWall),
    ("<title>A story</title>", "<p>It was a dark night.</p><p>Subscribe to continue reading.</p>", LoginWall),
    ("<title>Anmeldung</title>", f"<p>Bitte anmelden</p>{LOGIN}", LoginWall),
    ("<title>App</title>", f"<p>Welcome back</p>{LOGIN}", LoginWall),
    ("<title>Just a moment...</title>", "<h1>news.example</h1><p>Checking your browser</p>", Captcha),
    ("<title>Attention Required! | Cloudflare</title>", "<p>Sorry, you have been blocked</p>", Captcha),
    ("<title>Shop</title>", "<p>Enter the characters you see to prove you are not a robot.</p>", Captcha),
    ("<title>x</title>", '<div class="g-recaptcha"></div><p>One more step</p>', Captcha),
    ("<title>x</title>", "<p>Our systems have detected unusual traffic from your network.</p>", Captcha),
    ("<title>404 - Page not found</title>", "<p>The page you are looking for is gone.</p>", ErrorPage),
    ("<title>Harbour</title>", "<h1>Seite nicht gefunden</h1><p>Das tut uns leid.</p>", ErrorPage),
    ("<title>502 Bad Gateway</title>", "<center><h1>502 Bad Gateway</h1></center><hr>nginx", ErrorPage),
    (
        "<title>App</title>",
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root>",
        EmptyPage,
    ),
    ("<title>Empty</title>", "", EmptyPage),
    ("<title>Empty</title>", "<script>load()</script><img src=a.png>", EmptyPage),
]


@pytest.mark.parametrize(("head", "body", "error"), WALLS)
def test_a_page_that_stands_in_for_the_page_is_refused(head: str, body: str, error: type[ExtractionError]) -> None:
    with pytest.raises(error) as raised:
        read(body, head)
    assert type(raised.value) is error
    assert not raised.value.transient


@pytest.mark.parametrize(
    "extra", [LOGIN, '<div class="g-recaptcha"></div>', "<noscript>Please enable JavaScript</noscript>", "<h1>404</h1>"]
)
def test_an_article_beside_a_login_form_or_a_captcha_is_an_article(extra: str) -> None:
    assert SENTENCE.strip() in read(f"{extra}<article>{ARTICLE}</article>").text


def test_a_page_that_a_person_captured_is_never_a_wall() -> None:
    head, body, _ = WALLS[1]
    assert "Please sign in" in html.read(page(body, head), None, URL, captured=True).text


@pytest.mark.parametrize(
    ("meta", "identifiers"),
    [
        ('<meta name="citation_doi" content="10.1000/182">', ["doi:10.1000/182"]),
        ('<meta name="citation_doi" content="https://doi.org/10.1000/ABC">', ["doi:10.1000/abc"]),
        ('<meta name="citation_arxiv_id" content="1706.03762">', ["arxiv:1706.03762"]),
        ('<meta name="citation_arxiv_id" content="arXiv:1706.03762v5">', ["arxiv:1706.03762"]),
        ('<meta name="DC.Identifier" content="doi:10.1000/182">', ["doi:10.1000/182"]),
        ('<meta name="dc.identifier" content="urn:isbn:978-3-16-148410-0">', ["isbn:9783161484100"]),
        ('<meta name="dc.identifier" content="https://news.example/7">', []),
        ('<meta name="dc.identifier" content="1234567">', []),
        ('<meta name="citation_doi" content="none">', []),
        ('<meta name="citation_doi"><meta name="citation_arxiv_id" content="">', []),
        ('<meta name="citation_doi" content="10.1000/182"><meta name="dc.identifier" content="10.1000/182">',
            ["doi:10.1000/182"]),
    ],
)  # fmt: skip
def test_what_a_page_calls_itself_by_is_kept(meta: str, identifiers: list[str]) -> None:
    assert read(head=f"<title>A study</title>{meta}").identifiers == identifiers


@pytest.mark.parametrize("start", ["<html lang=en>", "<HTML LANG=en><head>", ""])
def test_a_page_may_leave_out_the_tags_of_head_and_body(start: str) -> None:
    said = "<meta name=author content='Ada Lovelace'><meta name=description content='On lamps'><title>Lamps</title>"
    text = "".join(f"<p>This is paragraph {n} about lamps and harbours in the storm.</p>" for n in range(20))
    page = f"<!doctype html>{start}{said}<article><h1>Lamps of the sea</h1>{text}</article>"
    draft = html.read(page.encode(), None, "https://example.org/lamps", captured=False)
    assert (draft.authors, draft.description, draft.title) == (["Ada Lovelace"], "On lamps", "Lamps of the sea")
    assert draft.language == ("en" if start else None)
    assert draft.text.count("lamps and harbours") == 20
