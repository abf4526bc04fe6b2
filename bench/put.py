"""PUT of a resource, 32 clients, one web process: Pharos against the design that it replaces."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import redis

from bench.load import COUNTER, Outcome, Plan, drive
from bench.machine import locked, versions
from bench.report import Report
from bench.servers import LOCK, Servers, inherited, peers_python, servers, web_process
from service.migrations import migrate

ROUNDS = 3
RESOURCES = 1000
TEXT = ("A lighthouse does not run along the shore looking for boats to save; it just stands there shining. " * 20)[:2000]
BODY = json.dumps({"title": f"Title {COUNTER}", "content": f"{TEXT}{COUNTER}", "tags": ["sea", "light"]})
TOKEN = "a-token-for-the-benchmark-only"
EVENTS_OF_A_PUT = 3  # resource.updated, .content_changed, .metadata_changed
