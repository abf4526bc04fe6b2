"""`python -m workers.supervisor up|down|status|scale N|logs|update|run|workers|web|migrate|link`."""

import argparse
import asyncio
import os
import sys

from pydantic import ValidationError

from service.errors import PharosError
from service.settings import Settings, settings
from workers.supervisor import commands, compose, machine, mode, programs, supervisor
from workers.supervisor.scaling import Range

DRIVERS = {"embedded": commands, "compose": compose}


def main() -> int:
    """Run one command and return its exit code; what is wrong goes to standard error in words."""
    parser = argparse.ArgumentParser(prog="python -m workers.supervisor")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up", help="start Pharos and wait until it is ready")
    actions.add_parser("down", help="stop Pharos; data stays")
    actions.add_parser("status", help="show the processes")
    actions.add_parser("scale", help="change the number of workers").add_argument("workers", type=int)
    actions.add_parser("logs", help="follow the log")
    actions.add_parser(
        "update", help="run the code that is here now: containers one after another, else everything anew"
    )
    actions.add_parser("run", help="be the supervisor, in the foreground")
    alone = actions.add_parser("workers", help="run workers only, as many as the work needs, in the foreground")
    alone.add_argument("--min", type=int, default=1, help="workers at least (1)")
    alone.add_argument("--max", type=int, default=8, help="workers at most (8)")
    actions.add_parser("migrate", help="bring the database to the newest schema")
    actions.add_parser("web", help="be the web server, in the foreground")
    actions.add_parser("link", help="print the code of a one-time login link of the account admin")
    arguments = parser.parse_args()
    try:
        configuration = settings()
        match arguments.action:
            case "up":
                machine.make_home(configuration.home.resolve())
                return DRIVERS[mode.choose(configuration)].up(configuration)
            case "down":
                return DRIVERS[mode.current(configuration)].down(configuration)
            case "status":
                return DRIVERS[mode.current(configuration)].status(configuration)
            case "scale":
                return DRIVERS[mode.current(configuration)].scale(configuration, arguments.workers)
            case "logs":
                return DRIVERS[mode.current(configuration)].logs(configuration)
            case "update":
                return DRIVERS[mode.current(configuration)].update(configuration)
            case "workers":
                if not 1 <= arguments.min <= arguments.max:
                    parser.error(f"--min {arguments.min} --max {arguments.max}: 1 <= min <= max")
                return supervisor.run(configuration, Range(arguments.min, arguments.max))
            case "run":
                return supervisor.run(configuration)
            case "web":
                command = programs.web(configuration).command
                os.execv(command[0], command)  # noqa: S606
            case "link":
                sys.stdout.write(asyncio.run(commands.login_code()) + "\n")
                return 0
            case _:
                asyncio.run(_migrate(configuration))
                return 0
    except ValidationError as error:
        for wrong in error.errors():
            name = "PHAROS_" + "_".join(map(str, wrong["loc"])).upper()
            sys.stderr.write(f"{name} cannot be {wrong['input']!r}: {wrong['msg']}.\n")
        return 1
    except PharosError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads us, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


async def _migrate(settings: Settings) -> None:
    from service import connections, database  # not above: the supervisor stays small without them
    from service.migrations import migrate

    await migrate(settings.database_url or "", settings.worker_database_url)
    async with database.connected("supervisor", size=1, overflow=0):
        if few := await connections.check(settings):
            sys.stderr.write(f"{few}\n")


if __name__ == "__main__":
    sys.exit(main())
