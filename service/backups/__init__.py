"""Backups: the whole library in one file, back from it, and whether what is there fits together.

Owns `backups`. Runs in the web process and in the `pharos` command: workers may not read who gets in, which belongs to
a backup.

    archive.py    the file: written, verified, read
    taking.py     from the database and the storage into it
    restoring.py  and back
    checking.py   what does not fit, and what can be repaired
    actions.py    the nightly backup: asked for by the timetable, taken by a web process; nights.py takes it
"""
