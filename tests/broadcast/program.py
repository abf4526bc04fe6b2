"""A consumer in a process of its own: `program.py <redis url> <group> <file> <patience> [<deadly document>]`.

It writes a line for each event that it begins and ends; at the deadly document it ends itself as SIGKILL would.
"""

import os
import signal
import sys
import time
from pathlib import Path

from service.broadcast import BroadcastEvent, EventConsumer


def main(url: str, group: str, file: str, patience: str, deadly: str = "", pause: str = "0") -> None:
    with Path(file).open("a", buffering=1) as log:

        def handle(event: BroadcastEvent) -> None:
            log.write(f"begin {event.document_id} {event.event_id}\n")
            if event.document_id == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(float(pause))
            log.write(f"end {event.document_id} {event.event_id}\n")

        consumer = EventConsumer(url, group=group, patience=float(patience), start="oldest", attempts=3, backoff=0.05)
        consumer.subscribe_to_all_events(handle)
        consumer.start()
        sys.stdin.read()
        consumer.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
