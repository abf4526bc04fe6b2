"""The server as the command sees it."""

import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from service.settings import Settings

ROOT = Path(__file__).parents[2]
TIMEOUT = 30.0  # seconds for an answer; an upload may take longer
UNREACHABLE = 3  # exit status


class Trouble(Exception):
    """What failed, in words, and the exit status that says so."""

    def __init__(self, words: str, status: int = 1) -> None:
        super().__init__(words)
        self.status = status


class Api:
    """One server, and who asks it.

    From `--server` and `--token`, else PHAROS_SERVER and PHAROS_TOKEN, else a Pharos in this folder.
    """

    def __init__(self, server: str | None, token: str | None) -> None:
        self.server = (server or os.environ.get("PHAROS_SERVER") or _local_server()).rstrip("/")
        token = token or os.environ.get("PHAROS_TOKEN") or _local_token()
        headers = self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(base_url=self.server, headers=headers, timeout=TIMEOUT, trust_env=False)
        except (httpx.InvalidURL, ValueError) as error:
            raise Trouble(f"{self.server} is not the address of a server: {error}", 2) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the answer; raises Trouble."""
        return self._call("GET", path, params={name: value for name, value in parameters.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON and return the answer; raises Trouble."""
        return self._call("POST", path, json=body)

    def delete(self, path: str) -> Any:
        """Delete what is there and return the answer; raises Trouble."""
        return self._call("DELETE", path)

    def upload(self, path: str, file: Path, fields: Mapping[str, str]) -> Any:
        """Send a file as it is read, and return the answer; raises Trouble."""
        with file.open("rb") as stream:
            return self._call("POST", path, files={"file": (file.name, stream)}, data=fields, timeout=None)

    def health(self, path: str) -> Any:
        """Return what a health check says, whatever its status."""
        return self._call("GET", path, accepted=(200, 503))

    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of an answer that goes on; raises Trouble."""
        try:
            quiet = httpx.Timeout(TIMEOUT)  # a heartbeat comes twice as often
            with self._client.stream("GET", path, headers=headers, timeout=quiet) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Trouble(_reason(answer))
                yield from answer.iter_lines()
        except httpx.TransportError as error:
            raise Trouble(f"{self.server} cannot be reached: {error or type(error).__name__}.", UNREACHABLE) from error

    def download(self, path: str, **parameters: Any) -> Iterator[bytes]:
        """Yield an answer as it comes; raises Trouble."""
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            with self._client.stream("GET", path, params=given) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Trouble(_reason(answer))
                yield from answer.iter_bytes()
        except httpx.TransportError as error:
            raise Trouble(f"{self.server} cannot be reached: {error or type(error).__name__}.", UNREACHABLE) from error

    def _call(self, method: str, path: str, accepted: tuple[int, ...] = (), **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except (httpx.TransportError, httpx.UnsupportedProtocol) as error:
            hint = "Is it running? `make up` starts it; --server or PHAROS_SERVER says where it is."
            raise Trouble(
                f"{self.server} cannot be reached: {error or type(error).__name__}. {hint}", UNREACHABLE
            ) from error
        if answer.is_success or answer.status_code in accepted:
            try:
                return answer.json()
            except ValueError:
                raise Trouble(f"{self.server}{path} does not answer like Pharos.", UNREACHABLE) from None
        raise Trouble(_reason(answer))


def _reason(answer: httpx.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    words = str(problem.get("detail") or f"The server answers {answer.status_code} {answer.reason_phrase}.")
    for error in problem.get("errors") or []:
        place = ".".join(map(str, error.get("loc", []))) if isinstance(error, dict) else ""
        words += f"\n  {place}: {error.get('msg', '')}" if place else ""
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        words += " Give a token: --token, PHAROS_TOKEN, or the file `admin-token` that `make up` keeps in .pharos."
    return words


def home() -> Path:
    """Return the folder of a Pharos in this folder's installation."""
    given = os.environ.get("PHAROS_HOME")
    return Path(given) if given else ROOT / _installed().home


def _local_server() -> str:
    installed = _installed()
    return f"http://{installed.host}:{installed.port}"


def _installed() -> "Settings":
    """Return the settings that `make up` starts this installation with: the environment's, else those of its `.env`."""
    from service.settings import Settings  # here: who names a server needs none of them

    return Settings(_env_file=ROOT / ".env")  # pyright: ignore[reportCallIssue] -- one of pydantic-settings


def _local_token() -> str | None:
    file = home() / "admin-token"
    try:
        return file.read_text().strip() or None
    except OSError:
        return None
