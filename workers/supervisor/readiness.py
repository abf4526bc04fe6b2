"""What is missing until Pharos is ready, asked of its web server."""

import http.client
import json
from typing import Any

from service.errors import PharosError
from workers.supervisor.machine import reachable


class NotReady(PharosError):
    """Pharos is not ready after {seconds:.0f} s: {reason}
    It keeps trying. `make logs` shows what it does, `make down` stops it."""


def missing(host: str, port: int, workers: int) -> str:
    """Return what is missing until Pharos is ready with so many workers; an empty string means nothing."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=5)
    try:
        connection.request("GET", "/ready")
        checks: dict[str, Any] = json.loads(connection.getresponse().read())["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return f"the web server does not answer ({error})."
    finally:
        connection.close()
    wrong = [f"{name}: {check.get('error', 'not ready')}" for name, check in checks.items() if not check["ok"]]
    if not wrong and checks["workers"]["count"] < workers:
        wrong = [f"workers: {checks['workers']['count']} of {workers} are there"]
    return "; ".join(wrong)
