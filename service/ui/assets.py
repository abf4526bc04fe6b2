"""Static files, under addresses that change with their content, so that browsers may keep them for good."""

from functools import cache
from gzip import compress
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
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


@cache
def _small(name: str) -> bytes | None:
    """Return a text file compressed; they are public, so that compression tells nobody anything."""
    return compress((FOLDER / name).read_bytes(), 9, mtime=0) if name.endswith((".css", ".js", ".svg")) else None


class Assets(StaticFiles):
    """Serves `/ui/static/<name>`, checked again each time, and `/ui/static/<version>/<name>`, kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, name = path.partition("/")
        response = await super().get_response(name or path, scope)
        response.headers["Cache-Control"] = FOREVER if name and version == VERSION else "public, no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        small = _small(name or path) if "gzip" in Headers(scope=scope).get("accept-encoding", "") else None
        if small is None or response.status_code != 200:
            return response
        headers = {name: response.headers[name] for name in ("Cache-Control", "Vary", "ETag", "Last-Modified")}
        return Response(small, headers={**headers, "Content-Encoding": "gzip"}, media_type=response.media_type)
