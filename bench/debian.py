"""Real documents: Debian packages, fetched once and unpacked, not installed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pharos-bench"


def unpacked(package: str, cache: Path = CACHE) -> Path:
    """Return the folder that holds what a package holds."""
    folder = cache / package
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            subprocess.run(["apt-get", "download", "-q", package], cwd=work, check=True, stdout=sys.stderr)
            (archive,) = Path(work).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, Path(work) / "unpacked"], check=True)
            (Path(work) / "unpacked").rename(folder)
    return folder
