"""The rows, by what fails: importing this package declares them."""

from tests.faults.rows import load, order, servers, web, workers

__all__ = ["load", "order", "servers", "web", "workers"]
