"""`python -m service.cli`: the `pharos` command."""

from service.cli.commands import main

if __name__ == "__main__":
    main()
