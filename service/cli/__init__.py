"""The `pharos` command: add, search, show, status, events tail, over the HTTP API; backup, restore, check beside it.

api.py       the server: address, credentials, calls, refusals in words
commands.py  what can be asked for
adding.py    links, files and folders; waiting until they are read
following.py events as they happen, also after the server was away
keeping.py   backups and checks, on the installation itself; installation.py opens that
shown.py     answers for people, and for programs
"""
