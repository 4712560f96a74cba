"""The chart for Kubernetes: its form, and every manifest against the schemas."""

import os
import shutil

import pytest
import yaml

from tests.containers.conftest import ROOT, run

pytestmark = pytest.mark.containers
CHART = str(ROOT / "deploy" / "chart")
HELM = os.environ.get("LANGNGHE_HELM") or shutil.which("helm")
VALIDATE = os.environ.get("LANGNGHE_KUBERNETES_VALIDATE") or shutil.which("kubernetes-validate")


@pytest.fixture(scope="module")
def helm() -> str:
    return HELM or pytest.skip("THE CHART IS NOT TESTED: there is no helm")


@pytest.fixture(scope="module")
def manifests(helm) -> list[dict]:
    return [m for m in yaml.safe_load_all(run(helm, "template", "langnghe", CHART)) if m]


def test_it_is_well_formed(helm):
    assert "0 chart(s) failed" in run(helm, "lint", "--strict", CHART)


def test_every_manifest_is_one(helm, tmp_path):
    if VALIDATE is None:
        pytest.skip("MANIFESTS ARE NOT VALIDATED: there is no kubernetes-validate")
    file = tmp_path / "all.yaml"
    file.write_text(run(helm, "template", "langnghe", CHART))

    run(VALIDATE, "--strict", str(file))


@pytest.mark.parametrize(
    "wrong",
    ["streamReplicas=2", "nats.url=nats://open:4222", "services.intake.replicas=0", "typo=1"],
)
def test_a_wrong_value_is_refused(helm, wrong):
    assert "schema" in run(helm, "template", "langnghe", CHART, "--set", wrong, ok=False)


def test_each_service_has_all_that_goes_with_it(manifests):
    kinds = ("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler")
    named = {(m["kind"], m["metadata"]["name"]) for m in manifests}

    for service in ("intake", "routing", "reporting"):
        for kind in (*kinds, "NetworkPolicy"):
            assert (kind, f"langnghe-{service}") in named


def test_every_pod_is_restricted_and_mounts_secrets_of_its_own(manifests):
    pods = [m for m in manifests if m["kind"] in ("Deployment", "Job")]
    assert len(pods) == 4
    for pod in pods:
        spec = pod["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert not spec["automountServiceAccountToken"]
        for container in spec["containers"]:
            guarded = container["securityContext"]
            assert guarded["readOnlyRootFilesystem"]
            assert guarded["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]
        if pod["kind"] == "Deployment":
            [keys] = [v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v]
            assert keys == pod["metadata"]["name"]


def test_no_secret_is_in_it(manifests):
    assert [m for m in manifests if m["kind"] in ("Secret", "ConfigMap")] == []
