"""The files for Prometheus, checked by its own `promtool`; and each alert rule, brought to fire and kept quiet."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES = MONITORING / "alerts.yaml"

# alert: the series that make it fire after ten minutes, the same that do not, its labels, its words
CASES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str], str]] = {
    "PharosGone": (
        {'up{job="pharos"}': "0x20"},
        {'up{job="pharos"}': "1x20"},
        {"severity": "critical"},
        "No web server of Pharos answers.",
    ),
    "NotReady": (
        {"pharos_ready": "0x20"},
        {"pharos_ready": "1x20"},
        {"severity": "critical"},
        "Pharos is not ready; /ready says why.",
    ),
    "CheckSpeaks": (
        {'pharos_check_ok{check="disk"}': "0x20", 'pharos_check_ok{check="broker"}': "1x20"},
        {'pharos_check_ok{check="disk"}': "1x20"},
        {"severity": "warning", "check": "disk"},
        "/ready and the operations page have something to say of: disk.",
    ),
    "QueueAges": (
        {'pharos_queue_oldest_age_seconds{queue="batch"}': "360x20"},
        {'pharos_queue_oldest_age_seconds{queue="batch"}': "299x20"},
        {"severity": "warning", "queue": "batch"},
        "The oldest task in batch has waited 6m 0s: start more workers.",
    ),
    "UrgentWorkWaits": (
        {'pharos_queue_oldest_age_seconds{queue="urgent"}': "20x20"},
        {'pharos_queue_oldest_age_seconds{queue="batch"}': "20x20"},
        {"severity": "critical"},
        "Urgent tasks wait 20s: is worker-urgent there?",
    ),
    "OutboxStands": (
        {"pharos_outbox_oldest_age_seconds": "60x20"},
        {"pharos_outbox_oldest_age_seconds": "1x20"},
        {"severity": "critical"},
        "Events have waited 1m 0s to be carried on: is the broker there?",
    ),
    "WorkerGone": (
        {"pharos_workers_lost": "2x20"},
        {"pharos_workers_lost": "0x20"},
        {"severity": "warning"},
        "2 workers ended without a farewell in ten minutes; the log says why.",
    ),
    "ScheduleMissed": (
        {'pharos_schedule_next_timestamp_seconds{task="cut_events"}': "300x20"},  # the clock of a test begins at 0
        {'pharos_schedule_next_timestamp_seconds{task="cut_events"}': "900x20"},
        {"severity": "warning", "task": "cut_events"},
        "cut_events is late by 5m 0s: does the timetable run?",
    ),
    "BackupOld": (
        {"pharos_backup_last_timestamp_seconds": "-172200x20"},
        {"pharos_backup_last_timestamp_seconds": "-86400x20"},
        {"severity": "warning"},
        "The last nightly backup is 2d 0h 0m 0s old.",
    ),
    "TasksFail": (
        {
            'pharos_task_tries_total{task="a",outcome="failed"}': "0+5x30",
            'pharos_task_tries_total{task="a",outcome="succeeded"}': "0+95x30",
        },
        {'pharos_task_tries_total{task="a",outcome="succeeded"}': "0+95x30"},
        {"severity": "warning"},
        "5% of the tasks fail; the dead letters say why.",
    ),
    "PoolNearItsEnd": (
        {
            'pharos_pool_connections{instance="web",pid="7",state="in_use"}': "57x20",
            'pharos_pool_max_connections{instance="web",pid="7"}': "60x20",
        },
        {
            'pharos_pool_connections{instance="web",pid="7",state="in_use"}': "50x20",
            'pharos_pool_max_connections{instance="web",pid="7"}': "60x20",
        },
        {"severity": "warning", "instance": "web", "pid": "7"},
        "web uses 95% of its connections to PostgreSQL.",
    ),
    "RequestsSlow": (
        {
            'pharos_http_request_duration_seconds_bucket{le="1"}': "0x20",
            'pharos_http_request_duration_seconds_bucket{le="2"}': "0+10x20",
            'pharos_http_request_duration_seconds_bucket{le="+Inf"}': "0+10x20",
        },
        {
            'pharos_http_request_duration_seconds_bucket{le="1"}': "0+10x20",
            'pharos_http_request_duration_seconds_bucket{le="+Inf"}': "0+10x20",
        },
        {"severity": "warning"},
        "One request in twenty takes longer than 1.95s.",
    ),
}
AT = {"TasksFail": "20m"}  # it waits for ten minutes


def promtool(*arguments: str) -> tuple[int, str]:
    """Run promtool; return its exit status, 0 where it finds nothing, and what it says."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is missing; Debian has it in the package prometheus")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_rules_are_rules() -> None:
    status, said = promtool("check", "rules", str(RULES))
    assert status == 0, said


def test_the_configuration_is_one(tmp_path: Path) -> None:
    shutil.copytree(MONITORING, tmp_path, dirs_exist_ok=True)
    config = (tmp_path / "prometheus.yaml").read_text()
    (tmp_path / "token").touch()
    (tmp_path / "prometheus.yaml").write_text(config.replace("/tmp/token", str(tmp_path / "token")))
    status, said = promtool("check", "config", str(tmp_path / "prometheus.yaml"))
    assert status == 0, said


def test_every_rule_has_a_case() -> None:
    assert re.findall(r"- alert: (\w+)", RULES.read_text()) == list(CASES)


@pytest.mark.parametrize("alert", CASES)
def test_it_fires_where_it_should_and_only_there(alert: str, tmp_path: Path) -> None:
    bad, good, labels, words = CASES[alert]
    at = AT.get(alert, "10m")
    fired = [{"exp_labels": labels, "exp_annotations": {"summary": words}}]
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": expected}],
        }
        for series, expected in ((bad, fired), (good, []))
    ]
    file = tmp_path / "test.yaml"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    status, said = promtool("test", "rules", str(file))
    assert status == 0, said
