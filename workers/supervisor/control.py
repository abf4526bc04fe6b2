"""The supervisor's Unix socket: one JSON line asks, one JSON line answers."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any


async def serve(path: Path, answer: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> asyncio.Server:
    """Listen on `path`, which only its owner may reach, and answer each line."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await answer(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # whoever asked has gone, or does not speak our language
        finally:
            writer.close()

    path.unlink(missing_ok=True)  # noqa: ASYNC240
    return await asyncio.start_unix_server(talk, path)


def ask(path: Path, do: str, **arguments: Any) -> dict[str, Any] | None:
    """Ask the supervisor behind `path`; None when there is none, or when it does not answer within 5 s."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile() as lines:
                line = lines.readline()
    except OSError:
        return None
    return json.loads(line) if line else None
