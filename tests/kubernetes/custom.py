"""The fields of foreign kinds that we use, as their references describe them; any other field is a fault.

ScaledObject    keda.sh/docs, reference of ScaledObject, scaler Prometheus
ServiceMonitor  prometheus-operator.dev, API reference
"""

from typing import Any

import jsonschema
import kubernetes_validate

from tests.kubernetes.manifests import Manifest

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
NUMBER: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def record(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def kind(api: str, name: str, spec: Schema) -> Schema:
    metadata = record({"name": TEXT}, {"namespace": TEXT, "labels": TEXTS, "annotations": TEXTS})
    return record({"apiVersion": {"const": api}, "kind": {"const": name}, "metadata": metadata, "spec": spec})


PROMETHEUS = record(
    {
        "type": {"const": "prometheus"},
        "metadata": record(
            {"serverAddress": {"type": "string", "pattern": "^https?://"}, "query": TEXT, "threshold": NUMBER},
            {"activationThreshold": NUMBER, "ignoreNullValues": {"enum": ["true", "false"]}},
        ),
    },
    {"metricType": {"enum": ["AverageValue", "Value"]}, "name": TEXT, "authenticationRef": record({"name": TEXT})},
)
KINDS = {
    "ScaledObject": kind(
        "keda.sh/v1alpha1",
        "ScaledObject",
        record(
            {
                "scaleTargetRef": record({"name": TEXT}, {"apiVersion": TEXT, "kind": TEXT}),
                "minReplicaCount": COUNT,
                "maxReplicaCount": COUNT,
                "triggers": {"type": "array", "minItems": 1, "items": PROMETHEUS},
            },
            {
                "pollingInterval": COUNT,
                "cooldownPeriod": COUNT,
                "advanced": record({"horizontalPodAutoscalerConfig": record({"behavior": {"type": "object"}})}),
            },
        ),
    ),
    "ServiceMonitor": kind(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        record(
            {
                "selector": record({"matchLabels": TEXTS}),
                "endpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": record(
                        {"port": TEXT, "path": TEXT, "interval": {"type": "string", "pattern": r"^\d+[sm]$"}},
                        {"authorization": record({"credentials": record({"name": TEXT, "key": TEXT})})},
                    ),
                },
            },
            {"jobLabel": TEXT},
        ),
    ),
}


def validate(manifest: Manifest, version: str) -> None:
    """Hold a manifest against the schema of its kind; raises ValidationError of either library."""
    if manifest["kind"] not in KINDS:
        kubernetes_validate.validate(manifest, version, strict=True)
        return
    jsonschema.validate(manifest, KINDS[manifest["kind"]])
    if behavior := manifest["spec"].get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior"):
        kubernetes_validate.validate(autoscaler(behavior), version, strict=True)


def autoscaler(behavior: Manifest) -> Manifest:
    """Return what KEDA makes of a behavior."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "x"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 1, "behavior": behavior},
    }
