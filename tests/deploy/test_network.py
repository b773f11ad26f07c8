"""What the chart lets through: the Ingress' paths, and who may reach what by the network policies."""

from typing import Any

from api.app import create_app
from riffusion.jobs.webhooks import public_address
from tests.deploy.conftest import Manifest, Rendered, named, of_kind, render


def test_the_proxy_passes_on_what_clients_use_and_nothing_else() -> None:
    (rule,) = named(render("managed"), "Ingress", "release-api")["spec"]["rules"]
    paths = [(path["path"], path["pathType"]) for path in rule["http"]["paths"]]

    def passed(route: str) -> bool:
        return any(route == path or (kind == "Prefix" and route.startswith(f"{path}/")) for path, kind in paths)

    routes = {rule.rule for rule in create_app().url_map.iter_rules()}
    assert {route for route in routes if not passed(route)} == {"/metrics", "/readyz"}


def policy(rendered: Rendered, name: str) -> Manifest:
    spec: Manifest = named(rendered, "NetworkPolicy", f"release-{name}")["spec"]
    return spec


def test_nothing_is_reached_that_isnt_named() -> None:
    rendered = render("plain")
    everything = policy(rendered, "default-deny")
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & everything.keys()
    for deployment in of_kind(rendered, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert everything["podSelector"]["matchLabels"].items() <= labels
    assert [rule["ports"] for rule in policy(rendered, "api")["ingress"]] == [[{"port": 8000, "protocol": "TCP"}]]
    assert [rule["ports"] for rule in policy(rendered, "worker")["ingress"]] == [[{"port": 9100, "protocol": "TCP"}]]
    assert len(policy(rendered, "worker")["egress"]) == 3  # names, Redis, storage
    assert len(policy(rendered, "api")["egress"]) == 4  # and webhooks


def test_webhooks_reach_public_addresses_only() -> None:
    closed: dict[str, list[str]] = {
        block["ipBlock"]["cidr"]: block["ipBlock"]["except"]
        for block in policy(render("managed"), "api")["egress"][-1]["to"]
    }
    # As the dispatcher itself closes them, and the cluster's own.
    expected: dict[str, Any] = {
        "0.0.0.0/0": [*map(str, public_address._CLOSED_V4), "34.118.224.0/20"],
        str(public_address._GLOBAL_V6): [*map(str, public_address._CLOSED_V6), "2600:1900::/28"],
    }
    assert closed == expected
