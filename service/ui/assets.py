"""Static files, under addresses that change with their content, so that browsers may keep them for good."""

from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"


def _version() -> str:
    digest = sha256()
    for file in sorted(FOLDER.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


VERSION = _version()


def asset(name: str) -> str:
    """Return the address of a static file; modules that import each other by relative addresses keep its version."""
    return f"/ui/static/{VERSION}/{name}"


class Assets(StaticFiles):
    """Serves `/ui/static/<name>`, checked again each time, and `/ui/static/<version>/<name>`, kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, name = path.partition("/")
        response = await super().get_response(name or path, scope)
        response.headers["Cache-Control"] = FOREVER if name and version == VERSION else "public, no-cache"
        return response
