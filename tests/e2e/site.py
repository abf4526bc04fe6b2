"""A web site with pages of our own, as pages on the web are: an article among menus, boxes and a footer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARTICLES = {
    "fresnel": (
        "How a thin lens carries light across the sea",
        "The Harbour Review",
        "Fresnel kept the part of the glass that did the work, and nine tenths of the flame went to sea.",
        "Ines Marlow",
        "2024-03-12",
        """A lamp shines in every direction, and most of what it gives is lost. The keeper's problem was never to
        make more light, but to waste less of it. A mirror behind the flame helps a little. A lens in front of
        it helps more, but a lens large enough for a lighthouse would weigh as much as a carriage, and drink
        half the light itself.

        Augustin Fresnel saw in 1822 that the inside of a lens does no work. Light bends only where it enters
        and where it leaves. So he cut the inside away and kept the surface, in rings, each one a slice of the
        great lens that nobody could have cast. What remained was a beehive of prisms that sent nine tenths of
        the flame to the horizon.

        The first of them was lit at Cordouan, at the mouth of the Gironde. Sailors reported it from thirty
        kilometres away, and some thought that the tower was on fire. Within a generation there was hardly a
        coast without one.

        Nothing about the idea is difficult. It needed somebody to ask which part of the glass was doing the
        work.""",
    ),
    "outbox": (
        "The outbox: saying a thing exactly when it becomes true",
        "Slow Systems",
        "Between a change and the message about it there is always a gap. One table closes it.",
        "Tomas Arden",
        "2025-01-20",
        """A program that changes a row and then tells others about it does two things, and between two things
        there is always a gap. If the power fails in the gap, the row has changed and nobody knows. If the
        message goes first and the change fails, everybody knows something that never happened.

        The transactional outbox closes the gap with one plain idea: write the message into a table of the
        same database, in the same transaction as the change. Either both are there or neither is. A relay
        reads the table, carries each message to the queue, and deletes it only then.

        A relay that dies after sending and before deleting sends again. That is why the receiver must
        recognise what it has seen. At least once is a promise that can be kept; exactly once is a wish.

        The price is one more row for each change and a few milliseconds of delay. The reward is that there is
        no minute of the night in which the system believes two different stories about itself.""",
    ),
    "tides": (
        "Reading a tide table without being a sailor",
        "Field Notes",
        "Springs, neaps and the rule of twelfths, in the time that it takes to drink a cup of tea.",
        "Ruth Okafor",
        "2023-08-02",
        """High water comes twice a day, and each day it comes about fifty minutes later, because the moon has
        moved on. That is most of what a tide table says. The rest is how high, and there the sun joins in:
        when sun and moon pull along one line, at new and at full moon, the water rises higher and falls
        lower. Those are the springs. A week later they pull at right angles, and the neaps are gentle.

        The rule of twelfths tells you what happens in between. In the first hour after low water the sea
        rises by one twelfth of its range, in the second by two, in the third and fourth by three each, then
        two, then one. Half of all the water arrives in the two middle hours, which is when people are cut off
        from the beach.

        Wind can hold a tide back or heap it up by half a metre. The table does not know about the wind.""",
    ),
    "index": (
        "What an index at the back of a book knows",
        "The Harbour Review",
        "Finding by words and finding by meaning fail differently, which is why they belong together.",
        "Ines Marlow",
        "2022-11-30",
        """An index is the oldest search engine. Somebody read the whole book with one question in mind: under
        which word will a stranger look for this? The good ones answer with words that the author never used.

        A machine that only counts words is a poor indexer for the same reason that a hurried one is. It finds
        the page on which the word stands and misses the page on which the matter stands. To find by meaning
        is to place texts that say the same thing close together, whatever words they chose, and then to look
        around the question.

        Both kinds of looking fail, but they fail differently. The word search never loses a name, a number or
        a rare term. The search by meaning never loses a paraphrase. Asked together, and merged by rank
        instead of by score, they cover for each other, as two readers of one library do.""",
    ),
    "salt": (
        "Why the sea is salt and lakes are not",
        "Field Notes",
        "Every river brings a little salt, and only water leaves again.",
        "Ruth Okafor",
        "2024-06-17",
        """Rivers carry salt to the sea, a little in every bucket, too little to taste. The sea gives back only
        water. The sun lifts it, clean, and the salt stays behind. Four billion years of this and each litre
        holds thirty-five grams.

        Lakes have the same rivers and the same sun, but they also have a way out. What flows in flows on, and
        takes its salt along. Where a lake has lost its way out, as the Dead Sea has, it turns salt like any
        small ocean, only faster.

        The sea, for its part, is not growing saltier. Salt leaves it in shells, in the mud of the deep floor
        and through hot vents in the rock, about as fast as it comes. The bath is full, and the drain is as
        wide as the tap.""",
    ),
}  # fmt: skip


def phrase(name: str) -> str:
    """Return words that stand next to each other in this article, and in no other."""
    return {
        "fresnel": "a beehive of prisms",
        "outbox": "a few milliseconds of delay",
        "tides": "the rule of twelfths",
        "index": "the oldest search engine",
        "salt": "the drain is as wide as the tap",
    }[name]


def page(name: str) -> str:
    """Write an article as its site would serve it."""
    title, publisher, summary, author, date, text = ARTICLES[name]
    paragraphs = "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in text.split("\n\n"))
    links = "".join(f'<li><a href="/{other}">{escape(ARTICLES[other][0])}</a></li>' for other in ARTICLES)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
    <title>{escape(title)} | {publisher}</title>
    <meta name="description" content="{escape(summary)}">
    <meta name="author" content="{escape(author)}"><meta property="og:site_name" content="{publisher}">
    <meta property="article:published_time" content="{date}"><meta property="og:title" content="{escape(title)}"></head>
    <body><header><a href="/">{publisher}</a><nav><ul><li><a href="/about">About</a></li></ul></nav></header>
    <main><article><h1>{escape(title)}</h1><p class="byline">By {escape(author)}</p>{paragraphs}</article>
    <aside><h2>Most read</h2><ul>{links}</ul></aside></main>
    <footer><p>Subscribe to our letter. All rights reserved.</p></footer></body></html>"""


@dataclass
class Site:
    """The site as it runs: its address, its pages by path, how long each answer takes."""

    address: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds
    held: set[str] = field(default_factory=set)  # paths that get no answer for now

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def serving() -> Iterator[Site]:
    """Serve every article on 127.0.0.1; what is not there answers 404."""
    site = Site(pages={f"/{name}": page(name) for name in ARTICLES})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(site.delay)
            while self.path in site.held:
                time.sleep(0.05)
            content = site.pages.get(self.path)
            body = (content or "<h1>Not here</h1>").encode()
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield site
        server.shutdown()
        thread.join()
