"""The supervisor: one process that owns the embedded servers, the web server, the model server, workers, timetable.

__main__.py   the command line: up, down, status, scale, logs, and run (which `up` puts into the background)
programs.py   THE TABLE of what runs, in the order of starting
child.py      one running program: start, stop, its lines for the log, when to start it again
supervisor.py starts them, keeps them running, stops them in stages
scaling.py    how many workers the work needs
control.py    the Unix socket through which the other commands ask it
machine.py    what can be wrong with the machine: busy port, full disk, processes that were left behind
mode.py       in containers, or embedded: which this installation is
commands.py   what the commands do and say, embedded
compose.py    the same in containers, by way of compose.yaml
readiness.py  what is missing until Pharos is ready
"""
