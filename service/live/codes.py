"""Why a WebSocket is closed: RFC 6455, 7.4.1, and codes of our own from 4400 on, after the statuses of HTTP.

After STOPPED, TRY_LATER and BEHIND a client connects again and resumes; after the others it would get the same again.
"""

from enum import IntEnum


class Code(IntEnum):
    """The code of a close frame."""

    UNSUPPORTED = 1003  # a binary message
    FLOOD = 1008  # more messages, or more bytes, than anybody needs
    TOO_LARGE = 1009  # a message above 64 KB
    STOPPED = 1012  # the process stops or is replaced
    TRY_LATER = 1013  # too many sockets are open, or something that we need is away
    MALFORMED = 4400  # text that is no message of this protocol
    UNAUTHENTICATED = 4401  # no token in time, or one that is wrong, expired, revoked, or of a disabled account
    FORBIDDEN = 4403  # a token without the scope `read`
    BEHIND = 4408  # the client reads more slowly than things happen
