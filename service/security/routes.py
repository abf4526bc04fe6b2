"""HTTP for signing in and out, tokens, users."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.security import accounts, audit, invitations, sessions, tokens
from service.security.accounts import Username
from service.security.authentication import known
from service.security.invitations import Registration
from service.security.login_links import redeem_login_link
from service.security.passwords import Password, hash_password
from service.security.permissions import PUBLIC, Role, Scope
from service.security.sessions import SignedIn, Visitor, drop_cookie, set_cookie, sign_in
from service.security.tables import User
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route

Shown = Annotated[SecretStr, Field(max_length=1024)]  # a password as somebody claims it to be


class Login(Shape):
    """A username and its password."""

    username: str = Field(max_length=64)
    password: Shown


class LoginCode(Shape):
    """The code of a one-time link."""

    code: str = Field(max_length=200)


class LoginView(BaseModel):
    """A new session: use `token` as a bearer token; browsers have it as a cookie as well."""

    token: str
    expires_at: datetime


class SessionView(BaseModel):
    """A sign-in: since when, until when, from where; `current` is the one that asks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None
    current: bool = False


class NewPassword(Shape):
    """The new password, and the present one where there is one."""

    password: Password
    current: Shown | None = None


class NewToken(Shape):
    """What a token is called, may do, and until when."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    scopes: list[Scope] = Field(min_length=1, max_length=10)
    expires_at: AwareDatetime | None = None

    @field_validator("expires_at")
    @classmethod
    def _ahead(cls, value: datetime | None) -> datetime | None:
        if value is not None and value <= datetime.now(UTC):
            raise ValueError("must lie in the future")
        return value


class TokenView(BaseModel):
    """A token without its secret, of which `key` is the part that may be shown: `pharos_<key>_...`."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    key: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None


class NewTokenView(TokenView):
    """A new token with its secret, which is shown this once."""

    token: str


class NewUser(Shape):
    """A user to add."""

    username: Username
    password: Password
    role: Role = "reader"


class UserChange(Shape):
    """What an admin may change of a user."""

    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class UserView(BaseModel):
    """A user, as admins see them."""

    id: UUID
    username: str
    role: Role
    disabled: bool
    created_at: datetime


class NewInvitation(Shape):
    """What the invited will be, and for how many days the invitation is good."""

    role: Role = "reader"
    days: int = Field(7, ge=1, le=90)


class InvitationView(BaseModel):
    """An invitation without its code; `user_id` is who invited."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    role: Role
    created_at: datetime
    expires_at: datetime


class NewInvitationView(InvitationView):
    """A new invitation with its code, which is shown this once."""

    code: str


class AuditQuery(Paged):
    """Which entries: of one action, or by or about one user."""

    action: audit.Action | None = None
    user_id: UUID | None = None


class AuditView(BaseModel):
    """One entry of the audit log: who (`actor_id`) did what, about whom or what, from where."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    timestamp: datetime
    action: str
    actor_id: UUID | None
    subject_id: UUID | None
    address: str | None
    correlation_id: str
    detail: dict[str, Any]


class Me(BaseModel):
    """Who asks, and what this credential may do."""

    id: UUID
    username: str
    role: Role
    scopes: list[Scope]


async def login(request: Request) -> Response:
    """Sign in with a password."""
    shape = await parse(request, Login)
    return _signed_in(request, await sign_in(shape.username, shape.password.get_secret_value(), Visitor.of(request)))


async def login_by_link(request: Request) -> Response:
    """Sign in with the code of a one-time link."""
    return _signed_in(request, await redeem_login_link((await parse(request, LoginCode)).code, Visitor.of(request)))


async def join(request: Request) -> Response:
    """Make an account of your own, with the code of an invitation, and sign in."""
    shape, visitor = await parse(request, Registration), Visitor.of(request)
    signed_in = await invitations.register(shape.username, shape.password.get_secret_value(), shape.code, visitor)
    return _signed_in(request, signed_in, 201)


