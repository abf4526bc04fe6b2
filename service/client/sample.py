"""The sample set: short texts to try everything with."""

from .models import SampleRemoved, SampleSet
from .transport import Transport


class Sample:
    """What you have of the sample set, for your eyes only."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self) -> SampleSet:
        """Read what you have of it."""
        return await self._transport.get(SampleSet, "/sample")

    async def load(self) -> SampleSet:
        """Add it; what is there already stays as it is."""
        return await self._transport.send(SampleSet, "POST", "/sample", None)

    async def remove(self) -> SampleRemoved:
        """Delete it for good, with all that came of it."""
        return await self._transport.send(SampleRemoved, "DELETE", "/sample", None)
