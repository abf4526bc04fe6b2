"""How far somebody is with a text, and what state follows from that."""

from typing import Literal, NamedTuple, get_args

State = Literal["unread", "reading", "read", "archived"]
STATES: tuple[State, ...] = get_args(State)

END = 0.98  # of the way; what stands below the last line is not read


class Standing(NamedTuple):
    """A state, and a place in the text from 0 to 1."""

    state: State
    progress: float


def moved(before: Standing | None, state: State | None, progress: float | None) -> Standing:
    """Return where somebody stands who was at `before`, and now says a state, a place in the text, or both.

    A place alone begins what was unread and ends it at `END`; what was read or put away stays so while one looks into
    it again. A state alone moves to the start or to the end of the text where it means that.
    """
    if state is not None:
        own = {"unread": 0.0, "read": 1.0}.get(state, before.progress if before else 0.0)
        return Standing(state, own if progress is None else progress)
    place = progress or 0.0
    if before is not None and before.state in ("read", "archived"):
        return Standing(before.state, place)
    if place >= END:
        return Standing("read", place)
    begun = before is not None and before.state == "reading"
    return Standing("reading" if begun or place > 0 else "unread", place)
