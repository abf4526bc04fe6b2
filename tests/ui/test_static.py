"""Static files: kept for good under their version, checked again without it; and what they hold."""

import re
from itertools import product

import httpx
import pytest

from service.ui.assets import FOLDER, VERSION, asset
from service.ui.text import BROWSER, ENGLISH, text

THEMES = (0, 1)  # light, dark


@pytest.mark.integration
async def test_texts_travel_compressed_where_that_is_understood(client: httpx.AsyncClient) -> None:
    plain = await client.get(asset("pharos.css"), headers={"Accept-Encoding": "identity"})
    small = await client.get(asset("pharos.css"), headers={"Accept-Encoding": "gzip"})
    assert plain.content == small.content == (FOLDER / "pharos.css").read_bytes()
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert {answer.headers["vary"] for answer in (plain, small)} == {"Accept-Encoding"}
    known = {"Accept-Encoding": "gzip", "If-None-Match": small.headers["etag"]}
    assert (await client.get(asset("pharos.css"), headers=known)).status_code == 304


@pytest.mark.integration
async def test_a_version_is_kept_for_good(client: httpx.AsyncClient) -> None:
    answer = await client.get(asset("pharos.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    again = await client.get(asset("pharos.css"), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.integration
@pytest.mark.parametrize("path", ["pharos.css", "an-older-version/pharos.css"])
async def test_other_addresses_are_checked_each_time(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/ui/static/{path}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, no-cache"
    assert "etag" in answer.headers


@pytest.mark.integration
@pytest.mark.parametrize(
    "path", ["nothing.css", f"{VERSION}/nothing.css", f"{VERSION}/../text.py", "%2e%2e/text.py", ""]
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/ui/static/{path}")).status_code == 404


def test_every_text_is_used() -> None:
    folder = FOLDER.parent
    files = [
        *folder.glob("templates/*.html"),
        *(file for file in folder.glob("*.py") if not file.stem.endswith("text")),
    ]
    pages = "".join(file.read_text() for file in files)
    modules = "".join(file.read_text() for file in FOLDER.glob("*.js"))

    def used(key: str) -> bool:
        families = [key[: dot.end()] for dot in re.finditer(r"\.", key)]  # 'step.' ~ name, f"ago.{unit}"
        return any(f"{quote}{known}{end}" in pages for quote in "\"'" for known, end in
                   [(key, quote), *((family, end) for family in families for end in (quote, "{"))])  # fmt: skip

    assert [key for key in ENGLISH if not used(key)] == []
    assert [key for key in BROWSER if f'"{key}"' not in modules] == []


def test_every_text_that_is_used_is_there() -> None:
    templates = "".join(file.read_text() for file in FOLDER.parent.glob("templates/*.html"))
    modules = "".join(file.read_text() for file in FOLDER.glob("*.js"))
    assert set(re.findall(r"\bt\('([^']+)'[,)]", templates)) <= ENGLISH.keys()
    assert set(re.findall(r'\btext\("([^"]+)"', modules)) <= BROWSER.keys()


def test_texts_are_filled_in() -> None:
    assert text("words", n=1) == "1 word"
    assert text("words", n=12_345) == "12,345 words"
    assert text("no.such.text", default="instead") == "instead"
    with pytest.raises(KeyError):
        text("no.such.text")


def test_nothing_is_loaded_from_elsewhere() -> None:
    loads = re.compile(r"""(?:import|from|fetch\(|EventSource\(|src=|href=|url\(|@import)\s*["'(`]*(?:https?:)?//""")
    files = [*(file for file in FOLDER.iterdir() if file.suffix != ".png"), *FOLDER.parent.glob("templates/*.html")]
    assert [file.name for file in files if loads.search(file.read_text())] == []


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("ink", "ground", "theme"),
    [
        *product(("ink", "soft", "sea"), ("ground", "surface", "raised", "sunken"), THEMES),
        *product(("good",), ("ground", "surface"), THEMES),
        *product(("bad",), ("ground", "surface", "bad-ground"), THEMES),
        *product(("ink",), ("found",), THEMES),
        *product(("on-deep",), ("sea-deep",), THEMES),
    ],
)
def test_text_stands_out_from_its_ground(ink: str, ground: str, theme: int) -> None:
    tokens = dict(re.findall(r"--([\w-]+): light-dark\(([^)]+)\)", (FOLDER / "pharos.css").read_text()))
    colours = [tokens[name].split(", ")[theme] for name in (ink, ground)]
    colours = [f"#{''.join(digit * 2 for digit in colour[1:])}" if len(colour) == 4 else colour for colour in colours]
    assert contrast(*colours) >= 4.5


# What a declaration brings to light, or hides: where that hangs on a pointer, something else must do the same.
REVEALS = re.compile(r"(?:^|;)\s*(?:display|visibility|opacity|clip-path|height|max-height|content)\s*:")
STRONGER = {".toast .tool:hover"}  # of what is well seen without a pointer, as is held below


def rules(css: str) -> list[tuple[str, str]]:
    """Return selector and declarations of each rule, those within a condition as well."""
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return [(one.strip(), said.strip()) for one, said in re.findall(r"([^{};]+)\{([^{}]*)\}", plain)]


def test_nothing_is_shown_to_a_pointer_alone() -> None:
    found = [
        (file.name, selector)
        for file in FOLDER.glob("*.css")
        for selector, said in rules(file.read_text())
        if ":hover" in selector and ":focus" not in selector and REVEALS.search(said) and selector not in STRONGER
    ]
    assert found == []
    assert rules("a { b: c } @media x { d:hover, e { opacity: 1; } } /* f {} */")[-1] == ("d:hover, e", "opacity: 1;")
    css = (FOLDER / "pharos.css").read_text()
    assert float(dict(rules(css))[".toast .tool"].rpartition("opacity:")[2].strip(" ;")) >= 0.7


def test_what_happens_under_a_pointer_happens_with_the_focus_as_well() -> None:
    above = re.compile(r'\["pointer(?:enter|over)", "pointer(?:leave|out)"\], \["focusin", "focusout"\]')
    alone = re.compile(r"mouseenter|mouseover|pointerenter|pointerover")
    left = {file.name: alone.findall(above.sub("", file.read_text())) for file in FOLDER.glob("*.js")}
    assert {name: found for name, found in left.items() if found} == {}
