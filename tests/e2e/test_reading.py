"""The page of a resource tells the library how long it was read."""

import time
from uuid import uuid4

import pytest

from tests.e2e.conftest import Open

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_a_page_tells_how_long_it_was_read_and_a_glance_tells_nothing(open_page: Open, address: str) -> None:
    page = open_page()
    title = f"Lighthouses {uuid4()}"
    made = page.request.post(
        "/resources", data={"title": title, "content": f"All about {title}."}, headers={"Origin": address}
    )
    assert made.status == 201, made.text()
    page.clock.install()
    before = page.request.get("/recommendations/profile").json()["total_interactions"]
    for seconds in (2, 42):
        page.goto(f"/ui/resources/{made.json()['id']}")
        page.get_by_role("heading", name=title).wait_for()
        page.clock.fast_forward(1000 * seconds)
        page.goto("/ui/")
    deadline = time.monotonic() + 15
    while (known := page.request.get("/recommendations/profile").json()["total_interactions"]) == before:
        assert time.monotonic() < deadline  # it is sent while the page goes
        page.wait_for_load_state()
    assert known == before + 1
