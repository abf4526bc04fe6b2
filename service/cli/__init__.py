"""The `pharos` command, over HTTP; `backup`, `restore`, `check` on the installation itself.

commands.py     all of it put together, and how it ends
library.py      add, search, list, show, edit, delete, watch, download, tags, similar, batch
moving.py       import, imports, export
collected.py    collections, annotations, searches
trashed.py      trash, duplicates
reading.py      reading
subscribing.py  feeds, webhooks
operating.py    status, tasks, dlq, events
accounts.py     users, tokens
local.py        mcp; backup, restore, check
api.py          which server, who asks; failures in words
asking.py       how a command asks: its common options, ids from standard input, confirmation
completing.py   what a shell offers after TAB
adding.py       links, files and folders; waiting until they are read; transfer.py: ZIPs of files
keeping.py      backups and checks; installation.py opens the installation
shown.py        answers for people, and for programs
"""
