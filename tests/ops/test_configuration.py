"""The written configuration says what the settings say."""

from pathlib import Path

import pytest

from service.configuration import ELSEWHERE, example, page
from service.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == page(), "run `make docs`"


def test_the_example_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "run `make docs`"


def test_a_copy_of_the_example_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PHAROS_{name}".upper(), raising=False)
    (tmp_path / ".env").write_text(example())
    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)


def test_every_line_of_the_example_can_be_used_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PHAROS_{name}".upper(), raising=False)
    (tmp_path / ".env").write_text(example().replace("#PHAROS_", "PHAROS_"))
    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)


def test_the_names_of_a_celery_installation_lead_to_settings_that_exist() -> None:
    ours = {f"PHAROS_{name}".upper() for name in Settings.model_fields}
    assert {name for name, _ in ELSEWHERE.values()} <= ours
    assert set(ELSEWHERE) == {
        "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "REDIS_HOST", "REDIS_PORT", "REDIS_CACHE_DB",
    }  # fmt: skip


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
