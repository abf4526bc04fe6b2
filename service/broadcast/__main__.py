"""`python -m service.broadcast`: print events as they are told, and look after the dead letters of a group."""

import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from threading import Event

import orjson
from redis.exceptions import RedisError

from service.broadcast import BroadcastEvent, ConsumerGroup, EventConsumer
from service.broadcast.wire import encode
from service.errors import PharosError
from service.settings import settings


def main(arguments: list[str]) -> int:
    """Do what the command line says, and return the exit status."""
    parser = ArgumentParser("python -m service.broadcast", description=__doc__)
    parser.add_argument("--url", help="Redis, as redis://user:password@host:6379; else the one of this machine")
    commands = parser.add_subparsers(required=True, metavar="{tail,dead,retry,drop}")

    tail = commands.add_parser("tail", help="print events until it is interrupted")
    tail.add_argument("types", nargs="*", default=["*"], help="as document.uploaded, or 'quiz.*'; else all")
    tail.add_argument("--group", help="read durably, as this consumer group")
    tail.add_argument(
        "--since", type=_start, default="new", help="where a new group begins: oldest, a time, a position"
    )
    tail.add_argument("--count", type=int, default=0, help="end after so many events")
    tail.set_defaults(run=_tail)

    dead = commands.add_parser("dead", help="print the dead letters of a group")
    retry = commands.add_parser("retry", help="have a group try dead letters again")
    retry.add_argument("id", nargs="?", help="of one of them; else all")
    drop = commands.add_parser("drop", help="drop a dead letter of a group")
    drop.add_argument("id")
    for command, run in ((dead, _dead), (retry, _retry), (drop, _drop)):
        command.add_argument("--group", required=True)
        command.set_defaults(run=run)

    chosen = parser.parse_args(arguments)
    chosen.url = chosen.url or settings().broker_url or _local(settings().home)
    try:
        chosen.run(chosen)
    except KeyboardInterrupt:
        return 130
    except (PharosError, RedisError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _start(text: str) -> str | datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        return text


def _local(home: Path) -> str | None:
    """Return the address of the Redis that `make up` runs, where it does."""
    from service.embedded import Valkey

    return Valkey(home / "valkey").program_url("consumer") if (home / "valkey" / "port").exists() else None


def _tail(chosen: Namespace) -> None:
    over, seen = Event(), 0

    def show(event: BroadcastEvent) -> None:
        nonlocal seen
        if over.is_set():
            return
        seen += 1
        sys.stdout.write(line(event))
        sys.stdout.flush()
        if seen == chosen.count:
            over.set()

    consumer = EventConsumer(chosen.url, group=chosen.group, start=chosen.since)
    consumer.subscribe(chosen.types, show)
    consumer.start()
    try:
        over.wait()
    finally:
        consumer.stop()


def line(event: BroadcastEvent) -> str:
    """Return an event as a line: when, what, whom it concerns, its data as JSON."""
    data = encode(event.data.model_dump(mode="json")).decode()
    audience = "".join(filter(str.isprintable, event.audience or "")) or "-"  # a terminal obeys what is not
    return f"{event.timestamp:%Y-%m-%dT%H:%M:%S.%f%z}\t{event.event_type}\t{audience}\t{data}\n"


def _dead(chosen: Namespace) -> None:
    with ConsumerGroup(chosen.group, chosen.url) as group:
        letters = group.dead_letters()
        while letters:
            for letter in letters:
                words = orjson.dumps([letter.name, letter.error, letter.event.decode("utf-8", "replace")]).decode()
                sys.stdout.write(f"{letter.id}\t{letter.reason}\t{letter.attempts}\t{words}\n")
            letters = group.dead_letters(after=letters[-1].id)


def _retry(chosen: Namespace) -> None:
    with ConsumerGroup(chosen.group, chosen.url) as group:
        if chosen.id is None:
            sys.stdout.write(f"{group.replay_dead_letters()}\n")
        else:
            group.replay_dead_letter(chosen.id)


def _drop(chosen: Namespace) -> None:
    with ConsumerGroup(chosen.group, chosen.url) as group:
        group.discard_dead_letter(chosen.id)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
