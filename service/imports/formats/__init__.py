"""Formats of other programs: each module reads bytes into entries, and says of what it cannot read where and why."""
