"""One hop to Redis and back: what was sent from here and what has ended goes out, what is next comes in.

    sent from here -> done, ended otherwise -> handed back -> take

Whether a hop that got no answer was carried out, nobody knows; so it is repeated, and each of its scripts allows that.
"""

import time
from enum import IntEnum

from service.queue.delivery import Claim, Done, Outcome
from service.queue.lanes import Lanes, Load
from service.queue.link import BrokerAway
from service.queue.scripting import Call, execute, script
from service.queue.send import Packed
from service.queue.state import SUCCEEDED

OTHER_LAYOUT = -1  # what `take` answers a worker that does not know the present one
PREFETCH = 4  # claims beyond the free places at most, and no more than have ended since the last hop
SUSPECTS = 0.2  # seconds between looks after suspects, which are rare and can wait


class Left(IntEnum):
    """What a hop left in the lanes, as far as there was room for it."""

    NOTHING = 0
    MORE = 1
    SHARED = 2  # other workers should have a chance at it first


class Exchange:
    """What one worker has to tell Redis, and its turns at taking."""

    def __init__(self, worker: str, lanes: Lanes, load: Load) -> None:
        self.processed = self.failed = 0  # tasks that ended here, as Redis knows
        self._worker, self._lanes, self._load = worker, lanes, load
        self._turn, self._waits = 1, ""
        self._next_suspect = 0.0
        self._sent: list[Packed] = []
        self._done: list[bytes] = []  # id, lane, id, lane, ...
        self._ended: dict[bytes, Call] = {}  # by id
        self._handed_back: list[bytes] = []  # id, lane, id, lane, ...

    def send(self, message: Packed) -> None:
        """Send a message before the acknowledgement of what it comes from."""
        self._sent.append(message)

    def settle(self, claim: Claim, outcome: Outcome) -> None:
        """Tell how a claim ended."""
        owned = (self._worker, claim.id, claim.lane)
        if not isinstance(outcome, Done):
            settled = outcome.attempts, outcome.error, outcome.deliveries, outcome.body
            self._ended[claim.id] = Call(script("retry"), [*owned, round(outcome.delay * 1000), *settled])
        elif outcome.status != SUCCEEDED or outcome.result or claim.bounded or claim.keys is not None:
            self._ended[claim.id] = Call(script("end"), [*owned, outcome.status, outcome.result, outcome.error])
        else:
            self._done += owned[1:]

    def hand_back(self, id: bytes, lane: bytes) -> None:
        """Give a claim to whoever takes it next, and do not count its delivery."""
        self._handed_back += (id, lane)

    def settles(self) -> set[bytes]:
        """Return the ids of claims that ended, and of which Redis does not know yet."""
        return {*self._done[::2], *self._handed_back[::2], *self._ended}

    async def hop(self, *, take: bool) -> tuple[list[Claim], Left]:
        """Make one hop, and with `take` bring what is next; raises BrokerAway, then the next hop repeats this one."""
        sent, done, ended, handed_back = self._sent, self._done, self._ended, self._handed_back
        self._sent, self._done, self._ended, self._handed_back = [], [], {}, []
        calls: list[Call] = []
        if sent:
            calls.append(Call(script("add"), [argument for message in sent for argument in message]))
        if done:
            calls.append(Call(script("done"), [self._worker, *done]))
        calls += ended.values()
        if handed_back:
            calls.append(Call(script("release"), [self._worker, *handed_back]))
        # Where places fall free that quickly, what waits for one spares it the time of a hop; slow work takes none.
        ahead = min(PREFETCH, len(done) // 2 + len(ended))
        take = take and self._load.total < self._load.most + ahead
        if take:
            calls.append(self._take(ahead))
        if not calls:
            return [], Left.NOTHING
        try:
            replies = await execute(*calls)
        except BrokerAway:
            self._sent, self._done = sent + self._sent, done + self._done
            self._ended, self._handed_back = ended | self._ended, handed_back + self._handed_back
            raise
        ends = [call for call in ended.values() if call.script is script("end")]
        self.processed += len(done) // 2 + len(ends)
        self.failed += sum(call.arguments[3] == "failed" for call in ends)
        if not take:
            return [], Left.NOTHING
        left, waits, taken = replies[-1]
        if left == OTHER_LAYOUT:
            await self._lanes.read_layout()
            return [], Left.MORE
        self._turn += 1
        self._waits = waits.decode()
        claims = [Claim(*fields) for fields in taken]
        for lane in reversed(dict.fromkeys(claim.lane for claim in claims)):
            self._lanes.served(lane.decode())  # the one that had the most of this turn goes last
        return claims, Left(left)

    def _take(self, ahead: int) -> Call:
        load = self._load
        room = (load.concurrency + ahead, load.reserve, *load.claimed.values(), load.suspects)
        now = time.monotonic()
        suspects = load.suspects == 0 and now >= self._next_suspect
        if suspects:
            self._next_suspect = now + SUSPECTS
        order = self._lanes.order(suspects=suspects)
        return Call(script("take"), [self._worker, self._turn, *room, self._waits, self._lanes.layout, *order])
