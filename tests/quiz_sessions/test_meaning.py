"""Short answers with the model server: another wording is seen, and its absence stops nobody."""

import httpx
import pytest

from service.quiz_sessions.similarity import nearness
from tests.inference.conftest import server, socket
from tests.model_server import ModelServer
from tests.quiz_sessions.conftest import begun, quiz, saved, short, submitted
from tests.quiz_sessions.test_scoring import LENS, asked

__all__ = ["server", "socket"]

pytestmark = pytest.mark.integration

POINT = {"text": "Plants turn sunlight into chemical energy.", "terms": ["photosynthesis"]}


async def test_another_wording_is_near_and_nonsense_is_far(server: ModelServer) -> None:
    one = asked("short_answer", {"text": "...", "key_points": [POINT]})
    said = ["Vegetation converts the light of the sun into chemical energy", "Ships pass the reef at night"]
    [[near], [far]] = await nearness([one, one], said)
    assert near is not None
    assert far is not None
    assert near > 0.6 > 0.3 > far
    assert await nearness([asked("true_false", {"value": True}), LENS], [True, None]) == [[], []]


async def test_an_answer_by_meaning_earns_most_of_the_points(ada: httpx.AsyncClient, server: ModelServer) -> None:
    session = await begun(ada, await quiz(ada, short(POINT)))
    said = "Vegetation converts the light of the sun into chemical energy"
    await saved(ada, session, {session["questions"][0]["id"]: said})
    result = await submitted(ada, session)
    assert result["percentage"] == 83.3
    assert result["questions"][0]["verdict"] == {"key_points": [{"text": POINT["text"], "credit": 0.5}]}


async def test_without_the_model_server_words_decide(ada: httpx.AsyncClient) -> None:
    assert await nearness([LENS], ["thin"]) == [[]]
    session = await begun(ada, await quiz(ada, short(POINT)))
    await saved(ada, session, {session["questions"][0]["id"]: "By photosynthesis."})
    assert (await submitted(ada, session))["percentage"] == 100.0
