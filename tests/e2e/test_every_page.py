"""Every page that there is: an audit finds nothing, it fits 320 px, and a cold load is small."""

from pathlib import Path

import pytest
from starlette.routing import Route

from service.ui.operations import routes as operations
from service.ui.routes import routes
from tests.e2e.conftest import Open
from tests.e2e.test_library import call, note, violations
from tests.e2e.test_page import AUDIT, fits

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LARGEST = 120 * 1024  # bytes of a cold load
NO_PAGES = {"/", "/ui", "/ui/items", "/ui/search/results", "/ui/documents/rows", "/ui/manifest.webmanifest"}
# What needs more than a library to be there is audited where that is made.
ELSEWHERE = {
    "/ui/quizzes/{id}": "test_studying.py",
    "/ui/quizzes/{id}/take": "test_studying.py",
    "/ui/sessions/{id}": "test_studying.py",
    "/ui/authors/{id}": "test_library.py",
    "/ui/public/digest/confirm": "test_first_run.py",
    **{one.path: "test_operations.py" for one in operations if isinstance(one, Route)},
}
PUBLIC = {"/ui/login", "/ui/join", "/ui/public/collections/{id}", "/ui/public/digest/unsubscribe"}
REFUSED = {"/ui/public/digest/unsubscribe"}  # without its secret, it says so

PAGES = sorted(
    one.path
    for one in routes
    if isinstance(one, Route) and "GET" in (one.methods or ()) and one.path not in NO_PAGES | set(ELSEWHERE)
)

COLD = "performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"


def test_what_is_audited_elsewhere_is_there() -> None:
    known = {one.path for one in routes if isinstance(one, Route)}
    assert set(ELSEWHERE) <= known
    for file in set(ELSEWHERE.values()):
        assert "violations" in (Path(__file__).parent / file).read_text()


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (320, False)])
def test_an_audit_finds_nothing_on_any_page(open_page: Open, width: int, dark: bool) -> None:
    page = open_page(width, dark=dark)
    page.goto("/ui/")
    id = note(page, f"Seen from every side, {width}", tags=["light"], authors=["Ines Marlow"])
    collection = call(page, "POST", "/collections", {"name": f"Every page {width}", "visibility": "public"})["id"]
    call(page, "POST", f"/collections/{collection}/resources", {"resource_ids": [id]})
    category = call(page, "GET", "/taxonomy")["items"][0]["id"]  # pyright: ignore[reportIndexIssue]
    ids = {"/ui/resources/{id}": id, "/ui/categories/{id}": category}
    found: list[str] = []
    for path in PAGES:
        shown = open_page(width, dark=dark, signed_in=path not in PUBLIC)  # with nothing in its cache
        if path in REFUSED:
            shown = shown.context.new_page()  # the status is a line in the console
        address = path.replace("{id}", str(ids.get(path, collection))).replace("{path:path}", "nowhere")
        answer = shown.goto(address)
        assert answer is not None
        assert answer.status < 400 or path in REFUSED or "{path:path}" in path, (address, answer.status)
        found += [f"{address}: {fault}" for fault in (*shown.evaluate(AUDIT), *violations(shown))]
        if not fits(shown):
            found.append(f"{address} is wider than {width}")
        if not 0 < (size := shown.evaluate(COLD)) <= LARGEST:
            found.append(f"{address}: {size:,} bytes")
        shown.context.close()
    assert found == []
