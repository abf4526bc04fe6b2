"""Which author a name means, by what speaks for each."""

from uuid import UUID

from service.authors.matching import Candidate, choose
from service.authors.names import Name, parse


def name(written: str) -> Name:
    found = parse(written)
    assert found is not None
    return found


def known(number: int, *written: str, orcid: str = "", coauthors: int = 0, subjects: int = 0) -> Candidate:
    return Candidate(UUID(int=number), [name(one) for one in written], {orcid} if orcid else set(), coauthors, subjects)


def chosen(written: str, *candidates: Candidate) -> tuple[int, str] | None:
    found = choose(name(written), candidates)
    return None if found is None else (found[0].int, found[1])


def test_the_key_alone_decides_nothing() -> None:
    assert chosen("J. Smith", known(1, "John Smith")) is None
    assert chosen("J. Smith", known(1, "J. Smith")) is None
    assert chosen("Plato", known(1, "Plato")) is None


def test_a_second_sign_decides() -> None:
    assert chosen("J. Smith", known(1, "John Smith", coauthors=1)) == (1, "coauthor")
    assert chosen("J. Smith", known(1, "John Smith", subjects=1), known(2, "Jane Smith")) == (1, "subject")
    assert chosen("Jane Smith", known(1, "John Smith", coauthors=9)) is None


def test_more_signs_decide_between_two_and_equal_ones_do_not() -> None:
    both = known(1, "John Smith", coauthors=1), known(2, "Jane Smith", coauthors=1, subjects=1)
    assert chosen("J. Smith", *both) == (2, "coauthor")
    assert chosen("J. Smith", known(1, "John Smith", coauthors=1), known(2, "Jane Smith", coauthors=1)) is None


def test_a_whole_name_decides_where_one_author_has_it() -> None:
    assert chosen("Smith, John", known(1, "John Smith")) == (1, "name")
    assert chosen("John Smith", known(1, "John Smith"), known(2, "John Smith")) is None
    assert chosen("John Smith", known(1, "John Smith"), known(2, "John Smith", subjects=1)) == (2, "subject")
    assert chosen("NASA", known(1, "NASA")) == (1, "name")


def test_an_identifier_is_stronger_than_a_name() -> None:
    orcid, other = "0000-0002-1825-0097", "0000-0001-5109-3700"
    assert chosen(f"J. Carberry {orcid}", known(1, "Josiah Carberry", orcid=orcid)) == (1, "identifier")
    assert chosen(f"Josiah Carberry {orcid}", known(1, "Josiah Carberry", orcid=other, coauthors=3)) is None
    assert chosen(f"Josiah Stinkney {orcid}", known(1, "Josiah Carberry", orcid=orcid)) == (1, "identifier")
