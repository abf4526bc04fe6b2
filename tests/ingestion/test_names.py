from datetime import UTC, datetime

import pytest

from service.ingestion.formats.dates import date_of
from service.ingestion.formats.names import names_of


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("By Ada Lovelace", ["Ada Lovelace"]),
        ("Ada Lovelace and Charles Babbage", ["Ada Lovelace", "Charles Babbage"]),
        ("Ada Lovelace, Charles Babbage, Mary Somerville", ["Ada Lovelace", "Charles Babbage", "Mary Somerville"]),
        ("Ada Lovelace, Charles Babbage", ["Ada Lovelace", "Charles Babbage"]),
        ("Lovelace, Ada", ["Lovelace, Ada"]),
        ("Lovelace, Ada; Babbage, Charles", ["Lovelace, Ada", "Babbage, Charles"]),
        ("Martin Luther King, Jr.", ["Martin Luther King, Jr"]),
        ("Sandy Anderson", ["Sandy Anderson"]),
        ("ADA LOVELACE", ["Ada Lovelace"]),
        ("Troy Smith; Troy L Smith", ["Troy L Smith"]),
        ("Ada Lovelace; Ada Lovelace", ["Ada Lovelace"]),
        ("Tom Krisher; AP Auto Writer", ["Tom Krisher"]),
        ("Ilana Muhlstein, MS, RDN", ["Ilana Muhlstein"]),
        ("Carrie Arnold November", ["Carrie Arnold"]),
        ("admin", []),
        ("Staff Reports", []),
        ("ada@example.com", []),
        ("https://example.com/ada", []),
        ("", []),
        (None, []),
    ],
)
def test_a_line_of_authors_becomes_names(line: str | None, names: list[str]) -> None:
    assert names_of(line) == names


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019-11-20", datetime(2019, 11, 20, tzinfo=UTC)),
        ("2019-11", datetime(2019, 11, 1, tzinfo=UTC)),
        ("1851", datetime(1851, 1, 1, tzinfo=UTC)),
        ("2019-11-20T10:00:00+02:00", datetime(2019, 11, 20, 8, tzinfo=UTC)),
        ("2019-11-20T10:00:00Z", datetime(2019, 11, 20, 10, tzinfo=UTC)),
        ("D:20191120103000+02'00'", datetime(2019, 11, 20, 8, 30, tzinfo=UTC)),
        ("D:20191120103000-0530", datetime(2019, 11, 20, 16, tzinfo=UTC)),
        ("D:20191120", datetime(2019, 11, 20, tzinfo=UTC)),
        ("D:20191399", None),
        ("D:nonsense", None),
        ("0001-01-01", None),
        ("9999-01-01", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_date_is_read_or_left(text: str | None, date: datetime | None) -> None:
    assert date_of(text) == date