async def logout(request: Request) -> Response:
    """Sign out: end the session that this request came with."""
    who = request.scope["account"]
    if who is not None:
        await sessions.sign_out(who, _address(request))
        known.forget(who.id)
    response = no_content()
    drop_cookie(response, request)
    return response


async def set_password(request: Request) -> Response:
    """Set your own password; your other sessions end."""
    shape, who = await parse(request, NewPassword), account(request)
    current = shape.current.get_secret_value() if shape.current else None
    await sessions.change_password(who, shape.password.get_secret_value(), current, _address(request))
    known.forget(who.id)
    return no_content()


async def list_sessions(request: Request) -> Response:
    """List where you are signed in."""
    paged, who = query(request, Paged), account(request)
    async with reading() as session:
        found = await sessions.list_sessions(session, who)
    shown = found[paged.offset : paged.offset + paged.limit]
    views = [
        SessionView.model_validate(one).model_copy(update={"current": one.id == who.credential_id}) for one in shown
    ]
    return page(views, len(found), paged)


async def end_session(request: Request) -> Response:
    """Sign out somewhere else: end one of your sessions."""
    who, id = account(request), path_id(request, what="session")
    async with transaction() as session:
        await sessions.end_session(session, who, id)
        await audit.record(session, "session_ended", who.id, id, _address(request))
    known.forget(who.id)
    return no_content()


async def create_token(request: Request) -> Response:
    """Make an API token; its secret is answered this once."""
    shape, who = await parse(request, NewToken), account(request)
    async with transaction() as session:
        token, secret = await tokens.create_token(session, who, shape.name, shape.scopes, shape.expires_at)
        await audit.record(session, "token_created", who.id, token.id, _address(request), scopes=token.scopes)
    view = NewTokenView(**TokenView.model_validate(token).model_dump(), token=secret)
    return respond(view, 201, {"Location": f"/auth/tokens/{token.id}", "Cache-Control": "no-store"})


async def list_tokens(request: Request) -> Response:
    """List your API tokens, without their secrets."""
    paged = query(request, Paged)
    async with reading() as session:
        total, found = await tokens.list_tokens(session, account(request), paged.limit, paged.offset)
    return page([TokenView.model_validate(token) for token in found], total, paged)


async def revoke_token(request: Request) -> Response:
    """Make one of your API tokens void."""
    who, id = account(request), path_id(request, what="token")
    async with transaction() as session:
        await tokens.revoke_token(session, who, id)
        await audit.record(session, "token_revoked", who.id, id, _address(request))
    known.forget(who.id)
    return no_content()


async def create_user(request: Request) -> Response:
    """Add a user."""
    shape = await parse(request, NewUser)
    password_hash = await hash_password(shape.password.get_secret_value())
    async with transaction() as session:
        user = await accounts.create_user(session, shape.username, shape.role, password_hash)
        by = account(request).id
        await audit.record(session, "user_created", by, user.id, _address(request), role=user.role)
    return respond(_view(user), 201, {"Location": f"/users/{user.id}"})


async def list_users(request: Request) -> Response:
    """List users by name."""
    paged = query(request, Paged)
    async with reading() as session:
        total, users = await accounts.list_users(session, paged.limit, paged.offset)
    return page([_view(user) for user in users], total, paged)


async def change_user(request: Request) -> Response:
    """Change a user's role, set a new password, disable or enable them."""
    shape, id = await parse(request, UserChange), path_id(request, what="user")
    password_hash = await hash_password(shape.password.get_secret_value()) if shape.password else None
    async with transaction() as session:
        user = await accounts.change_user(
            session, id, role=shape.role, disabled=shape.disabled, password_hash=password_hash
        )
        change = shape.model_dump(exclude={"password"}, exclude_none=True) | {"password": password_hash is not None}
        await audit.record(session, "user_changed", account(request).id, id, _address(request), **change)
    known.forget(id)
    return respond(_view(user))


