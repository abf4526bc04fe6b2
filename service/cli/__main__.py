"""`python -m service.cli`: the `pharos` command."""

import sys

if __name__ == "__main__":
    try:
        from service.cli.commands import main  # within, so that an interrupt is no traceback however early it comes

        main()
    except KeyboardInterrupt:
        sys.exit(130)
