"""The manifests fit their schemas, one another, the settings, the image and compose.yaml."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from service import tasks
from service.connections import WORKER_KEPT, WORKER_OVERFLOW
from service.monitoring.routes import routes
from service.settings import Settings
from tests.kubernetes.custom import validate
from tests.kubernetes.manifests import (
    BASE,
    FOLDER,
    OVERLAY,
    ROOT,
    Manifest,
    build,
    containers,
    identity,
    pod_of,
)
from workers import alive

VERSIONS = ["1.30", kubernetes_validate.latest_version()]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
QUEUES = {queue.name for queue in tasks.QUEUES}
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
UNITS = {"cpu": {"m": 0.001}, "memory": {"M": 2**20, "G": 2**30, "Mi": 2**20, "Gi": 2**30}}


@pytest.fixture(params=[BASE, OVERLAY], ids=["base", "overlay"])
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return build(request.param)


@pytest.fixture
def base() -> list[Manifest]:
    return build(BASE)


def of(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    [found] = [one for one in manifests if identity(one) == (kind, name)]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_its_schema(manifests: list[Manifest], version: str) -> None:
    assert manifests
    for manifest in manifests:
        validate(manifest, version)


def test_a_field_that_nobody_knows_is_found(base: list[Manifest]) -> None:
    named(base, "ScaledObject", "worker")["spec"]["minReplicas"] = 2
    with pytest.raises(jsonschema.ValidationError, match="minReplicas"):
        validate(named(base, "ScaledObject", "worker"), VERSIONS[0])
    scaled = named(base, "ScaledObject", "worker-urgent")
    scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleUp"]["policy"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(scaled, VERSIONS[0])
    named(base, "Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(named(base, "Deployment", "web"), VERSIONS[0])


def test_a_file_that_is_not_listed_is_found(tmp_path: Path) -> None:
    shutil.copytree(BASE, tmp_path / "base")
    (tmp_path / "base" / "forgotten.yaml").write_text("kind: Service")
    with pytest.raises(AssertionError, match=r"forgotten\.yaml"):
        build(tmp_path / "base")


def test_kustomize_builds_the_same(manifests: list[Manifest], request: pytest.FixtureRequest) -> None:
    tool = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if shutil.which(tool[0]) is None:
        pytest.skip("neither kustomize nor kubectl is installed here")
    folder = BASE if "base" in request.node.name else OVERLAY
    built = subprocess.run([*tool, str(folder)], capture_output=True, check=True, timeout=60).stdout
    theirs = {identity(one): one for one in yaml.safe_load_all(built)}
    assert theirs == {identity(one): one for one in manifests}


def test_no_secret_is_contained(manifests: list[Manifest]) -> None:
    assert of(manifests, "Secret") == []
    for path in FOLDER.rglob("*.yaml"):
        assert not re.search(r"(?i)(password|token|secret)\w*: *\S{20,}|://[^/\s]+:[^/\s]+@", path.read_text()), path


def test_every_secret_that_is_referenced_is_described(manifests: list[Manifest]) -> None:
    described = set(re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    references = {(one["name"], one["key"]) for one in found(manifests, "secretKeyRef", "credentials")}
    assert references == described


def found(value: Any, *names: str) -> Iterator[Any]:
    """Yield what stands under these names, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names:
                yield inner
            yield from found(inner, *names)
    elif isinstance(value, list):
        for inner in value:
            yield from found(inner, *names)


def test_settings_are_those_of_pharos(manifests: list[Manifest]) -> None:
    [given] = [one["data"] for one in of(manifests, "ConfigMap")]
    variables = [variable["name"] for one in manifests for each in containers(one) for variable in each.get("env", [])]
    known = {f"PHAROS_{name}".upper() for name in Settings.model_fields}
    assert {*given, *variables} <= known
    values = {name.removeprefix("PHAROS_").lower(): value for name, value in given.items() if value}
    assert Settings(_env_file=None, **values).storage_url == given["PHAROS_STORAGE_URL"]


