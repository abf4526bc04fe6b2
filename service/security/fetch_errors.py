"""What can go wrong when something is fetched.

FetchError 502
├── Unreachable            no connection; tasks try again
│   └── UnknownHost        the name does not exist
├── UntrustedCertificate
├── FetchTimeout           tasks try again
├── BrokenResponse         tasks try again
├── HttpRefused            an answer with an error status
│   └── HttpBusy           429 or 5xx; tasks try again
├── TooManyRedirects
└── BodyTooLarge 413
"""

from service.errors import PharosError


class FetchError(PharosError):
    """{url} could not be fetched."""

    status = 502


class Unreachable(FetchError):
    """{host} cannot be reached: {reason}."""

    transient = True


class UnknownHost(Unreachable):
    """There is no host with the name {host}."""

    transient = False


class UntrustedCertificate(FetchError):
    """The certificate of {host} cannot be trusted: {reason}."""


class FetchTimeout(FetchError):
    """{host} did not send the whole page within {seconds:g} s."""

    transient = True


class BrokenResponse(FetchError):
    """{host} sent an answer that cannot be read: {reason}."""

    transient = True


class HttpRefused(FetchError):
    """{host} answered {code} {phrase}: {meaning}."""


class HttpBusy(HttpRefused):
    """{host} answered {code} {phrase}: {meaning}. It may work later."""

    transient = True


class TooManyRedirects(FetchError):
    """{url} redirects {reason}."""


class BodyTooLarge(FetchError):
    """{url} is larger than {megabytes:g} MB, the limit for a {kind}."""

    status = 413
