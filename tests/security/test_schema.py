"""The interface against its own description: thousands of requests, as every role, to a whole Pharos."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.security.permissions import ROLES, Role
from tests.installation import Installation, installed

pytestmark = pytest.mark.e2e

CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"
LEFT_OUT = ("/events/stream", "/auth/password", "/mcp")  # it does not end; it would sign the others out; JSON-RPC
PASSWORD = "a light on the water"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """A running Pharos that is in no hurry to refuse."""
    with installed(PHAROS_RATE_LIMITS="false") as made:
        made.up()
        yield made


@pytest.fixture(scope="module")
def tokens(installation: Installation) -> dict[Role, str]:
    """A token of a user of each role, made before anybody tries the sign-in too often."""
    made: dict[Role, str] = {}
    for role in ROLES:
        who = {"username": f"the-{role}", "password": PASSWORD}
        status, user = installation.call("POST", "/users", who | {"role": role})
        assert status == 201, user
        status, signed_in = installation.call("POST", "/auth/login", who)
        assert status == 200, signed_in
        made[role] = signed_in["token"]
    return made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_as_described(
    installation: Installation, tokens: dict[Role, str], role: Role, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
    command += [f"http://127.0.0.1:{installation.port}/openapi.json", "--no-color", "--checks", CHECKS]
    command += ["--header", f"Authorization: Bearer {tokens[role]}", "--request-timeout", "20"]
    command += ["--phases", "coverage,fuzzing", "--max-examples", "25", "--generation-database", "none"]
    command += ["--seed", "20261127", "--warnings", "off"]
    for path in LEFT_OUT:
        command += ["--exclude-path", path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=580)
    generated = re.search(r"(\d+) generated", done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert generated is not None
    assert int(generated[1]) >= 1_250  # 5,000 over all roles
    assert installation.ready()
