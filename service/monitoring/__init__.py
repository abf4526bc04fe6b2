"""Monitoring: what Pharos does and how it fares, for operators and for whatever watches it.

Owns `alerts` and `queue_minutes`; emits `schedule.run_requested`. Reads the event log, the queue's state, the pool.

routes.py        HTTP: events, workers, schedules, flow; tasks.py: tasks; dead_letters.py: dead letters
actions.py       what operators do, each with its entry in the audit log
readiness.py     is everything there?
patterns.py      accounts that do much more than usual
sampling.py      writes the history of the queues; history.py reads it for the plots
at_hand.py       all tasks in one list: those in Redis and those that people asked for
causes.py        what an event led to: events as a tree, and the tasks that they asked for
figures.py       today's counts, searches
"""
