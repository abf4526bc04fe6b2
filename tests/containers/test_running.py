"""The whole stack on a real engine: built by `make up`, used, scaled, killed, updated."""

import json
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest

from tests.containers.stack import Stack, page, site, wait

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

SERVICES = ("postgres", "broker", "cache", "web", "operations", "inference", "worker", "worker-urgent", "scheduler")
OURS = ("web", "operations", "inference", "worker", "worker-urgent", "scheduler")


def test_everything_is_healthy_and_contained(stack: Stack) -> None:
    for service in SERVICES:
        assert stack.healthy(service), service
        found = stack.inspect(stack.containers(service)[0])
        host, health = found["HostConfig"], found["Config"]["Healthcheck"]
        assert (health["Interval"], health["Timeout"], health["Retries"]) == (10 * 10**9, 3 * 10**9, 3), service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert found["Config"]["User"] not in ("", "root", "0"), service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
    published = {
        service: stack.inspect(stack.containers(service)[0])["HostConfig"]["PortBindings"] for service in SERVICES
    }
    assert {service for service, ports in published.items() if ports} == {"web", "operations"}
    for service in ("web", "operations"):
        assert [port["HostIp"] for port in published[service]["8000/tcp"]] == ["127.0.0.1"], service


def test_secrets_are_generated_and_on_no_command_line(stack: Stack) -> None:
    assert (stack.home / "compose.env").stat().st_mode & 0o777 == 0o600
    assert (stack.home / "mode").read_text() == "compose\n"
    secrets = [stack.secret(name) for name in ("DATABASE_PASSWORD", "WORKER_PASSWORD", "REDIS_PASSWORD")]
    assert len({*secrets}) == 3
    for service in SERVICES:
        lines = stack.docker("top", stack.containers(service)[0])
        assert not any(secret in lines for secret in secrets), service
    refused = stack.docker("exec", "-e", "REDISCLI_AUTH=", stack.containers("broker")[0], "redis-cli", "GET", "x")
    assert "NOAUTH" in refused


def test_the_broker_keeps_and_the_cache_forgets(stack: Stack) -> None:
    def option(service: str, name: str) -> str:
        said = stack.docker("exec", stack.containers(service)[0], "redis-cli", "CONFIG", "GET", name)
        return said.split("\n")[-1]

    assert (option("broker", "appendonly"), option("broker", "maxmemory-policy")) == ("yes", "noeviction")
    assert (option("cache", "appendonly"), option("cache", "maxmemory-policy")) == ("no", "allkeys-lru")
    assert int(option("broker", "maxmemory")) > 0
    assert int(option("cache", "maxmemory")) > 0


@pytest.mark.parametrize("service", SERVICES)
def test_limits_are_those_of_the_cgroup(stack: Stack, service: str) -> None:
    container = stack.containers(service)[0]
    asked = stack.inspect(container)["HostConfig"]
    memory, cpu = asked["Memory"], asked["NanoCpus"] / 1e9
    assert memory > 0
    assert cpu > 0
    version2 = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"
    version1 = (
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes;"
        " echo $(cat cpu/cpu.cfs_quota_us) $(cat cpu/cpu.cfs_period_us)"
    )
    found = stack.docker("exec", container, "sh", "-c", f"{{ {version2}; }} 2>/dev/null || {{ {version1}; }}")
    limit, quota, period = found.split()[-3:]
    assert int(limit) == memory
    assert int(quota) / int(period) == pytest.approx(cpu)


def test_the_image_is_lean(stack: Stack) -> None:
    web = stack.containers("web")[0]
    assert stack.docker("exec", web, "id", "-u") == "10001"
    assert stack.docker("exec", web, "sh", "-c", "ls /app") == "requirements.lock\nschedules\nservice\nworkers"
    for tool in ("pip", "gcc", "git"):
        assert stack.docker("exec", web, "sh", "-c", f"ls /opt/venv/bin/{tool} || true") == ""


def test_the_operations_page_has_a_port_of_its_own(stack: Stack) -> None:
    assert stack.call("GET", "/health", port=stack.operations_port)[0] == 200
    assert stack.call("GET", "/dlq", port=stack.operations_port) == stack.call("GET", "/dlq")
    assert stack.call("GET", "/resources", port=stack.operations_port)[0] == 404
    page = stack.text("/ui/operations", port=stack.operations_port)
    assert "/ui/operations/dead-letters" in page
    assert "search-box" not in page


def test_a_real_page_is_read(stack: Stack) -> None:
    with site(stack, {"lamp.html": page("The lamp of Eddystone", "Keepers trimmed the wick of the lantern.")}):
        status, answer = stack.call("POST", "/ingest", {"url": "http://origin:8000/lamp.html"})
        assert status == 202, answer
        wait(lambda: "The lamp of Eddystone" in stack.found("wick+lantern"))
        wait(lambda: stack.found("someone+who+looks+after+a+lighthouse"))  # by its meaning: the model server was asked


