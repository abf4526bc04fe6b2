"""Notifications by e-mail: what somebody has not read yet, once a day or once a week, at an hour of theirs.

It owns who wants one and where to, and the letters. The timetable finds whose hour has come (`actions.announce_due`)
and emits digest.due; the task sends one letter. It calls nobody.

A letter is made once per hour that somebody chose, whoever looks and however often. It is sent by whoever takes it, and
given back after `sending.LEASE`. What SMTP leaves open: a mail server may take a letter, and the worker die before it
can write that down; or the connection may break after the last byte and before the answer. Then it is sent once more,
under the same Message-ID, by which mail programs recognise it.
"""
