"""The Helm chart, rendered by the real Helm, against Kubernetes' schemas and what the processes need."""

import json
import os
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from api import gunicorn_conf
from riffusion import __version__
from riffusion.settings import Settings
from tests.deploy.conftest import (
    CHART,
    KUBERNETES,
    VALUES,
    Rendered,
    env,
    helm,
    named,
    of_kind,
    pods,
    render,
    workers,
)
from worker import shutdown

VERSIONS = ["1.30", "1.37"]  # Chart.yaml's, and the newest whose schemas there are
SCALED_OBJECT = json.loads((Path(__file__).parent / "scaledobject.schema.json").read_text())
# With values of their own in the chart, or of no use in a cluster; and the bot, which isn't in the chart.
NOT_IN_SETTINGS = {
    "redis_url", "public_url", "storage", "s3_endpoint", "s3_public_endpoint", "s3_bucket", "s3_prefix", "s3_region",
    "s3_access_key", "s3_secret_key", "model", "checkpoint", "checkpoint_revision", "lora_dir", "device", "slots",
    "max_batch", "waiting_deadline_s", "running_deadline_s", "shutdown_grace_s", "result_ttl_s", "upload_ttl_s",
    "worker_metrics_host", "worker_metrics_port", "data_dir", "secret_key", "key", "min_free_bytes", "discord_token",
    "discord_api_url", "discord_api_key", "discord_user_jobs", "discord_guild_jobs", "discord_jams",
    "discord_blocked_words",
}  # fmt: skip


def example(name: str) -> Rendered:
    return list(yaml.safe_load_all((KUBERNETES / "example" / name).read_text()))


@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_nothing_to_object_to(values: str) -> None:
    ran = helm("lint", "--strict", CHART, "--values", VALUES[values])
    assert ran.returncode == 0, ran.stdout
    assert "WARN" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(rendered: Rendered, version: str) -> None:
    for manifest in [*rendered, *example("redis.yaml")]:
        if manifest["kind"] == "ScaledObject":
            jsonschema.validate(manifest, SCALED_OBJECT)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_value_and_a_missing_one_are_refused() -> None:
    for option, message in {
        "settings.anonymus=false": "anonymus",
        "api.replica=2": "replica",
        "redis.url=redis://:secret@redis": "redis",
        "publicUrl=": "publicUrl",
        "redis.peers=null": "redis.peers",
    }.items():
        ran = helm("template", CHART, "--values", VALUES["plain"], "--set", option)
        assert ran.returncode != 0, option
        assert message in ran.stderr


def test_every_setting_can_be_given_and_each_name_is_one() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    names = set(schema["properties"]["settings"]["propertyNames"]["enum"])
    assert names == set(Settings.model_fields) - NOT_IN_SETTINGS  # a new setting belongs into values.schema.json


