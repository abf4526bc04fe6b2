"""What people type, and what is made of it."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from service.database import reading
from service.errors import Invalid
from service.search.query import (
    LONGEST,
    EmptyQuery,
    NoWords,
    OnlyExclusions,
    QueryTooLong,
    Term,
    WordTooLong,
    parse,
    tsquery,
)


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ("python", "'python'"),
        ("machine learning", "('machine' & 'learning')"),
        ("machine AND learning", "('machine' & 'learning')"),
        ("python OR java", "('python' | 'java')"),
        ("a b OR c", "(('a' & 'b') | 'c')"),
        ("programming NOT python", "(!'python' & 'programming')"),
        ("programming -python", "(!'python' & 'programming')"),
        ("and or not", "('and' & 'or' & 'not')"),
        ('"neural network"', "'neural network'"),
        ('deep "neural network" -java', "('neural network' & !'java' & 'deep')"),
        ('-"neural network" deep', "(!'neural network' & 'deep')"),
        ("comput*", "'comput':*"),
        ("comput* scien*", "('comput':* & 'scien':*)"),
        ("(a OR b) c", "(('a' | 'b') & 'c')"),
        ("(a OR b) AND c", "(('a' | 'b') & 'c')"),
        ("NOT (a OR b) c", "(!('a' | 'b') & 'c')"),
        ("lights (mostly lamps) of ships", "('lights' & 'mostly' & 'lamps' & 'of' & 'ships')"),
        ("a OR (b c)", "('a' | ('b' & 'c'))"),
        ("a OR (b AND (c OR -d))", "('a' | ('b' & ('c' | !'d')))"),
        ("twice twice", "'twice'"),
        ("asyncio.run", "'asyncio run'"),
        ("10.1000/xyz-12", "'10 1000 xyz 12'"),
        ("O'Reilly", "'O''Reilly'"),
        ("naïve café", "('naïve' & 'café')"),
        ("灯台", "'灯台'"),
    ],
)
def test_a_query_is_read(text: str, strict: str) -> None:
    assert parse(text).strict == strict


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ('"neural network', "'neural network'"),
        ("((a", "'a'"),
        ("a))) b", "('a' & 'b')"),
        ("AND a", "'a'"),
        ("a AND", "'a'"),
        ("a OR", "'a'"),
        ("a OR OR b", "('a' | 'b')"),
        ("() a", "'a'"),
        ("--a", "'a'"),
        ("a - b", "('a' & 'b')"),
        ('a ""', "'a'"),
        ("a *", "'a'"),
        ("' OR 1=1 --", "'1 1'"),
        ("a' | b:* & !c <-> d", "('b':* & 'a''' & 'c' & 'd')"),
        ("\\'; DROP", "'DROP'"),
    ],
)
def test_what_makes_no_sense_is_left_out(text: str, strict: str) -> None:
    assert parse(text).strict == strict


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EmptyQuery),
        (" \t\n", EmptyQuery),
        ("AND OR NOT", NoWords),
        ("!!! &| <->", NoWords),
        ("🎉 🎊", NoWords),
        ("(((", NoWords),
        ("-python", OnlyExclusions),
        ("NOT (a OR b)", OnlyExclusions),
        ("a" * (LONGEST + 1), QueryTooLong),
        ("a" * 201, WordTooLong),
    ],
)
def test_what_cannot_be_searched_for_is_told(text: str, error: type[Invalid]) -> None:
    with pytest.raises(error) as raised:
        parse(text)
    assert raised.value.status == 422
    assert "{" not in raised.value.detail


def test_bare_words_may_be_matched_in_part_but_signs_hold() -> None:
    query = parse('deep learning "neural network" -java')
    assert query.partly == {Term("deep"), Term("learning")}
    assert query.demand == "('neural network' & !'java')"
    assert not query.only_excludes


def test_operators_make_every_word_a_demand() -> None:
    query = parse("python OR java")
    assert query.strict == query.demand
    assert query.partly == set()


def test_bare_words_demand_nothing() -> None:
    query = parse("deep learning")
    assert query.demand is None
    assert query.only_excludes


def test_brackets_as_in_prose_demand_nothing() -> None:
    query = parse("lights (mostly lamps) of ships")
    assert query.demand is None
    assert [term.text for term in query.bare] == ["lights", "mostly", "lamps", "of", "ships"]


def test_a_compound_may_be_matched_in_part_unless_it_has_a_digit() -> None:
    assert parse("high-speed flow").partly == {Term("high"), Term("speed"), Term("flow")}
    assert parse("high-speed").weighed == [Term("high"), Term("speed")]
    assert parse("10.1000/182").partly == {Term("10 1000 182")}
    assert parse('"high-speed"').weighed == [Term("high speed")]


def test_an_unfinished_query_ends_with_the_beginning_of_a_word() -> None:
    assert parse("neural netw", unfinished=True).strict == "('neural' & 'netw':*)"
    assert parse("neural netw ", unfinished=True).strict == "('neural' & 'netw')"
    assert parse("neural netw", unfinished=True).demand is None


def test_a_sentence_is_read_for_its_meaning_as_it_stands() -> None:
    assert parse("Who lights the lamp, and the lamp?").meaning == "Who lights the lamp, and the lamp?"
    assert parse('lamp "north sea" -war').meaning == "lamp north sea"


def test_five_hundred_brackets_are_a_query() -> None:
    assert parse("(" * 500 + "lamp" + ")" * 400).strict == "'lamp'"
    assert parse("a OR (b AND " * 80 + "lamp").terms == [Term("a"), Term("b"), Term("lamp")]


@given(st.text(max_size=LONGEST))
def test_any_text_is_a_query_or_a_clear_refusal(text: str) -> None:
    with suppress(Invalid):
        query = parse(text)
        assert query.strict
        assert query.terms


@given(st.lists(st.sampled_from(["(", ")", "AND", "OR", "NOT", "-", '"', "a", "b*", "x-y", "it's"]), max_size=200))
def test_any_mixture_of_signs_is_a_query_or_a_clear_refusal(tokens: list[str]) -> None:
    with suppress(Invalid):
        query = parse(" ".join(tokens))
        assert query.strict.count("(") == query.strict.count(")")
        assert query.strict.count("'") % 2 == 0


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.text("ab'\\:&|!*<>()\"-% é灯́\t", max_size=40) | st.text(max_size=30), min_size=10, max_size=10))
@example(["a':*", "\\'", "((a OR -b* NOT", "'; DROP TABLE resources; --", "NOT (" * 150 + "a", "x" * 200, "灯" * 200])
async def test_postgresql_understands_whatever_is_parsed(pharos: object, texts: list[str]) -> None:
    async with reading() as session:
        for asked in texts:
            with suppress(Invalid):
                query = parse(asked.replace("\x00", ""))
                for condition in (query.strict, query.demand, *map(tsquery, query.weighed)):
                    if condition is not None:
                        understood = sql("SELECT numnode(to_tsquery('english', :q)) >= 0")  # else it raises
                        assert await session.scalar(understood, {"q": condition})
