"""Events as they happen, from the server's stream; when it ends, or the server was away, on from the last one."""

import json
import time
from collections.abc import Iterator
from typing import Any

from service.cli.api import UNREACHABLE, Api, Trouble

PAUSE = 1.0  # seconds before the stream is asked for again


def follow(api: Api) -> Iterator[dict[str, Any]]:
    """Yield events; raises Trouble for what waiting does not mend."""
    last, answered = "", False
    while True:
        try:
            for line in api.stream("/events/stream", {"Last-Event-ID": last} if last else {}):
                answered = True
                if line.startswith("id: "):
                    last = line.removeprefix("id: ")
                elif line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
        except Trouble as trouble:
            if not (answered and trouble.status == UNREACHABLE):
                raise
        time.sleep(PAUSE)
