"""Logs: one JSON object a line, or lines for people (`PHAROS_LOG_FORMAT=console`).

What is logged of each task and each request (`work`) takes a short way: a worker begins and ends 20,000 tasks a second.
Its lines are written together, once per turn of the event loop.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog

from service.settings import settings

_tasks = _requests = False
_handler: "logging.StreamHandler[TextIO] | None" = None
_lines: list[bytes] = []


def tasks() -> bool:
    """Tell whether the begin and the end of each task are logged (`PHAROS_LOG_TASKS`)."""
    return _tasks


def requests() -> bool:
    """Tell whether each request is logged (`PHAROS_LOG_REQUESTS`)."""
    return _requests


def work(event: str, logger: str, facts: Mapping[str, Any]) -> None:
    """Log what was done, in the words of `event`; on an event loop. Facts are JSON."""
    if settings().log_format == "console":
        structlog.get_logger(logger).info(event, **facts)
        return
    if not _lines:
        asyncio.get_running_loop().call_soon(_write)
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    _lines.append(orjson.dumps({**facts, "event": event, "level": "info", "logger": logger, "timestamp": moment}))


def _write() -> None:
    text = b"\n".join(_lines).decode() + "\n"
    _lines.clear()
    if _handler is not None and _handler.lock is not None:
        with _handler.lock:  # as every other line: none is written into another
            _handler.stream.write(text)
            _handler.flush()


def configure() -> None:
    """Send everything that this process logs, by structlog or by logging, to standard error in one format."""
    global _tasks, _requests, _handler
    _tasks, _requests = settings().log_tasks, settings().log_requests
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if settings().log_format == "console"
        else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("uvicorn.access", "service.pool"):  # each request, each change of the pool
        logging.getLogger(name).setLevel(logging.WARNING)
