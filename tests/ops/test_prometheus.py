"""A real Pharos, watched by a real Prometheus: everything that dashboards and alerts ask for has an answer."""

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.embedded import free_port
from tests.installation import Installation, installed, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
COUNTERS = ("_total", "_bucket", "_count", "_sum")

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(PHAROS_BACKUP_FOLDER=str(tmp_path_factory.mktemp("backups"))) as made:
        yield made


@pytest.fixture(scope="module")
def token(installation: Installation) -> str:
    """Pharos is up, has done some work, and gives a token that reads nothing but figures."""
    installation.up()
    for name in ("Lighthouse", "Breakwater", "Lighthouse"):
        installation.call("GET", f"/resources/{installation.add(name)}")
        installation.call("GET", "/search?query=lighthouse")
    status, made = installation.call("POST", "/auth/tokens", {"name": "prometheus", "scopes": ["metrics"]})
    assert status == 201
    return made["token"]


def text(installation: Installation, token: str) -> str:
    address = f"http://127.0.0.1:{installation.port}/metrics"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def scraped(installation: Installation, token: str) -> Series:
    families = text_string_to_metric_families(text(installation, token))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def number(series: Series, name: str, **labels: str) -> float:
    """Return the sum of all series with these labels; 0 where there is none yet."""
    return sum(value for (one, had), value in series.items() if one == name and labels.items() <= dict(had).items())


def total(series: Series, name: str, **labels: str) -> float:
    """Return the sum of all series with these labels, of which there must be one."""
    assert any(one == name and labels.items() <= dict(had).items() for one, had in series), f"no {name} {labels}"
    return number(series, name, **labels)


def test_the_figures_are_those_of_what_was_done(installation: Installation, token: str) -> None:
    one = {"queue": "urgent", "task": "update_search_index"}

    def settled() -> bool:
        now = scraped(installation, token)
        return number(now, "pharos_task_tries_total", **one) >= 3 and total(now, "pharos_outbox_events") == 0

    assert until(settled, 60)
    found = scraped(installation, token)
    tries = total(found, "pharos_task_tries_total", **one, outcome="succeeded")
    assert tries >= 3
    assert total(found, "pharos_task_duration_seconds_count", **one) == tries
    assert total(found, "pharos_task_duration_seconds_bucket", **one, le="+Inf") == tries
    assert 0 < total(found, "pharos_task_duration_seconds_sum", **one) < 180
    assert total(found, "pharos_task_failures_total", **one) == 0 == total(found, "pharos_task_retries_total", **one)
    assert 0 <= total(found, "pharos_queue_oldest_age_seconds", queue="urgent") < 60
    assert 0 <= total(found, "pharos_outbox_oldest_age_seconds") < 30
    assert total(found, "pharos_cache_hits_total", prefix="resource") >= 0
    assert total(found, "pharos_cache_misses_total", prefix="resource") >= 3
    assert 1 <= total(found, "pharos_pool_connections") <= total(found, "pharos_pool_max_connections") == 60
    assert total(found, "pharos_event_streams") == 0
    assert 10 < total(found, "process_open_fds") < total(found, "process_max_fds")
    assert total(found, "process_resident_memory_bytes") > 20 * 2**20
    assert total(found, "process_cpu_seconds_total") > 0.1
    assert total(found, "pharos_worker_concurrency") >= 2
    assert total(found, "pharos_dead_letters") == 0
    assert {value for (name, _), value in found.items() if name == "pharos_source_ok"} == {1}
    assert total(found, "pharos_ready") == 1


def test_counters_only_grow_when_a_worker_is_killed_and_another_one_goes_on(
    installation: Installation, token: str
) -> None:
    before, tries = scraped(installation, token), "pharos_task_tries_total"
    killed = installation.processes()["worker-1"]
    killed.kill()
    installation.add("Buoy")
    assert until(lambda: number(scraped(installation, token), tries) > number(before, tries), 60)
    assert until(lambda: installation.processes().get("worker-1", killed).pid != killed.pid, 60)
    after = scraped(installation, token)
    shrunk = {
        key: (value, after.get(key))
        for key, value in before.items()
        if key[0].endswith(COUNTERS) and after.get(key, -1.0) < value
    }
    assert shrunk == {}
    assert until(lambda: total(scraped(installation, token), "pharos_workers_lost") == 1, 30)


def test_promtool_has_nothing_to_say_of_the_figures(installation: Installation, token: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is missing; Debian has it in the package prometheus")
    done = subprocess.run(
        [program, "check", "metrics"], input=text(installation, token), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.fixture(scope="module")
def prometheus(installation: Installation, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with our files that looks every second; gives its address."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is missing; Debian has it in the package prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copytree(MONITORING, folder, dirs_exist_ok=True)
    (folder / "token").write_text(token)
    config = (folder / "prometheus.yaml").read_text()
    head, discovery, _ = config.replace("/tmp/token", str(folder / "token")).partition("    dns_sd_configs:")
    assert discovery
    targets = f"    static_configs: [{{targets: ['127.0.0.1:{installation.port}']}}]\n"
    (folder / "prometheus.yaml").write_text(head.replace("15s", "1s") + targets)
    address = f"127.0.0.1:{free_port()}"
    files = f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, *files, f"--web.listen-address={address}"], stderr=log, env=dict(os.environ)
        )
        try:
            assert until(lambda: answers(f"http://{address}", "up"), 60), (folder / "log").read_text()[-3000:]
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(20)


def asked(address: str, path: str, **query: str) -> Any:
    with urllib.request.urlopen(f"{address}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
        return json.load(answer)["data"]


def answers(address: str, expression: str) -> bool:
    """Whether a query has an answer that is a number."""
    try:
        found = asked(address, "query", query=expression)["result"]
    except OSError:
        return False
    return any(one["value"][1] != "NaN" for one in found)  # it is that of a task that did not run lately


def expressions() -> list[str]:
    dashboards = [json.loads(file.read_text()) for file in (MONITORING / "dashboards").glob("*.json")]
    return [target["expr"] for one in dashboards for panel in one["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_a_panel_of_the_dashboard_shows_something(expression: str, prometheus: str, installation: Installation) -> None:
    installation.add("Foghorn")  # rates need change
    assert until(lambda: answers(prometheus, expression.replace("[5m]", "[30s]")), 60), expression


def test_every_rule_is_evaluated_and_a_lost_worker_is_told(prometheus: str, installation: Installation) -> None:
    def rules() -> dict[str, dict[str, Any]]:
        [group] = asked(prometheus, "rules")["groups"]
        return {rule["name"]: rule for rule in group["rules"]}

    assert until(lambda: {rule["health"] for rule in rules().values()} == {"ok"}, 30)
    installation.processes()["worker-2"].kill()
    assert until(lambda: rules()["WorkerGone"]["state"] == "firing", 60)
    assert {rules()[name]["state"] for name in ("PharosGone", "NotReady", "OutboxStands", "BackupOld")} == {"inactive"}
