"""How near an answer is to what was expected, by meaning; nothing where the model server is away."""

import asyncio
from collections.abc import Sequence

import numpy as np

from service.inference import InferenceAway, embed_query
from service.quiz_sessions.asked import Asked
from service.quiz_sessions.scoring import key_points

Near = list[float | None]

AT_ONCE = 8  # questions to the model server
KEY_POINTS = 12  # of one answer that are looked at


async def nearness(asked: Sequence[Asked], answers: Sequence[object]) -> list[Near]:
    """Return the cosines of each short answer to its key points, in their order; nothing for all others."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def vector(text: str) -> np.ndarray:
        async with turn:
            return np.frombuffer(await embed_query(text), dtype=np.float32)

    async def near(one: Asked, answer: object) -> Near:
        if one.type != "short_answer" or not isinstance(answer, str):
            return []
        wanted = key_points(one.key)[:KEY_POINTS]
        try:
            given, *expected = await asyncio.gather(vector(answer), *(vector(text) for text in wanted))
        except InferenceAway:
            return []
        return [float(given @ other) for other in expected]

    return list(await asyncio.gather(*(near(*pair) for pair in zip(asked, answers, strict=True))))
