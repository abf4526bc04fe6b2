"""How a parser process ended: the fixed-size note that its zygote adds after whatever the process wrote."""

import os
import signal
import struct
from dataclasses import dataclass
from typing import Self

NOTE = struct.Struct("!4siiiQ")
MAGIC = b"DONE"
OUT_OF_MEMORY = 77  # exit code


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a process: its exit code, or the signal that killed it; `expired` when its time was over."""

    exit_code: int
    signal: int
    expired: bool
    memory: int  # bytes resident at most

    @classmethod
    def of(cls, status: int, expired: bool, memory: int) -> Self:
        """Read a wait status."""
        if os.WIFSIGNALED(status):
            return cls(0, os.WTERMSIG(status), expired, memory)
        return cls(os.WEXITSTATUS(status), 0, expired, memory)

    @classmethod
    def crash(cls) -> Self:
        """Return the verdict on a process that had to be given up."""
        return cls(1, 0, False, 0)

    @property
    def success(self) -> bool:
        return self.exit_code == 0 and self.signal == 0

    @property
    def signal_name(self) -> str:
        return signal.Signals(self.signal).name if self.signal else f"exit code {self.exit_code}"

    def pack(self) -> bytes:
        return NOTE.pack(MAGIC, self.exit_code, self.signal, self.expired, self.memory)

    @classmethod
    def split(cls, received: bytes | bytearray) -> tuple[memoryview, Self] | None:
        """Split what came over the socket into the process's output and the note; None when there is no note."""
        if len(received) < NOTE.size:
            return None
        magic, exit_code, number, expired, memory = NOTE.unpack_from(received, len(received) - NOTE.size)
        if magic != MAGIC:
            return None
        return memoryview(received)[: -NOTE.size], cls(exit_code, number, bool(expired), memory)
