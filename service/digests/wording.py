"""The words of letters."""

ENGLISH: dict[str, str] = {
    "digest.subject.one": "{title}",
    "digest.subject": "{title}, and {n} more",
    "digest.hello": "Hello {username},",
    "digest.intro": "This is new in your library, and you have not read it yet:",
    "digest.more": "And {n} more.",
    "digest.all": "All notifications",
    "digest.change": "Change how often you get this",
    "digest.stop": "Send me no more of these",
    "confirm.subject": "Confirm your address",
    "confirm.intro": "Somebody, probably you, wants the notifications of the library account {username} to be sent to"
    " this address. If that is so, open this page within two days and press the button on it:",
    "confirm.button": "Confirm this address",
    "confirm.otherwise": "If it was not you, do nothing: nothing more will be sent.",
    "test.subject": "Letters arrive",
    "test.intro": "This letter only shows that letters from your library reach you. There is nothing to do.",
    "name": "Pharos",
}


def text(key: str, **fields: object) -> str:
    """Return a text with its fields filled in."""
    return ENGLISH[key].format(**fields)
