"""What one open stream was not sent yet.

A reader that does not keep up gets of each progress only the last one, at most four times a second; one that falls
behind even so is ended, to come back and resume.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from time import monotonic
from uuid import UUID

from service.live.frames import Frame
from service.security.credentials import Credential

BEHIND = 1000  # events that a stream may be behind
SLOW = 0.05  # seconds that a write may take of a reader that keeps up
EVERY = 0.25  # seconds between two writes to one that does not


class End(Enum):
    """Why a stream is over."""

    STOPPED = "this process stops"
    BEHIND = "the reader is too far behind"
    REVOKED = "the account may not listen any more"


class Listener:
    """One open stream's side of the hub: what its account may see and was not sent yet."""

    def __init__(self, account_id: UUID, credential: Credential) -> None:
        self.account_id, self.credential = account_id, credential
        self.end: End | None = None
        self.since = 0  # the position after which it hears everything
        self._frames: list[Frame] = []
        self._woken = asyncio.Event()
        self._slow = False
        self._wrote = 0.0

    def offer(self, frames: Sequence[Frame]) -> None:
        """Queue what this account may see; too much ends the stream."""
        if self.end is not None:
            return
        self._frames += [frame for frame in frames if frame.audience is None or frame.audience == self.account_id]
        if len(self._frames) > BEHIND:
            self._frames = latest(self._frames)
            if len(self._frames) > BEHIND:
                del self._frames[BEHIND:]
                self.finish(End.BEHIND)
        if self._frames:
            self._woken.set()

    def finish(self, why: End) -> None:
        """Let the stream end after what is queued; who may not listen any more gets nothing of that either."""
        if self.end is None:
            self.end = why
        if why is End.REVOKED:
            self._frames.clear()
        self._woken.set()

    def wake(self) -> None:
        """Let `take` return, with what there is."""
        self._woken.set()

    async def take(self, patience: float | None = None) -> list[Frame]:
        """Return what is queued, as soon as there is something; nothing after `patience` seconds or when it is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()
                if self._slow and self.end is None:
                    await asyncio.sleep(self._wrote + EVERY - monotonic())
        if self.end is None:
            self._woken.clear()
        frames, self._frames = self._frames, []
        return latest(frames) if self._slow else frames

    def wrote(self, seconds: float) -> None:
        """Note how long a write took: it shows whether the reader keeps up."""
        self._slow, self._wrote = seconds > SLOW, monotonic()


def latest(frames: Sequence[Frame]) -> list[Frame]:
    """Leave out progress that a later frame has overtaken; the order stays."""
    last = {frame.progress: frame for frame in frames if frame.progress}
    return [frame for frame in frames if frame.progress is None or last[frame.progress] is frame]


def beyond(frames: Sequence[Frame], sent: int) -> tuple[list[Frame], int]:
    """Return those frames that come after a position, and the position after them; what only passes always comes."""
    new = [frame for frame in frames if frame.position is None or frame.position > sent]
    return new, max((frame.position for frame in new if frame.position is not None), default=sent)
