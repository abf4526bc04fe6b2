"""Benchmarks: every figure that we print, one command each: `python -m bench NAME`, all of them without a name.

    __main__.py     runs benchmarks, stores what they report, writes docs/BENCHMARKS.md
    report.py       Report: figures with their repeats, marks met or missed, what was checked
    documents.py    a report as JSON, as a plot, and all reports as docs/BENCHMARKS.md
    servers.py      PostgreSQL, Valkey, our web process and the peers' virtual environment, all of them for one run
    load.py         the load generator, a process of its own
    peers/          what others would have built; installed from bench/requirements.lock, never with the product

A benchmark is a module with `run() -> Report`; some have a small form, `quick() -> Report`. It runs its peers in turn
within one run, since figures of a shared machine drift, and checks in PostgreSQL and Redis that the work was done.
"""
