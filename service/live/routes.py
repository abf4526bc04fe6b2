"""The two ways to hear what happens."""

from starlette.routing import BaseRoute, WebSocketRoute

from service.live.socket import Sockets
from service.live.stream import Resume, stream_events
from service.web import route

routes: list[BaseRoute] = [
    route("GET", "/events/stream", stream_events, scope="read", queries=Resume),
    WebSocketRoute("/ws", Sockets()),
]
