"""A crowd: Locust's users, each of which searches three times as often as it reads or changes a resource.

    python -m bench.peers.locusts < plan.json > outcome.json

The user is that of the seeds' load test. Its queries differ, and every title that it sets is new, so that neither an
answer kept from the last time nor a change that changes nothing stands for work.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """How many users ask for what: for `warmup` and then `seconds` seconds, each waiting between two requests.

    Each of `probed` is changed again and again meanwhile by one more user, who searches for the new word.
    """

    port: int
    headers: Mapping[str, str]
    ids: Sequence[str]
    queries: Sequence[str]
    options: Mapping[str, str]  # of a search, besides its query
    users: int
    waits: tuple[float, float] = (1.0, 3.0)  # seconds; the seeds' user waits between one and three
    warmup: float = 4.0
    seconds: float = 20.0
    probed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: times in milliseconds, of requests answered after the warm-up; freshness in seconds."""

    answered: int
    errors: int
    reasons: list[str]
    empty: int  # searches that found nothing
    searches: int
    changed: int  # updates that were answered, with those of the warm-up and of the probes
    rate: float
    times: dict[str, list[float]] = field(repr=False)  # by kind: search, read, update
    freshness: list[float]
    unseen: int  # of these: changes that no search found in a minute

    @property
    def every(self) -> list[float]:
        """The times of all kinds together."""
        return [time for times in self.times.values() for time in times]


def drive(plan: Plan) -> Outcome:
    """Run a plan in a process of its own, in the environment of the peers."""
    from bench.servers import ROOT, inherited, peers_python

    done = subprocess.run(
        [str(peers_python()), "-m", "bench.peers.locusts"],
        input=json.dumps(asdict(plan)),
        env=inherited(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=plan.warmup + plan.seconds + 120,
    )
    if done.returncode:
        raise RuntimeError(f"Locust failed: {done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout))
