"""Faults: every row of the table that the task engine is held to, against real servers and processes.

    python -m tests.faults [--quick] [--peer] [ROW ...]      `make faults`; 1 where a mark is missed
    pytest -m faults                                         `make faults-quick`: the short forms

rows/          one function for each row, with parameters for its short and its long forms
row.py         what a row is, what it found, and which marks it missed
site.py        Redis, PostgreSQL and workers that are ours to kill
proxy.py       stands before a server and hangs up
ledger.py      what was accepted, beside what the tasks did: lost, duplicates, back to work
program.py     the tasks, and our worker
peer.py        the same tasks in a stock Dramatiq worker
supervised.py  our supervisor over such workers
report.py      the table
"""