async def invite(request: Request) -> Response:
    """Invite somebody; the code of the invitation is answered this once."""
    shape, by = await parse(request, NewInvitation), account(request).id
    async with transaction() as session:
        invitation, code = await invitations.invite(session, by, shape.role, shape.days)
        await audit.record(session, "invited", by, invitation.id, _address(request), role=shape.role)
    view = NewInvitationView(**InvitationView.model_validate(invitation).model_dump(), code=code)
    return respond(view, 201, {"Location": f"/invitations/{invitation.id}", "Cache-Control": "no-store"})


async def list_invitations(request: Request) -> Response:
    """List the invitations that nobody used yet, without their codes."""
    paged = query(request, Paged)
    async with reading() as session:
        total, found = await invitations.list_invitations(session, paged.limit, paged.offset)
    return page([InvitationView.model_validate(invitation) for invitation in found], total, paged)


async def withdraw_invitation(request: Request) -> Response:
    """Make an invitation void."""
    id = path_id(request, what="invitation")
    async with transaction() as session:
        await invitations.withdraw(session, id)
        await audit.record(session, "invitation_withdrawn", account(request).id, id, _address(request))
    return no_content()


async def audit_log(request: Request) -> Response:
    """List who got in or was refused, and who changed what anybody may do, newest first."""
    asked = query(request, AuditQuery)
    async with reading() as session:
        total, found = await audit.entries(
            session, asked.limit, asked.offset, action=asked.action, user_id=asked.user_id
        )
    return page([AuditView.model_validate(entry) for entry in found], total, asked)


async def me(request: Request) -> Response:
    """Tell who you are and what you may do."""
    who = account(request)
    return respond(Me(id=who.id, username=who.username, role=who.role, scopes=sorted(who.scopes)))


def _signed_in(request: Request, signed_in: SignedIn, status: int = 200) -> Response:
    view = LoginView(token=signed_in.secret, expires_at=signed_in.expires_at)
    response = respond(view, status, {"Cache-Control": "no-store"})
    set_cookie(response, request, signed_in)
    return response


def _view(user: User) -> UserView:
    fields: dict[str, Any] = {name: getattr(user, name) for name in ("id", "username", "role", "created_at")}
    return UserView(**fields, disabled=user.disabled_at is not None)


def _address(request: Request) -> str | None:
    return Visitor.of(request).address


# fmt: off
routes = [
    route("POST", "/auth/login", login, scope=PUBLIC, takes=Login, gives=LoginView),
    route("POST", "/auth/link", login_by_link, scope=PUBLIC, takes=LoginCode, gives=LoginView),
    route("POST", "/auth/logout", logout, scope=PUBLIC, status=204),
    route("POST", "/auth/register", join, scope=PUBLIC, takes=Registration, gives=LoginView, status=201),
    route("GET", "/auth/sessions", list_sessions, scope="read", queries=Paged, gives=Listed[SessionView]),
    route("DELETE", "/auth/sessions/{id}", end_session, scope="read", status=204),
    route("PUT", "/auth/password", set_password, scope="read", takes=NewPassword, status=204),
    route("POST", "/auth/tokens", create_token, scope="read", takes=NewToken, gives=NewTokenView, status=201),
    route("GET", "/auth/tokens", list_tokens, scope="read", queries=Paged, gives=Listed[TokenView]),
    route("DELETE", "/auth/tokens/{id}", revoke_token, scope="read", status=204),
    route("GET", "/users/me", me, scope="read", gives=Me),
    route("POST", "/users", create_user, scope="admin", takes=NewUser, gives=UserView, status=201),
    route("GET", "/users", list_users, scope="admin", queries=Paged, gives=Listed[UserView]),
    route("PUT", "/users/{id}", change_user, scope="admin", takes=UserChange, gives=UserView),
    route(
        "POST", "/invitations", invite, scope="admin", takes=NewInvitation, gives=NewInvitationView, status=201
    ),
    route("GET", "/invitations", list_invitations, scope="admin", queries=Paged, gives=Listed[InvitationView]),
    route("DELETE", "/invitations/{id}", withdraw_invitation, scope="admin", status=204),
    route("GET", "/audit", audit_log, scope="admin", queries=AuditQuery, gives=Listed[AuditView]),
]
# fmt: on
