"""Keys, entries and L1, each by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cache import keys
from service.cache.entries import LARGEST, Damaged, TooLargeToKeep, pack, seal_of, unpack
from service.cache.local import OVERHEAD, Local

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(st.text(), JSON | st.binary(), st.binary(max_size=200), st.text(max_size=50))
def test_what_is_packed_is_unpacked(key: str, value: object, seal: bytes, stamp: str) -> None:
    packed = pack(key, value, seal, stamp)
    assert unpack(key, packed) == (seal, stamp, value)
    assert seal_of(packed) == seal_of(packed[:300]) == seal


@given(st.text(), st.text())
def test_no_key_opens_what_is_another_s(one: str, other: str) -> None:
    packed = pack(one, 1, b"")
    if one != other:
        with pytest.raises(Damaged):
            unpack(other, packed)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        unpack("resource:1", data)


def test_what_unpacks_to_too_much_is_damaged() -> None:
    with pytest.raises(TooLargeToKeep):
        pack("a", b"\0" * (LARGEST + 1), b"")
    assert unpack("a", pack("a", b"\0" * LARGEST, b"")).value == b"\0" * LARGEST


@given(st.text(alphabet="ab:*#\n", max_size=12))
def test_a_key_is_below_all_that_it_begins_with(key: str) -> None:
    generations = keys.place(key).generations
    parts = key.split(":")
    for depth in range(1, min(len(parts), keys.DEPTH) + 1):
        assert keys.generation(":".join(parts[:depth])) in generations
    assert {keys.generation(""), keys.generation(key)} <= {*generations}
    assert len(generations) <= keys.DEPTH + 2


@given(st.text(alphabet="ab:", max_size=12), st.text(alphabet="ab*?[]", max_size=4))
def test_a_pattern_takes_at_least_what_it_matches(beginning: str, end: str) -> None:
    name = keys.name_of(f"{beginning}*{end}")
    assert beginning.startswith(name)
    assert name == "" or beginning[len(name) :].startswith(":")


@pytest.mark.parametrize("key", ["a", "a b\n", "#", "x" * 10_000, "\udc80"])
def test_names_in_redis_are_short_and_different(key: str) -> None:
    place = keys.place(key)
    assert max(map(len, [place.entry, place.lease, *place.generations])) < 256
    assert len({place.entry, place.lease, *place.generations}) == 2 + len(place.generations)


def test_l1_never_holds_more_than_it_may() -> None:
    local = Local(10_000)
    for number in range(1000):
        local.set(b"%d" % number, b"x" * (number % 700))
        assert local.size <= 10_000
    assert local.get(b"999") == b"x" * 299
    assert local.get(b"0") is None
    assert (local.hits, local.misses) == (1, 1)
    kept = len(local)
    local.set(b"large", b"x" * 2501)
    assert len(local) == kept


def test_l1_keeps_what_is_used() -> None:
    local = Local(10 * (OVERHEAD + 2))
    for number in range(10):
        local.set(b"%d" % number, b"x")
    assert local.get(b"0") == b"x"
    local.set(b"a", b"x")
    assert (local.get(b"0"), local.get(b"1")) == (b"x", None)
    local.set(b"0", b"")
    local.clear()
    assert (len(local), local.size) == (0, 0)
