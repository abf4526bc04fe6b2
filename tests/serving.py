"""An application of the suite on a port of 127.0.0.1, for programs and clients that speak over a socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from tests.queue.conftest import until


@asynccontextmanager
async def serving(application: Starlette, port: int = 0) -> AsyncGenerator[str]:
    """Serve it for the block, and yield its address."""
    config = uvicorn.Config(application, "127.0.0.1", port, lifespan="off", log_config=None)
    config.timeout_graceful_shutdown = 1
    served = uvicorn.Server(config)
    running = asyncio.create_task(served.serve())
    await until(lambda: served.started)
    yield f"http://127.0.0.1:{served.servers[0].sockets[0].getsockname()[1]}"
    served.should_exit = True
    await running
