"""Reads what Kustomize would build, as far as ours goes: lists of resources, images, a namespace, patches of maps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
BASE, OVERLAY = FOLDER / "base", FOLDER / "overlays" / "example"
KNOWN = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}
CLUSTER_WIDE = {"Namespace"}

Manifest = dict[str, Any]


def build(folder: Path) -> list[Manifest]:
    """Return the manifests that a folder's kustomization makes; AssertionError for what it forgets or cannot be."""
    plan = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert (plan["apiVersion"], plan["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert plan.keys() <= KNOWN, f"{folder}: {plan.keys() - KNOWN} is more than this reads"
    patches = [patch["path"] for patch in plan.get("patches", [])]
    listed = {name for name in [*plan["resources"], *patches] if name.endswith(".yaml")}
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert listed == there, f"{folder}: listed and not there, or there and not listed: {listed ^ there}"
    made: list[Manifest] = []
    for name in plan["resources"]:
        path = folder / name
        made += build(path.resolve()) if path.is_dir() else documents(path)
    for name in patches:
        for patch in documents(folder / name):
            [target] = [one for one in made if identity(one) == identity(patch)]
            merge(target, patch)
    for manifest in made:
        if "namespace" in plan and manifest["kind"] not in CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = plan["namespace"]
        for image in plan.get("images", []):
            for container in containers(manifest):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    return made


def documents(path: Path) -> list[Manifest]:
    # Aliases of YAML are one object here: a change of one would be one of all.
    return [unshared(document) for document in yaml.safe_load_all(path.read_text())]


def unshared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: unshared(inner) for name, inner in value.items()}
    return [unshared(inner) for inner in value] if isinstance(value, list) else value


def merge(target: Manifest, patch: Manifest) -> None:
    for name, value in patch.items():
        assert not isinstance(value, list), "patches of lists are more than this reads"
        if isinstance(value, dict):
            merge(target.setdefault(name, {}), value)
        else:
            target[name] = value


def identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def pod_of(manifest: Manifest) -> Manifest | None:
    return manifest["spec"]["template"]["spec"] if manifest["kind"] == "Deployment" else None


def containers(manifest: Manifest) -> Iterator[Manifest]:
    if (pod := pod_of(manifest)) is not None:
        yield from pod.get("initContainers", [])
        yield from pod["containers"]
