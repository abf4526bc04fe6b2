"""The library for assistants, by the Model Context Protocol: `pharos mcp` on stdio, and streamable HTTP under `/mcp`.

Owns nothing. Every tool is one call of the HTTP interface with the token that came along: who may do what, limits,
validation and events are those of that call, and there is no second way to them.

    library.py  the HTTP interface as tools call it
    tools.py    search, read, cite, add, list_collections
    citing.py   a resource as BibTeX and as CSL-JSON
    serving.py  streamable HTTP, started by the first request
    stdio.py    `pharos mcp`
"""
