"""Roles, scopes, and the rule for a single object."""

from uuid import uuid4

import pytest

from service.errors import Unauthenticated
from service.security.accounts import Account
from service.security.permissions import (
    PUBLIC,
    ROLES,
    SCOPES,
    MissingScope,
    Role,
    Scope,
    allows,
    effective_scopes,
    owns,
    require,
    visible,
)


def account(role: Role = "editor", *granted: Scope) -> Account:
    return Account(uuid4(), "anna", role, effective_scopes(role, granted or None))


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("admin", {"read", "write", "admin", "metrics"}),
        ("editor", {"read", "write"}),
        ("reader", {"read"}),
        ("operator", {"read", "metrics"}),
    ],
)
def test_what_each_role_may_do(role: Role, scopes: set[Scope]) -> None:
    assert {scope for scope in SCOPES if allows(account(role), scope)} == scopes


def test_a_token_never_widens_its_role() -> None:
    assert effective_scopes("reader", ["read", "write", "admin"]) == {"read"}
    assert effective_scopes("admin", ["metrics"]) == {"metrics"}
    assert effective_scopes("admin", []) == frozenset()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_public_is_open_to_everybody(role: Role) -> None:
    assert allows(None, PUBLIC)
    assert allows(account(role), PUBLIC)


def test_nobody_is_asked_to_sign_in_and_somebody_hears_what_is_missing() -> None:
    with pytest.raises(Unauthenticated):
        require(None, "read")
    with pytest.raises(MissingScope, match="`admin`"):
        require(account("editor"), "admin")


@pytest.mark.parametrize("role", ROLES)
def test_private_objects_are_their_owners_alone(role: Role) -> None:
    anna, bert = account(role), account(role)
    assert visible(anna, anna.id, private=True)
    assert visible(anna, bert.id, private=False)
    assert not visible(anna, bert.id, private=True)
    assert (owns(anna, anna.id), owns(anna, bert.id), owns(anna, None)) == (True, False, False)
