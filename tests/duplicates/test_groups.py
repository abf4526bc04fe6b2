"""Sets of what is alike, joined."""

from uuid import UUID

from service.duplicates.groups import Group, joined

A, B, C, D, E = (UUID(int=n) for n in range(5))


def test_what_has_a_member_in_common_is_one_group() -> None:
    assert joined([("text", [A, B]), ("address", [C, D]), ("near", [D, A]), ("near", [E, D])]) == [
        Group([A, B, C, D, E], ["text", "address", "near"])
    ]


def test_what_has_none_in_common_stays_apart() -> None:
    assert joined([("text", [A, B]), ("near", [D, C])]) == [Group([A, B], ["text"]), Group([D, C], ["near"])]
    assert joined([]) == []
