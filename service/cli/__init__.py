"""The `pharos` command: add, search, show, import, export, status, events tail, over the HTTP API.

api.py       the server: address, credentials, calls, refusals in words
commands.py  what can be asked for
transfer.py  files of other programs in, the library out
adding.py    links, files and folders; waiting until they are read
following.py events as they happen, also after the server was away
shown.py     answers for people, and for programs
"""
