"""What a process gives its hub."""

import resource
import subprocess
import sys


def test_a_process_may_open_a_file_for_each_stream() -> None:
    """In a process of its own: a limit that was lowered stays low."""
    program = (
        "import resource; from service.live.hub import allow_files; hard = {hard}; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); allow_files(1000); "
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for hard, soft in ((500, 500), (most, 1000)):
        done = subprocess.run(
            [sys.executable, "-c", program.format(hard=hard)], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [str(soft), str(hard)]
