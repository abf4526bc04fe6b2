"""Who may do what: `users`, `tokens`."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from service.cli import shown
from service.cli.api import USAGE, Trouble
from service.cli.asking import Json, Most, Yes, asks, confirm, group, listed

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Token, User

app = typer.Typer()
users = group(app, "users", "Accounts. `me` is for everybody, the rest for admins.")
tokens = group(app, "tokens", "Tokens of yours, for programs.")

Role = Literal["admin", "editor", "reader", "operator"]
UserName = Annotated[str, typer.Argument(help="The name of the user.")]


def _user(one: "User") -> tuple[object, ...]:
    return (one.id, one.role, "disabled" if one.disabled else None, one.username)


@asks(users)
async def me(pharos: "Client", json: Json = False) -> None:
    """Show who asks, and what the token may do."""
    found = await pharos.users.me()
    if json:
        shown.as_json(found)
    else:
        shown.facts(found)


@asks(users, "list", examples=("pharos users list", "pharos users list --json | jq -r 'select(.disabled).username'"))
async def list_users(pharos: "Client", limit: Most = None, json: Json = False) -> None:
    """List users, by name."""
    await listed(pharos.users.list(limit=limit), _user, json=json)


@asks(
    users, "add", examples=("pharos users add ada --role editor", "pwgen 20 1 | pharos users add ada --password-stdin")
)
async def add_user(
    pharos: "Client",
    username: UserName,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = "reader",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    json: Json = False,
) -> None:
    """Add a user, with a password that is asked for."""
    made = await pharos.users.create(username, _password(from_stdin=password_stdin), role=role)
    if json:
        shown.as_json(made)
    else:
        shown.row(*_user(made))


@asks(users, "edit", examples=("pharos users edit ada --role admin", "pharos users edit ada --disable"))
async def edit_user(
    pharos: "Client",
    username: UserName,
    role: Annotated[Role | None, typer.Option(help="What the user may do.")] = None,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether the user may get in; tokens are void at once.")
    ] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Ask for a new one.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read it from standard input.")] = False,
    json: Json = False,
) -> None:
    """Change a user's role or password, keep a user out or let them in again."""
    password = _password(from_stdin=password_stdin) if new_password or password_stdin else None
    if role is None and disabled is None and password is None:
        raise Trouble("Nothing is to be changed: say what, as --role.", USAGE)
    found = [one async for one in pharos.users.list() if username in (one.username, str(one.id))]
    if not found:
        raise Trouble(f"There is no user {username}.")
    changed = await pharos.users.update(found[0].id, role=role, disabled=disabled, password=password)
    if json:
        shown.as_json(changed)
    else:
        shown.row(*_user(changed))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise Trouble("Nobody can be asked for a password here: say --password-stdin.", USAGE)
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)


@asks(users, "invite", examples=("pharos users invite --role editor --days 2",))
async def invite(
    pharos: "Client",
    role: Annotated[Role, typer.Option(help="What the invited may do.")] = "reader",
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it is good.")] = 7,
    json: Json = False,
) -> None:
    """Invite somebody; the code is shown this once."""
    made = await pharos.invitations.create(role=role, days=days)
    if json:
        shown.as_json(made)
    else:
        shown.row(made.code)
        shown.note(f"Good until {made.expires_at:%Y-%m-%d %H:%M} UTC, at /ui/join. It is shown this once.", "dim")


@asks(users, "invitations")
async def list_invitations(pharos: "Client", limit: Most = None, json: Json = False) -> None:
    """List the invitations that nobody used yet."""
    found = pharos.invitations.list(limit=limit)
    await listed(found, lambda one: (one.id, one.role, f"until {one.expires_at:%Y-%m-%d %H:%M}"), json=json)


@asks(users, "withdraw")
async def withdraw(pharos: "Client", id: Annotated[str, typer.Argument(help="The id of an invitation.")]) -> None:
    """Make an invitation void."""
    await pharos.invitations.withdraw(id)


def _token(one: "Token") -> tuple[object, ...]:
    until = f"until {one.expires_at:%Y-%m-%d %H:%M}" if one.expires_at else None
    return (one.id, f"pharos_{one.key}_…", ",".join(one.scopes), one.name, until)


@asks(tokens, "list")
async def list_tokens(pharos: "Client", limit: Most = None, json: Json = False) -> None:
    """List your tokens, without their secrets."""
    await listed(pharos.tokens.list(limit=limit), _token, json=json)


@asks(
    tokens,
    "create",
    examples=(
        "pharos tokens create backup-script --scope read --days 30",
        "export PHAROS_TOKEN=$(pharos tokens create shell)",
    ),
)
async def create_token(
    pharos: "Client",
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do: read, write, admin, metrics; else read and write.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is good; else for ever.")] = None,
    json: Json = False,
) -> None:
    """Make a token; its secret is shown this once, alone on standard output."""
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    scopes: Any = scope or ("read", "write")  # the server knows them
    made = await pharos.tokens.create(name, scopes, expires_at=until)
    if json:
        shown.as_json(made)
    else:
        shown.say(made.token)
        shown.note("It is shown this once.", "dim")


@asks(tokens, "revoke")
async def revoke_token(
    pharos: "Client", id: Annotated[str, typer.Argument(help="The id of a token.")], yes: Yes = False
) -> None:
    """Make a token void."""
    confirm(f"Make the token {id} void?", yes=yes)
    await pharos.tokens.revoke(id)
