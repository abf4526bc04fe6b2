"""How a text is set for reading: font, size, leading, measure, and whether lines are filled.

Kept in a cookie of the browser and not with the account: what is comfortable depends on the screen and the room. The
server writes it into the page that it sends, so that nothing changes its look after it was drawn.
"""

from dataclasses import dataclass
from itertools import zip_longest

COOKIE = "pharos_reader"
FONTS = ("serif", "sans", "spaced")
SIZES = ("1", "2", "3", "4", "5", "6", "7")
LEADINGS = ("tight", "normal", "loose")
MEASURES = ("narrow", "normal", "wide")
EDGES = ("ragged", "justified")


@dataclass(frozen=True, slots=True)
class Typography:
    """One choice of each; the cookie has them in this order, by dots."""

    font: str = "serif"
    size: str = "3"
    leading: str = "normal"
    measure: str = "normal"
    edge: str = "ragged"

    @classmethod
    def read(cls, cookie: str | None) -> "Typography":
        """Read the cookie; what is missing or unknown is as it is for everybody."""
        given = (cookie or "").split(".")[:5]
        known = (FONTS, SIZES, LEADINGS, MEASURES, EDGES)
        usual = cls()
        names = ("font", "size", "leading", "measure", "edge")
        chosen = {
            name: value if value in allowed else getattr(usual, name)
            for name, allowed, value in zip_longest(names, known, given)
        }
        return cls(**chosen)
