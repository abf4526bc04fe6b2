"""An S3 server of the test's own."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from time import monotonic, sleep

import obstore
from obstore.store import S3Store

from service.embedded.process import free_port
from service.settings import Settings
from service.storage.bucket import Bucket

REGION = "eu-central-1"
KEY, SECRET = "reader", "secret-of-the-bucket"
_BUCKETS = count(1)


@contextmanager
def serving() -> Generator["StorageServer"]:
    """Run a server for the block."""
    server = StorageServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class StorageServer:
    """moto's server as a process on 127.0.0.1; what it holds is forgotten when it stops."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, "the S3 server ended"
            assert monotonic() < deadline, "the S3 server does not answer"
            sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None

    def make(self, bucket: str | None = None) -> str:
        """Make a bucket and return its name."""
        bucket = bucket or f"pharos-{os.getpid()}-{next(_BUCKETS)}"
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{bucket}", method="PUT"), timeout=10).close()
        return bucket

    def environment(self, url: str) -> dict[str, str]:
        """Return the settings that lead to a bucket of this server."""
        return {
            "PHAROS_STORAGE_URL": url,
            "PHAROS_STORAGE_ENDPOINT": self.url,
            "PHAROS_STORAGE_REGION": REGION,
            "PHAROS_STORAGE_ACCESS_KEY": KEY,
            "PHAROS_STORAGE_SECRET_KEY": SECRET,
        }

    def bucket(self, url: str) -> Bucket:
        """Return a bucket of this server as Pharos sees it."""
        given = {name.removeprefix("PHAROS_").lower(): value for name, value in self.environment(url).items()}
        return Bucket.configured(url, Settings(_env_file=None, **given))

    def names(self, bucket: str) -> list[str]:
        """Return the names of all objects of a bucket."""
        store = S3Store(
            bucket, endpoint=self.url, region=REGION, access_key_id=KEY, secret_access_key=SECRET,
            client_options={"allow_http": True},
        )  # fmt: skip
        return sorted(entry["path"] for found in obstore.list(store) for entry in found)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=2).close()
        except OSError:
            return False
        return True
