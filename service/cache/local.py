"""L1: values in this process, for what never changes: a key here is the hash of all that its value is made from."""

from collections import OrderedDict

BYTES = 64 * 2**20  # of all values of a process
OVERHEAD = 200  # bytes of a key and its place beside a value


class Local:
    """The values used last, as many as fit."""

    def __init__(self, most: int = BYTES) -> None:
        self.most, self.size = most, 0
        self.hits = self.misses = 0
        self._values: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: bytes) -> bytes | None:
        """Return a value, None where it is not here."""
        value = self._values.get(key)
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        self._values.move_to_end(key)
        return value

    def set(self, key: bytes, value: bytes) -> None:
        """Keep a value; those used longest ago make room. What would take more than a quarter of it all is not kept."""
        if len(value) > self.most // 4:
            return
        old = self._values.pop(key, None)
        self.size += len(value) - len(old) if old is not None else len(value) + len(key) + OVERHEAD
        self._values[key] = value
        while self.size > self.most:
            gone, dropped = self._values.popitem(last=False)
            self.size -= len(dropped) + len(gone) + OVERHEAD

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()
        self.size = 0


local = Local()
