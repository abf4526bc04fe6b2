"""Passages: their bounds, their borders, and that nothing is lost or parted that belongs together."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.documents.cutting import FEWEST, MOST, cut, tokens_in
from tests.documents.conftest import PARAGRAPH, prose
from workers.inference.model import Model


def covered(content: str, html: str | None = None) -> set[int]:
    return {place for one in cut(content, html) for place in range(one.start, one.end)}


def test_a_long_text_has_passages_within_bounds() -> None:
    content = "\n".join(f"Section {n}\n{prose(n, 5 + n * 7 % 31)}" for n in range(40))
    found = cut(content)
    assert len(found) > 30
    assert [one for one in found if not FEWEST <= one.tokens <= MOST] == []
    assert [one.tokens - tokens_in(content[one.start : one.end]) for one in found] == [0] * len(found)


def test_a_short_text_is_one_passage() -> None:
    [only] = cut(PARAGRAPH)
    assert (only.start, PARAGRAPH[only.start : only.end], only.kind) == (0, PARAGRAPH.strip(), "text")
    assert cut("") == []


def test_a_passage_begins_with_the_last_sentence_of_the_one_before() -> None:
    content = prose(1, 60)
    found = cut(content)
    for before, after in pairwise(found):
        repeated = content[after.start : before.end]
        assert repeated.count("Keeper") == 1
        assert repeated.endswith("storm.")


def test_a_passage_does_not_reach_back_over_a_heading() -> None:
    content = f"# One\n{prose(1, 12)}\nTwo\n{prose(2, 12)}"
    html = f"<h1># One</h1><p>{prose(1, 12)}</p><h1>Two</h1><p>{prose(2, 12)}</p>"
    first, second = cut(content, html)
    assert content[second.start :].startswith("Two\n")
    assert (first.heading, second.heading) == (("# One",), ("Two",))


def test_a_heading_stays_with_what_follows() -> None:
    content = f"{prose(1, 14)}\nOn ships that pass\n{prose(2, 30)}"
    for one in cut(content):
        assert not content[one.start : one.end].endswith("On ships that pass")


@pytest.mark.parametrize(("tag", "kind"), [("ul", "list"), ("table", "table")])
def test_a_list_or_table_that_fits_is_whole(tag: str, kind: str) -> None:
    entries = [f"entry {n} of the many things that a keeper had to do by himself" for n in range(20)]
    separate = "\n".join(entries) if tag == "ul" else "\n".join(f"{n}\t{entry}" for n, entry in enumerate(entries))
    inner = (
        "".join(f"<li>{entry}</li>" for entry in entries)
        if tag == "ul"
        else "".join(f"<tr><td>{n}</td><td>{entry}</td></tr>" for n, entry in enumerate(entries))
    )
    content = f"{prose(1, 14)}\n{separate}\n{prose(2, 14)}"
    html = f"<p>{prose(1, 14)}</p><{tag}>{inner}</{tag}><p>{prose(2, 14)}</p>"
    start = content.index(separate)
    holding = [one for one in cut(content, html) if one.start <= start and one.end >= start + len(separate)]
    assert [one.kind for one in holding] == [kind]


def test_a_table_that_is_too_long_is_parted_between_rows() -> None:
    rows = [f"{n}\tkeeper number {n}\tfrom {1800 + n} to {1810 + n}" for n in range(200)]
    content = "\n".join(rows)
    found = cut(content)
    assert {one.kind for one in found} == {"table"}
    assert all(set(content[one.start : one.end].split("\n")) <= set(rows) for one in found)
    assert [one for one in found if one.tokens > MOST] == []


@pytest.mark.parametrize(
    "content", ["x" * 50_000, "word " * 5000, "。".join("光" * 20 for _ in range(200)), "🌊" * 5000]
)
def test_what_has_no_sentences_is_cut_all_the_same(content: str) -> None:
    assert max(one.tokens for one in cut(content)) <= MOST
    assert len(covered(content)) >= len(content.replace(" ", ""))


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab .!?\n\t•1#|é光"), max_size=3000),
    st.text(st.sampled_from("<>/hplitrd1 ab\n"), max_size=300),
)
def test_nothing_is_lost_and_the_order_is_kept(content: str, html: str) -> None:
    found = cut(content, html)
    missing = [content[place] for place in set(range(len(content))) - covered(content, html)]
    assert [letter for letter in missing if not letter.isspace()] == []
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(0 <= one.start < one.end <= len(content) and one.tokens <= MOST for one in found)


def test_word_pieces_are_estimated_well_enough(model: Model) -> None:
    """The bounds leave room for this error; what counts is that a passage is no small multiple of what it says."""
    vocabulary = json.dumps(PARAGRAPH * 3) + prose(1) + (Path(__file__).parents[2] / "README.md").read_text()
    sample = [vocabulary[at : at + 1500] for at in range(0, len(vocabulary) - 1500, 1500)]
    pieces = [len(model._tokenizer.encode(one, add_special_tokens=False).ids) for one in sample]  # pyright: ignore
    shares = sorted(tokens_in(one) / count for one, count in zip(sample, pieces, strict=True))
    assert 0.8 < shares[len(shares) // 2] < 1.2
