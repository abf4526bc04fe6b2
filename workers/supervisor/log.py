"""One log for all programs: their lines with time and name, in a file that is rotated by size."""

import time
from logging import INFO, Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 20 * 2**20, 4


class Log:
    """`<home>/log/pharos.log`."""

    def __init__(self, file: Path) -> None:
        self._handler = RotatingFileHandler(file, maxBytes=_BYTES, backupCount=_FILES, delay=True)
        formatter = Formatter("%(asctime)s.%(msecs)03dZ %(name)-10s | %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self._handler.setFormatter(formatter)

    def write(self, name: str, text: str) -> None:
        """Add a line of the program `name`."""
        self._handler.emit(LogRecord(name, INFO, "", 0, text, None, None))

    def close(self) -> None:
        self._handler.close()
