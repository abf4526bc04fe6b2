"""Our supervisor over the workers of `program.py`: `python -m tests.faults.supervised`."""

import os
import sys

from service.settings import settings
from workers.supervisor import programs, scaling, supervisor
from workers.supervisor.__main__ import main
from workers.supervisor.programs import Program


def worker(number: int) -> Program:
    """Return the `number`th worker."""
    command = (sys.executable, "-m", "dramatiq", "tests.faults.program", "--processes", "1", "--threads", "1")
    return Program(f"worker-{number}", command)


if __name__ == "__main__":
    programs.programs = lambda settings: []
    programs.worker = worker
    programs.MIGRATION = Program("migrate", ("true",), once=True)
    scaling.IDLE = float(os.environ.get("SCALING_IDLE", scaling.IDLE))
    sys.exit(main() if "workers" in sys.argv else supervisor.run(settings()))