def test_what_the_processes_read_are_settings(rendered: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    for pod in pods(rendered).values():
        variables = env(rendered, pod)
        for name in [*variables, *(item["name"] for item in pod["containers"][0]["env"])]:
            assert name.removeprefix("RIFFUSION_").lower() in Settings.model_fields
        with monkeypatch.context() as context:
            for name, value in variables.items():
                context.setenv(name, value)
            Settings()


def test_numbers_are_written_out() -> None:
    data = named(render("managed"), "ConfigMap", "release-settings")["data"]
    assert data["RIFFUSION_MAX_STORED_BYTES"] == "100000000000000"
    assert data["RIFFUSION_ANONYMOUS"] == "false"
    assert data["RIFFUSION_TRUSTED_PROXIES"] == "2"


def test_every_container_is_confined(rendered: Rendered) -> None:
    for pod in [*pods(rendered).values(), *pods(example("redis.yaml")).values()]:
        security = pod["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False  # a Service named riffusion-… would look like a setting
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_no_secret_is_in_the_chart(rendered: Rendered) -> None:
    assert not list(of_kind(rendered, "Secret"))
    for pod in pods(rendered).values():
        for item in pod["containers"][0]["env"]:
            assert ("value" not in item) or not re.search("SECRET|ACCESS_KEY|PASSWORD", item["name"])
    for pod in pods(render("managed")).values():
        assert {item["name"]: item for item in pod["containers"][0]["env"]}["RIFFUSION_REDIS_URL"]["valueFrom"]


def test_workers_are_stopped_for_as_long_as_their_longest_job_takes(rendered: Rendered) -> None:
    for pod in workers(rendered).values():
        variables = env(rendered, pod)
        grace_s = float(variables["RIFFUSION_SHUTDOWN_GRACE_S"])
        assert grace_s >= float(variables["RIFFUSION_RUNNING_DEADLINE_S"])
        # What hangs is released by then; half a minute is for what is stored and closed after it.
        assert pod["terminationGracePeriodSeconds"] >= grace_s + shutdown.GIVE_BACK_S + 2 * shutdown.TICK_S + 30


def test_no_process_is_the_first_of_its_namespace(rendered: Rendered) -> None:
    # The kernel drops a SIGTERM without a handler there, and there is none before the model is loaded.
    assert all(pod["shareProcessNamespace"] for pod in pods(rendered).values())


def test_the_api_is_stopped_after_its_requests(rendered: Rendered) -> None:
    pod = pods(rendered)["release-api"]
    pause_s = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause_s + gunicorn_conf.graceful_timeout + 5


def test_every_pod_is_watched_and_disrupted_one_by_one(rendered: Rendered) -> None:
    budgets = [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(rendered, "PodDisruptionBudget")]
    for deployment in of_kind(rendered, "Deployment"):
        assert deployment["spec"]["selector"]["matchLabels"] in budgets
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert {"startupProbe", "livenessProbe"} <= container.keys()
        port = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert container["livenessProbe"]["httpGet"]["port"] in port


def test_a_worker_serves_its_probes(rendered: Rendered) -> None:
    for pod in workers(rendered).values():
        (port,) = pod["containers"][0]["ports"]
        variables = env(rendered, pod)
        assert int(variables["RIFFUSION_WORKER_METRICS_PORT"]) == port["containerPort"]
        assert variables["RIFFUSION_WORKER_METRICS_HOST"] == "0.0.0.0"


def test_there_is_a_worker_for_each_model() -> None:
    rendered = render("managed")
    large, small = workers(rendered).values()
    assert env(rendered, large)["RIFFUSION_MODEL"] == "Org/Large_1.5"
    assert (env(rendered, large)["RIFFUSION_DEVICE"], env(rendered, small)["RIFFUSION_DEVICE"]) == ("cuda", "cpu")
    assert large["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in small["containers"][0]["resources"]["limits"]
    assert large["nodeSelector"] == {"gpu": "h200"}
    assert env(rendered, pods(rendered)["release-api"])["RIFFUSION_MODEL"] == "Org/Large_1.5"
    deployments = {each["metadata"]["name"]: each["spec"] for each in of_kind(rendered, "Deployment")}
    assert "replicas" not in deployments["release-worker-large"]  # an upgrade would undo what KEDA has set
    assert deployments["release-worker-small"]["replicas"] == 3


def test_what_is_downloaded_and_compiled_has_a_place(rendered: Rendered) -> None:
    for pod in workers(rendered).values():
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"] if not mount.get("readOnly")}
        assert mounts == {"/tmp", "/cache"}  # noqa: S108 -- the container's


def test_scaling_counts_what_runs_and_what_waits() -> None:
    rendered = render("managed")
    (scaled,) = of_kind(rendered, "ScaledObject")
    assert scaled["spec"]["scaleTargetRef"]["name"] == "release-worker-large"
    (trigger,) = scaled["spec"]["triggers"]
    labels = 'model="Org/Large_1.5", namespace="music"'
    assert trigger["metadata"]["query"] == (
        f"max(riffusion_waiting_work_seconds{{{labels}}}) / 20 + max(riffusion_running_jobs{{{labels}}}) / 16"
    )
    # Without data all stays as it is: nothing that may be busy is stopped.
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert scaled["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_versions_are_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    images = yaml.safe_load((CHART / "values.yaml").read_text())["images"]
    assert chart["appVersion"] == __version__
    assert images["api"] == f"riffusion-api:{__version__}"
    assert images["worker"] == f"riffusion-worker:{__version__}"


def test_every_value_is_explained() -> None:
    explained = (CHART / "README.md").read_text()
    for name in yaml.safe_load((CHART / "values.yaml").read_text()):
        assert f"`{name}" in explained


def test_the_notes_name_what_was_installed() -> None:
    ran = helm("install", "release", CHART, "--values", VALUES["plain"], "--dry-run=client", "--kubeconfig", os.devnull)
    assert ran.returncode == 0, ran.stderr
    notes = ran.stdout.split("NOTES:")[1]
    rendered = render("plain")
    for kind, name in re.findall(r"(deployment/|configmap )([a-z-]+)", notes):
        assert named(rendered, {"deployment/": "Deployment", "configmap ": "ConfigMap"}[kind], name)
    assert "riffusion keys create" in notes


def test_the_example_redis_keeps_what_was_accepted_as_composes_does() -> None:
    compose = yaml.safe_load((KUBERNETES.parents[1] / "docker-compose.yml").read_text())["services"]["redis"]["command"]
    (redis,) = pods(example("redis.yaml")).values()
    command = redis["containers"][0]["command"]
    assert command[: len(compose)] == [re.sub(r"\$\{.*:-(.*)}", r"\1", part) for part in compose]
    assert command[len(compose) :] == ["--requirepass", "$(REDISCLI_AUTH)"]
