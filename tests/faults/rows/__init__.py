"""The rows, by what fails: importing this package declares them."""

from tests.faults.rows import load, servers, workers

__all__ = ["load", "servers", "workers"]
