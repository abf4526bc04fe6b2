"""The language model that writes questions: one request, its retries, and what all of them may cost."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from service.database import Statement, transaction
from service.errors import PharosError
from service.security.addresses import Allowlist
from service.security.destinations import BadUrl, host_of, port_of
from service.security.egress import BrokenResponse, Egress, FetchError, HttpBusy, Limits, Unreachable
from service.security.fetch_errors import FetchTimeout
from service.settings import settings

LARGEST = 2_000_000  # bytes of an answer
ANSWER_TOKENS = 4_000
PER_TOKEN = 3  # characters, at least: what a request costs is reserved before it is known
PAUSE = 0.5  # seconds before the first retry; doubles

# A day's row is the lock of its budget: what is reserved together never exceeds it.
_RESERVE = Statement(
    """INSERT INTO quiz_model_usage AS u (day, tokens)
    SELECT CAST(now() AT TIME ZONE 'UTC' AS date), CAST(:tokens AS bigint) WHERE CAST(:tokens AS bigint) <= :most
    ON CONFLICT (day) DO UPDATE SET tokens = u.tokens + excluded.tokens WHERE u.tokens + excluded.tokens <= :most
    RETURNING tokens"""
)
_CORRECT = Statement(
    """UPDATE quiz_model_usage SET tokens = greatest(0, tokens + CAST(:difference AS bigint))
    WHERE day = CAST(now() AT TIME ZONE 'UTC' AS date)"""
)


class ModelFailed(PharosError):
    """The language model gave nothing that can be used: {reason}."""


class BudgetSpent(ModelFailed):
    """The language model may not be asked any more {until}: its tokens are used up."""


@dataclass(slots=True)
class Model:
    """The model of the settings, for one quiz; `spent` are the tokens that it has cost."""

    egress: Egress
    url: str
    spent: int = 0

    async def answer(self, messages: list[dict[str, str]], response_format: dict[str, Any]) -> str:
        """Return what the model answers; raises ModelFailed, BudgetSpent."""
        chosen = settings()
        payload = {
            "model": chosen.llm_model,
            "messages": messages,
            "temperature": 0.4,
            "max_tokens": ANSWER_TOKENS,
            "response_format": response_format,
        }
        reserved = sum(len(message["content"]) for message in messages) // PER_TOKEN + ANSWER_TOKENS
        if self.spent + reserved > chosen.llm_tokens_quiz:
            raise BudgetSpent(until="for this quiz")
        async with transaction() as session:
            if not await session.fetch(_RESERVE, tokens=reserved, most=chosen.llm_tokens_day):
                raise BudgetSpent(until="today")
        used = reserved
        try:
            body = await self._post(payload)
            text, used = _read(body, reserved)
            return text
        finally:
            self.spent += used
            if used != reserved:
                async with transaction() as session:
                    await session.fetch(_CORRECT, difference=used - reserved)

    async def _post(self, payload: dict[str, Any]) -> bytes:
        key = settings().llm_api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        failed = 0
        while True:
            try:
                answer = await self.egress.post(self.url, orjson.dumps(payload), headers, max_bytes=LARGEST)
                return answer.body
            except (FetchError, BadUrl) as error:
                again = isinstance(error, HttpBusy | BrokenResponse | Unreachable | FetchTimeout)
                if not again or failed == settings().llm_retries:
                    raise ModelFailed(reason=error.detail) from error
            await asyncio.sleep(PAUSE * 2**failed)
            failed += 1


def _read(body: bytes, reserved: int) -> tuple[str, int]:
    """Return the text of an answer and the tokens that it says it cost."""
    try:
        answer = orjson.loads(body)
        text = answer["choices"][0]["message"]["content"]
        used = (answer.get("usage") or {}).get("total_tokens")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelFailed(reason="its answer is not that of a chat completion") from error
    if not isinstance(text, str):
        raise ModelFailed(reason="its answer has no text")
    return text, used if type(used) is int and 0 <= used <= 10 * reserved else reserved


def endpoint(base: str) -> str:
    """Return the address of chat completions below the configured one."""
    return base if base.rstrip("/").endswith("/chat/completions") else f"{base.rstrip('/')}/chat/completions"


def egress_to(url: str) -> Egress:
    """Return an HTTP client that may reach the configured server, wherever it is, and nothing else that is private."""
    parsed = httpx.URL(url)
    host = f"[{host_of(parsed)}]" if ":" in host_of(parsed) else host_of(parsed)
    seconds = settings().llm_seconds
    return Egress(
        allow=Allowlist.parse([f"{host}:{port_of(parsed)}"]), limits=Limits(total=seconds, page=LARGEST, file=LARGEST)
    )
