"""The rows, by what fails: importing this package declares them."""

from tests.faults.rows import load, order, schedules, servers, web, workers

__all__ = ["load", "order", "schedules", "servers", "web", "workers"]
