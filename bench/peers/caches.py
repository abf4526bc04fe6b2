"""Other ways to forget all keys of a kind, each as it is commonly written: `python caches.py URL WAY KEYS ROUNDS`.

`keys` is KEYS and DEL, `scan` is SCAN and UNLINK, `tags` a set of the keys of a tag, `cashews` its `delete_match`. Each
forgets `ROUNDS` times; the keys are put back in between, which is not timed. Prints a JSON list of milliseconds.
"""

import asyncio
import json
import sys
from time import perf_counter

from redis.asyncio import Redis

STEP = 10_000


async def fill(client: Redis, keys: int, tagged: bool) -> None:
    for begin in range(0, keys, STEP):
        names = [f"search_query:{number}" for number in range(begin, min(begin + STEP, keys))]
        pipe = client.pipeline(transaction=False)
        pipe.mset(dict.fromkeys(names, b"x" * 100))
        if tagged:
            pipe.sadd("tag:search_query", *names)
        await pipe.execute()


async def forget(client: Redis, way: str) -> None:
    match way:
        case "keys":
            found = await client.keys("search_query:*")
            for begin in range(0, len(found), STEP):
                await client.delete(*found[begin : begin + STEP])
        case "scan":
            batch: list[bytes] = []
            async for key in client.scan_iter("search_query:*", count=1000):
                batch.append(key)
                if len(batch) == 1000:
                    await client.unlink(*batch)
                    batch.clear()
            if batch:
                await client.unlink(*batch)
        case _:
            found = list(await client.smembers("tag:search_query"))
            for begin in range(0, len(found), STEP):
                await client.unlink(*found[begin : begin + STEP])
            await client.delete("tag:search_query")


async def main(url: str, way: str, keys: int, rounds: int) -> list[float]:
    took: list[float] = []
    async with Redis.from_url(url) as client:
        for _ in range(rounds):
            await fill(client, keys, way == "tags")
            if way == "cashews":
                from cashews import Cache

                cache = Cache()
                cache.setup(url, client_side=False)
                began = perf_counter()
                await cache.delete_match("search_query:*")
                took.append(1000 * (perf_counter() - began))
                await cache.close()
            else:
                began = perf_counter()
                await forget(client, way)
                took.append(1000 * (perf_counter() - began))
        await client.flushdb()
    return took


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
