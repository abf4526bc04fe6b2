"""The `pharos` command: add, search, show, import, export, status, events tail, mcp over HTTP; backup, restore, check.

api.py       the server: address, credentials, calls, refusals in words
commands.py  what can be asked for
transfer.py  files of other programs in, the library out
adding.py    links, files and folders; waiting until they are read
following.py events as they happen, also after the server was away
keeping.py   backups and checks, on the installation itself; installation.py opens that
shown.py     answers for people, and for programs
"""
