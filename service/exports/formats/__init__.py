"""Formats of other programs: each module writes one resource, or the frame around all of them. Pure."""
