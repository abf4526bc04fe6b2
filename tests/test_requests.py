"""Requests, as the log tells of them; how they are counted: tests/monitoring/test_metrics.py."""

import json
from io import StringIO

import httpx
import pytest

from service import logs
from tests.queue.conftest import until

pytestmark = pytest.mark.integration


async def test_a_line_for_each_request_but_for_probes(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(logs, "_handler", logs.logging.StreamHandler(stream))
    monkeypatch.setattr(logs, "_requests", True)
    for path in ("/health", "/ready", "/ui/static/nothing.css", "/metrics"):
        await api.get(path)
    await api.get("/resources", params={"q": "secret words"}, headers={"X-Correlation-ID": "abc"})
    await api.get("/nowhere", headers={"Authorization": ""})
    await until(lambda: stream.getvalue().count("\n") == 2)
    known, unknown = (json.loads(line) for line in stream.getvalue().splitlines())
    assert known.pop("duration_ms") > 0
    assert known.pop("account_id") is not None
    assert known.pop("timestamp").endswith("Z")
    assert known == {
        "event": "request answered", "level": "info", "logger": "service.requests", "method": "GET",
        "path": "/resources", "route": "/resources", "status": 200, "correlation_id": "abc",
    }  # fmt: skip
    assert (unknown["route"], unknown["status"], unknown["account_id"]) == ("unknown", 404, None)