def test_what_is_referenced_is_there(manifests: list[Manifest]) -> None:
    there = {identity(one) for one in manifests}
    for deployment in of(manifests, "Deployment"):
        pod = pod_of(deployment)
        assert pod is not None
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in containers(deployment):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            for source in container["envFrom"]:
                assert ("ConfigMap", source["configMapRef"]["name"]) in there
        used = {mount["name"] for each in containers(deployment) for mount in each["volumeMounts"]}
        assert used == volumes
    for scaled in of(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        assert ("Deployment", scaled["spec"]["scaleTargetRef"]["name"]) in there
    for backend in found(of(manifests, "Ingress"), "backend"):
        service = named(manifests, "Service", backend["service"]["name"])
        assert backend["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    [monitor] = of(manifests, "ServiceMonitor")
    [service] = of(manifests, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert monitor["spec"]["jobLabel"] in service["metadata"]["labels"]


def test_every_selector_finds_pods(manifests: list[Manifest]) -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in of(manifests, "Deployment")]
    assert len({label["app.kubernetes.io/component"] for label in pods}) == len(pods)
    for one in manifests:
        spec = one.get("spec", {})
        match one["kind"]:
            case "Deployment" | "PodDisruptionBudget":
                selectors = [spec["selector"]["matchLabels"]]
            case "Service":
                selectors = [spec["selector"]]
            case "NetworkPolicy":
                chosen = spec["podSelector"].get("matchExpressions", [])
                selectors = [{each["key"]: value} for each in chosen for value in each["values"]]
                selectors += [spec["podSelector"].get("matchLabels", {})]
            case _:
                continue
        for selector in selectors:
            assert any(selector.items() <= labels.items() for labels in pods), (identity(one), selector)


def test_the_port_is_that_of_the_server(base: list[Manifest]) -> None:
    [settings] = of(base, "ConfigMap")
    [web] = named(base, "Deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert web["ports"] == [{"name": "http", "containerPort": int(settings["data"]["PHAROS_PORT"])}]
    assert named(base, "Service", "web")["spec"]["ports"][0]["targetPort"] == "http"


def test_commands_and_probes_exist(base: list[Manifest]) -> None:
    paths = {route.path for route in routes}
    for deployment in of(base, "Deployment"):
        for container in containers(deployment):
            match container["command"]:
                case ["python", "-m", module, *_]:
                    assert importlib.util.find_spec(module) is not None
                case [program, package, *options]:
                    assert Path(sys.executable).with_name(program).exists()
                    assert importlib.util.find_spec(package) is not None
                    assert set(options) <= {"--processes", "--threads", "--queues", "1"} | QUEUES
                case command:
                    pytest.fail(f"{command} is a kind that this does not know")
            for probe in found(container, "startupProbe", "livenessProbe", "readinessProbe"):
                if "exec" in probe:
                    *_, path, role = probe["exec"]["command"]
                    assert (ROOT / path.removeprefix("/app/")).exists()
                    assert role in alive.CHECKS
                else:
                    assert probe["httpGet"]["path"] in paths
    assert {one["path"] for endpoints in found(of(base, "ServiceMonitor"), "endpoints") for one in endpoints} <= paths


def test_queries_ask_for_figures_that_exist(base: list[Manifest]) -> None:
    source = (ROOT / "service" / "monitoring" / "metrics.py").read_text()
    families = set(re.findall(r'Family\(\s*"(\w+)"', source))
    queries = [
        trigger["metadata"]["query"] for triggers in found(of(base, "ScaledObject"), "triggers") for trigger in triggers
    ]
    assert len(queries) == 4
    for query in queries:
        assert set(re.findall(r"pharos_\w+", query)) <= families
        assert set(re.findall(r'queue="(\w+)"', query)) <= QUEUES
        assert set(re.findall(r'state="(\w+)"', query)) <= {"scheduled", "waiting", "running"}
        assert set(re.findall(r"(\w+)=", query)) <= {"queue", "state"}


def test_everything_is_contained(base: list[Manifest]) -> None:
    """As the level `restricted` of the Pod Security Standards asks, and with a root that is only read."""
    user = re.search(r"^USER (\d+)$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert user is not None
    for deployment in of(base, "Deployment"):
        pod = pod_of(deployment)
        assert pod is not None
        assert pod["securityContext"] == {
            "runAsNonRoot": True, "runAsUser": int(user[1]), "runAsGroup": int(user[1]), "fsGroup": int(user[1]),
            "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        assert not pod["automountServiceAccountToken"]
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert all(volume.keys() == {"name", "emptyDir"} for volume in pod["volumes"])
        for container in containers(deployment):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip


def test_limits_are_those_of_compose(base: list[Manifest]) -> None:
    compared = 0
    for deployment in of(base, "Deployment"):
        for container in containers(deployment):
            limits, requests = container["resources"]["limits"], container["resources"]["requests"]
            assert all(amount(name, requests[name]) <= amount(name, limits[name]) for name in ("cpu", "memory"))
            if container["name"] == "migrate":  # has none in compose.yaml
                continue
            ours = COMPOSE["services"][container["name"]]["deploy"]["resources"]["limits"]
            assert amount("cpu", limits["cpu"]) == amount("cpu", ours["cpus"])
            assert amount("memory", limits["memory"]) == amount("memory", ours["memory"])
            compared += 1
    assert compared == 7


def amount(of: str, written: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", written).groups()  # type: ignore[union-attr]
    return float(number) * (UNITS[of][unit] if unit else 1)


def test_what_runs_may_end(base: list[Manifest]) -> None:
    [settings] = of(base, "ConfigMap")
    grace = float(settings["data"]["PHAROS_WORKER_GRACE"])
    for name in ("worker", "worker-urgent"):
        assert (
            named(base, "Deployment", name)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= grace + 10
        )
    pod = named(base, "Deployment", "web")["spec"]["template"]["spec"]
    [pause] = found(pod["containers"], "sleep")
    assert pod["terminationGracePeriodSeconds"] >= pause["seconds"] + 10


def test_the_timetable_is_never_there_twice_and_the_web_never_gone(base: list[Manifest]) -> None:
    scheduler = named(base, "Deployment", "scheduler")["spec"]
    assert (scheduler["replicas"], scheduler["strategy"]) == (1, {"type": "Recreate"})
    assert named(base, "HorizontalPodAutoscaler", "web")["spec"]["minReplicas"] == 2
    assert named(base, "PodDisruptionBudget", "web")["spec"]["minAvailable"] == 1
    for scaled in ("web", "worker", "worker-urgent"):  # how many there are is another's to say
        assert "replicas" not in named(base, "Deployment", scaled)["spec"]
    for worker in ("worker", "worker-urgent"):  # without any, nothing is ready
        assert named(base, "ScaledObject", worker)["spec"]["minReplicaCount"] >= 1


def test_all_of_them_find_a_connection(base: list[Manifest]) -> None:
    settings = Settings(_env_file=None)
    webs = named(base, "HorizontalPodAutoscaler", "web")["spec"]["maxReplicas"]
    workers = sum(one["spec"]["maxReplicaCount"] for one in of(base, "ScaledObject"))
    most = webs * (settings.pool_size + settings.pool_overflow) + workers * (WORKER_KEPT + WORKER_OVERFLOW)
    [allowed] = re.findall(r"-cmax_connections=(\d+)", (ROOT / "compose.yaml").read_text())
    assert most <= int(allowed)
    assert f"{most} connections" in PAGE


def test_nobody_talks_unless_a_rule_says_so(base: list[Manifest]) -> None:
    nobody = named(base, "NetworkPolicy", "nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = named(base, "NetworkPolicy", "pharos-to-the-internet")["spec"]["egress"][0]["to"]
    refused = {cidr for block in outside for cidr in block["ipBlock"]["except"]}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"} <= refused
    for policy in of(base, "NetworkPolicy"):
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]:
            assert rule.get("from") or rule.get("to"), identity(policy)
