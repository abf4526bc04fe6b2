"""Events to browsers: a hub in each web process reads the log as it grows and hands it to the open streams.

    relay  --ring()-->  Redis pub/sub  --doorbell-->  hub  --position > cursor-->  streams of those who may see it

The bell carries nothing: the log is the truth, and is looked at each second as well, so that a lost ring costs a
second and no event. A stream that resumes is registered first, then replays the log from where it was, then leaves
out what comes a second time: nothing falls between the two.

    bell.py      tells every hub that the log has grown
    frames.py    an event as it goes over the wire, in both formats; which ones are progress
    listener.py  what one stream was not sent yet: slow ones get the last progress only, then are ended
    hub.py       reads the log, hands it out, ends the streams of who may not listen any more
    stream.py    server-sent events
    socket.py    WebSockets
    codes.py     why a WebSocket is closed
    routes.py    `/events/stream` and `/ws`
"""
