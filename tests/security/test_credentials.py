"""What is stored of a secret."""

from hypothesis import given
from hypothesis import strategies as st

from service.security.credentials import Credential, new_secret


def test_a_new_secret_names_its_key_and_is_new() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        pharos, key, random = secret.split("_", 2)
        assert (pharos, len(key), len(random)) == ("pharos", 16, 43)
        assert Credential.of(secret).key == key


def test_nothing_of_the_secret_is_shown() -> None:
    secret = new_secret()
    assert secret.rpartition("_")[2] not in repr(Credential.of(secret))
    assert Credential.of(secret).digest.hex() not in repr(Credential.of(secret))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_can_be_a_secret(secret: str) -> None:
    credential = Credential.of(secret)
    assert credential == Credential.of(secret)
    assert credential.matches(Credential.of(secret).digest)
    assert not credential.matches(Credential.of(secret + "x").digest)


@given(st.binary(min_size=1))
def test_any_bytes_of_a_header_are_a_secret(header: bytes) -> None:
    assert len(Credential.of(header.decode(errors="surrogateescape")).key) == 16
