"""What was accepted, beside what the tasks did. The tasks' log is append-only and has no unique key."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

EFFECTS = "EFFECTS"  # the variable that names the log


class Effect(NamedTuple):
    """A line of the tasks' log."""

    what: str
    n: int
    pid: int
    at: float
    detail: int


def note(what: str, n: int, detail: int = 0) -> None:
    """Append one line, in one write."""
    with open(os.environ[EFFECTS], "a") as file:
        file.write(f"{what} {n} {os.getpid()} {time.time()} {detail}\n")


class Ledger:
    """The producer's log and the tasks' log of one run."""

    def __init__(self, effects: Path) -> None:
        self.accepted: dict[int, float] = {}  # number of a job -> when it was accepted
        self._effects, self._read = effects, 0
        self._known: list[Effect] = []

    def accept(self, numbers: Iterable[int]) -> None:
        at = time.time()
        self.accepted |= {n: at for n in numbers}

    @property
    def effects(self) -> list[Effect]:
        """All lines, in the order of writing."""
        if self._effects.exists():
            with self._effects.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                for what, n, pid, at, detail in (line.split() for line in whole.decode().splitlines()):
                    self._known.append(Effect(what, int(n), int(pid), float(at), int(detail)))
        return self._known

    def all(self, what: str) -> list[Effect]:
        return [effect for effect in self.effects if effect.what == what]

    @property
    def starts(self) -> list[Effect]:
        return self.all("start")

    @property
    def ends(self) -> list[Effect]:
        return self.all("end")

    @property
    def missing(self) -> set[int]:
        """The jobs that were accepted and have not ended: lost, or stuck."""
        return self.accepted.keys() - {effect.n for effect in self.ends}

    @property
    def repeated(self) -> int:
        """How many starts there were beyond one for each job."""
        return repeated(self.starts)

    def back_at(self, since: float) -> float:
        """Return the seconds from `since` until a job was started, infinite where none was."""
        return min((effect.at for effect in self.starts if effect.at > since), default=float("inf")) - since

    def rescued_after(self, since: float, pids: Iterable[int]) -> float:
        """Return the seconds until all was started again that these processes, killed at `since`, had started.

        0 where they ran nothing; infinite where something was never started again.
        """
        dead = set(pids)
        begun: defaultdict[int, list[Effect]] = defaultdict(list)
        for effect in self.starts:
            begun[effect.n].append(effect)
        ended = {effect.n for effect in self.ends if effect.pid in dead and effect.at <= since}
        waits = [
            min((again.at for again in begun[n] if again.pid not in dead), default=float("inf")) - since
            for n in {effect.n for effect in self.starts if effect.pid in dead} - ended
        ]
        return max(waits, default=0.0)

    def latencies(self, numbers: Iterable[int]) -> list[float]:
        """Return the seconds from acceptance to the first end of these jobs."""
        first: dict[int, float] = {}
        for effect in self.ends:
            first.setdefault(effect.n, effect.at)
        return [first.get(n, float("inf")) - self.accepted[n] for n in numbers]


def repeated(effects: Iterable[Effect]) -> int:
    """Return how many effects there are beyond one for each job."""
    return sum(count - 1 for count in Counter(effect.n for effect in effects).values())


def percentile(values: list[float], percent: float) -> float:
    """Return the value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
