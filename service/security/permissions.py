"""Who may do what: roles, scopes, and the rule for a single object. Pure functions, asked by every way in.

A role says what an account may ever do; the token it came with may narrow that down. A scope answers "may this
account use this route?"; `visible` and `owns` answer "this object?", where no means 404: nobody learns of what is
not theirs.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, get_args
from uuid import UUID

from service.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from service.security.accounts import Account

Role = Literal["admin", "editor", "reader", "operator"]
Scope = Literal["read", "write", "admin", "metrics"]
Public = Literal["public"]  # what an open route declares instead of a scope

PUBLIC: Final[Public] = "public"
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

ROLES: Final[dict[Role, frozenset[Scope]]] = {
    "admin": frozenset(SCOPES),
    "editor": frozenset({"read", "write"}),
    "reader": frozenset({"read"}),
    "operator": frozenset({"read", "metrics"}),  # sees how the machinery does, changes nothing
}


class MissingScope(Forbidden):
    """This needs the scope `{scope}`, which your account or the token it came with does not have."""


def effective_scopes(role: Role, granted: Iterable[str] | None = None) -> frozenset[Scope]:
    """Return what a credential may do: all that its role has, or of that only what was granted to it."""
    return ROLES[role] if granted is None else ROLES[role].intersection(granted)


def allows(account: "Account | None", scope: Scope | Public) -> bool:
    """Tell whether an account, or nobody, may use what is declared with `scope`."""
    return scope == PUBLIC or (account is not None and scope in account.scopes)


def require(account: "Account | None", scope: Scope | Public) -> None:
    """Raise Unauthenticated where an account is missing, MissingScope where it is not enough."""
    if allows(account, scope):
        return
    if account is None:
        raise Unauthenticated
    raise MissingScope(scope=scope)


def owns(account: "Account", owner_id: UUID | None) -> bool:
    """Tell whether an object belongs to the account."""
    return owner_id == account.id


def visible(account: "Account", owner_id: UUID | None, *, private: bool) -> bool:
    """Tell whether the account may see an object: shared ones always, private ones as their owner, no admin either."""
    return not private or owns(account, owner_id)