def test_a_killed_worker_is_restarted_and_its_task_done(stack: Stack) -> None:
    with site(stack, {"held.html": page("A held page", "The tide holds the harbour shut.")}) as origin:
        status, answer = stack.call("POST", "/ingest", {"url": "http://origin:8000/held/held.html"})
        assert status == 202, answer
        busy: list[str] = []

        def taken() -> bool:
            busy[:] = [worker["host"] for worker in stack.workers() if worker["active"]]
            return bool(busy)

        wait(taken)
        before = stack.inspect(busy[0])
        stack.docker("exec", busy[0], "sh", "-c", "kill -9 -1", check=False)  # everything but the first process
        wait(lambda: stack.inspect(busy[0])["RestartCount"] > before["RestartCount"])
        stack.docker("exec", "-u", "0", origin, "touch", "/site/go")
        wait(lambda: "A held page" in stack.found("tide+harbour"))
        wait(lambda: stack.healthy("worker"))


def test_eight_workers_share_the_work(stack: Stack) -> None:
    stack.pharos("scale", "8")
    assert len(stack.containers("worker")) == 8
    wait(stack.idle)
    hosts = {container[:12] for container in stack.containers("worker")}

    def counts() -> dict[str, int]:
        return {worker["host"]: worker["processed"] for worker in stack.workers() if worker["host"] in hosts}

    before = counts()
    assert set(before) == hosts
    for number in range(80):
        words = {"title": f"Buoy {number}", "content": f"A buoy, number {number}, floats before the coast. {uuid4()}"}
        assert stack.call("POST", "/resources", words)[0] == 201
    wait(lambda: len(stack.found("buoy")) == 80, 180)
    wait(lambda: sum(counts().values()) >= sum(before.values()) + 5 * 80, 180)  # five tasks of each, some after 20 s
    done = sorted(now - before[host] for host, now in counts().items())
    assert done[0] >= sum(done) / 8 / 2, done  # nobody has less than half of the mean


def test_workers_of_a_second_project_join(stack: Stack, tmp_path: Path) -> None:
    before = len(stack.workers())
    given = {
        "COMPOSE_PROJECT_NAME": f"{stack.project}-more",
        "COMPOSE_PROGRESS": "quiet",
        "PHAROS_WORKER_DATABASE_URL": f"postgresql://pharos_worker:{stack.secret('WORKER_PASSWORD')}@postgres/pharos",
        "PHAROS_BROKER_URL": f"redis://:{stack.secret('REDIS_PASSWORD')}@broker:6379/0",
        "PHAROS_CACHE_URL": f"redis://:{stack.secret('REDIS_PASSWORD')}@cache:6379/0",
        "PHAROS_FILES_VOLUME": f"{stack.project}_files",
        "PHAROS_WORKER_CPUS": "1",
        "PHAROS_WORKERS": "2",
        "PHAROS_IMAGE": "pharos-test:latest",
    }
    (tmp_path / "workers.env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    # On one engine, the network of the first project takes the place of that between two machines.
    network = {"networks": {"default": {"name": f"{stack.project}_inside", "external": True}}}
    (tmp_path / "network.yaml").write_text(json.dumps(network))
    compose = ("docker", "compose", "-f", "deploy/compose.workers.yaml", "-f", str(tmp_path / "network.yaml"))
    compose += ("--env-file", str(tmp_path / "workers.env"))
    try:
        stack.engine.run(*compose, "up", "-d", "--build", "--wait")
        wait(lambda: len(stack.workers()) == before + 2)
        assert len({worker["host"] for worker in stack.workers()}) == before + 2  # each in a container of its own
    finally:
        stack.engine.run(*compose, "down", "-t", "5", check=False)


def test_an_update_loses_nothing(stack: Stack) -> None:
    accepted: list[str] = []
    over = Event()

    def write() -> None:
        while not over.wait(0.5):
            try:
                status, answer = stack.call(
                    "POST", "/resources", {"title": f"Sextant {uuid4()}", "content": f"A sextant measures. {uuid4()}"}
                )
            except OSError:  # the only web server is being replaced
                continue
            if status == 201:
                accepted.append(answer["id"])

    stack.pharos("scale", "2")  # eight of them would show the same, and take their time
    old = {service: set(stack.containers(service)) for service in OURS}
    writer = Thread(target=write)
    writer.start()
    try:
        stack.pharos("update")
    finally:
        over.set()
        writer.join()
    for service in OURS:
        new = set(stack.containers(service))
        assert len(new) == len(old[service]), service
        assert not new & old[service], service
    assert len(accepted) > 10
    left = set(accepted)

    def all_assessed() -> bool:
        left.difference_update([id for id in left if stack.call("GET", f"/resources/{id}/quality")[0] == 200])
        return not left

    wait(all_assessed, 300)
    assert stack.call("GET", "/dlq")[1]["total"] == 0


def test_down_leaves_the_library(stack: Stack) -> None:
    stack.pharos("down")
    assert all(stack.containers(service) == [] for service in SERVICES)
    volumes = stack.docker("volume", "ls", "-q").split()
    assert {f"{stack.project}_{name}" for name in ("postgres", "broker", "files")} <= set(volumes)
