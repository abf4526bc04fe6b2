"""The short form of every row; `make faults` runs the long ones, beside stock Dramatiq."""

import pytest

from tests.faults import rows
from tests.faults.row import ROWS, Form, Row
from tests.faults.site import Site

assert rows
pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
FORMS = [pytest.param(row, form, id="-".join([row.name, *map(str, form.values())]))
         for row in ROWS.values() for form in row.short]  # fmt: skip


@pytest.mark.parametrize(("row", "form"), FORMS)
async def test_a_fault(site: Site, row: Row, form: Form) -> None:
    assert row.missed(await row.play(site, **form)) == []
