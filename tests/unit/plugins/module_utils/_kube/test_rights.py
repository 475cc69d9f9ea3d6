# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles have the rights that the code asks for, and no other; what is missing is named before anything is touched."""

from __future__ import annotations

import importlib
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.outward.kubelet.plugins.module_utils import _kube
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import OURS
from ansible_collections.outward.kubelet.plugins.module_utils._kube import (
    access,
    bootstrap,
    cordon,
    lock,
    notice,
    rights,
    signing,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.access import Token, allowed, ensure, lacking, mint
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.refusal import Question
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import (
    RIGHTS,
    ROLES,
    Role,
    complaint,
    manifest,
)
from tests.tools.rbac import PLACE, text
from tests.unit.api_server import FakeApi, serving

JSON = t.Any


def questions() -> dict[str, Question]:
    """Every question that a module of _kube puts to the API, by where it stands."""
    found = {}
    for file in Path(next(iter(_kube.__path__))).glob("*.py"):
        module = importlib.import_module(f"{_kube.__name__}.{file.stem}")
        for name, value in vars(module).items():
            if isinstance(value, Question):
                found[f"{file.stem}.{name}"] = value
    return found


def granted(role: Role, whom: str = "") -> set[tuple[str, ...]]:
    """(namespace, group, resource, verb, name) that a manifest gives (to others, if *whom* is given); the last is
    empty for any.
    """
    return {
        (item["metadata"].get("namespace", ""), group, resource, verb, name)
        for item in manifest(role)
        if item["metadata"]["name"] == f"outward-kubelet-{whom or role}"
        for rule in item.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def wanted(question: Question) -> set[tuple[str, ...]]:
    """The same of one question."""
    group, resource, subresource = rights.named(question.resource)
    whole = f"{resource}/{subresource}" if subresource else resource
    return {(question.namespace, group, whole, question.verb, name) for name in question.names or ("",)}


def test_every_question_is_a_right_of_the_role_that_it_names() -> None:
    found = questions()
    assert len(found) > 10
    missing = {
        where: question
        for where, question in found.items()
        if question.role in ROLES and question not in RIGHTS[question.role]
    }
    assert missing == {}
    assert {question.role for question in found.values()} <= {*ROLES, "everybody"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_what_is_asked_for_and_nothing_else(role: Role) -> None:
    assert granted(role) == set().union(*(wanted(question) for question in RIGHTS[role]))


@pytest.mark.parametrize("role", ROLES)
def test_no_right_is_there_for_nothing(role: Role) -> None:
    asked = {q for where, q in questions().items() if not where.startswith("rights.")}
    assert set(RIGHTS[role]) <= asked


def test_a_bootstrap_token_may_read_what_kubeadm_reads_and_nothing_else() -> None:
    assert granted("certificates", "join") == set().union(*(wanted(question) for question in bootstrap.TO_JOIN))
    assert {right[3] for right in granted("certificates", "join")} == {"get"}
    bindings = [item for item in manifest("certificates") if "subjects" in item]
    tokens = {item["metadata"]["name"] for item in bindings if item["subjects"][0]["kind"] == "Group"}
    assert tokens == {"outward-kubelet-bootstrap", "outward-kubelet-join"}
    assert {item["subjects"][0]["name"] for item in bindings if item["subjects"][0]["kind"] == "Group"} == {OURS}


def test_who_may_only_look_can_change_nothing() -> None:
    assert {right[3] for right in granted("diagnose")} == {"get", "list"}
    assert ("", "", "secrets", "get", "") not in granted("certificates")
    assert not any("*" in right for role in ROLES for right in granted(role))


@pytest.mark.parametrize("role", ROLES)
def test_the_manifests_are_written_from_the_code(role: Role) -> None:
    """`make docs` writes them."""
    assert (PLACE / f"{role}.yml").read_text() == text(role)
    assert yaml.safe_load(text(role))["items"] == manifest(role)


@pytest.mark.parametrize(
    ("resource", "parts"),
    [
        ("nodes", ("", "nodes", "")),
        ("pods/eviction", ("", "pods", "eviction")),
        ("leases.coordination.k8s.io", ("coordination.k8s.io", "leases", "")),
        (
            "certificatesigningrequests.certificates.k8s.io/approval",
            ("certificates.k8s.io", "certificatesigningrequests", "approval"),
        ),
    ],
)
def test_a_resource_and_its_parts(resource: str, parts: tuple[str, str, str]) -> None:
    assert rights.named(resource) == parts


def test_a_manifest_without_one_right() -> None:
    whole, less = granted("recover"), manifest("recover", cordon.PATCH)
    verbs = [rule for item in less for rule in item.get("rules", ()) if rule["resources"] == ["nodes"]]
    assert verbs == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
    assert ("", "", "nodes", "patch", "") in whole
    assert not [item for item in manifest("recover", notice.EVENT) if item["metadata"].get("namespace") == "default"]


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    with serving() as server:
        yield server


@pytest.fixture
def api(fake: FakeApi) -> Iterator[Api]:
    with connect(Access(host=fake.url, api_key="secret-token"), {}) as connection:
        yield connection


def reviewing(fake: FakeApi, denied: t.Callable[[JSON], bool]) -> list[JSON]:
    """Answer reviews; what was asked comes into the list."""
    seen: list[JSON] = []

    def answer(body: JSON) -> tuple[int, JSON]:
        about = body["spec"]["resourceAttributes"]
        seen.append(about)
        return 201, {**body, "status": {"allowed": not denied(about)}}

    fake.answers[access.REVIEW.path] = answer
    return seen


@pytest.mark.parametrize("role", ROLES)
def test_each_right_that_is_removed_is_named_alone(role: Role, fake: FakeApi, api: Api) -> None:
    for removed in RIGHTS[role]:
        ((namespace, group, resource, verb, _name), *_more) = wanted(removed)

        def denied(about: JSON, right: tuple[str, ...] = (namespace, group, resource, verb)) -> bool:
            whole = f"{about['resource']}/{about['subresource']}" if about["subresource"] else about["resource"]
            return (about["namespace"], about["group"], whole, about["verb"]) == right

        reviewing(fake, denied)
        assert lacking(api, role) == (removed,)


def test_every_named_object_is_asked_for(fake: FakeApi, api: Api) -> None:
    seen = reviewing(fake, lambda about: about["name"] == "kubernetes.io/kubelet-serving")
    assert not allowed(api, signing.SIGNERS)
    assert [about["name"] for about in seen] == list(signing.SIGNERS.names)
    assert allowed(api, lock.GET)
    assert seen[-1] == {
        "group": "coordination.k8s.io",
        "resource": "leases",
        "subresource": "",
        "verb": "get",
        "namespace": "kube-system",
        "name": "outward-kubelet-3",
    }


def test_all_that_is_missing_is_one_sentence_for_a_person() -> None:
    assert complaint("/home/anna/.kube/config", "recover", [cordon.PATCH, notice.EVENT]) == (
        "/home/anna/.kube/config lacks 2 of the rights that recover needs: patch nodes; create events.events.k8s.io in the"
        " namespace default. Nothing was touched. An admin gives them with kubectl apply -f rbac/recover.yml (in"
        " examples/pi-cluster), or makes a kubeconfig with exactly these rights with the playbook"
        " outward.kubelet.cluster_access (outward_access=recover)"
    )


def test_a_role_is_made_once_and_mended_when_it_differs(fake: FakeApi, api: Api) -> None:
    would = ensure(api, "recover", True)
    assert (len(would), fake.written) == (len(manifest("recover")), {})
    assert ensure(api, "recover", False) == would
    assert "Role/outward-kubelet-recover in kube-node-lease" in would
    assert ensure(api, "recover", False) == []
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/outward-kubelet-recover"
    fake.written[path]["rules"].append({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    assert ensure(api, "recover", False) == ["ClusterRole/outward-kubelet-recover"]
    assert fake.written[path]["rules"] == manifest("recover")[2]["rules"]
    assert ("PATCH", "application/merge-patch+json") in fake.kinds


def test_a_token_is_minted_and_never_shown(fake: FakeApi, api: Api) -> None:
    asked: list[JSON] = []

    def answer(body: JSON) -> tuple[int, JSON]:
        asked.append(body["spec"])
        return 201, {"status": {"token": "s3cret", "expirationTimestamp": "2026-11-23T16:00:00Z"}}

    fake.answers["/api/v1/namespaces/outward-kubelet/serviceaccounts/recover/token"] = answer
    token = mint(api, "recover", 3600)
    assert asked == [{"expirationSeconds": 3600}]
    assert token == Token("s3cret", "2026-11-23T16:00:00Z")
    assert "s3cret" not in repr(token)
    document = access.kubeconfig(api.cluster(), "recover", token)
    assert document["clusters"][0]["cluster"] == {"server": fake.url}
    assert document["users"] == [{"name": "outward-kubelet-recover", "user": {"token": "s3cret"}}]


def test_who_is_no_admin_is_told_so(fake: FakeApi, api: Api) -> None:
    fake.refusals["/api/v1/namespaces/outward-kubelet"] = (403, '{"message": "User \\"poor\\" cannot get"}')
    with pytest.raises(KubeError, match=r"the user poor of the option api_key may not get namespaces .* cluster admin"):
        ensure(api, "diagnose", False)


def test_a_role_that_has_no_effect_is_told(fake: FakeApi, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "EFFECT", 1.0)
    monkeypatch.setattr(access, "PAUSE", 0.01)
    seen = reviewing(fake, lambda about: (about["verb"], about["resource"]) == ("patch", "nodes"))
    with pytest.raises(
        KubeError, match=r"does not grant what the roles say \(patch nodes\): does it authorize by RBAC"
    ):
        access.await_effect(api, "recover")
    assert len(seen) >= 2 * len(RIGHTS["recover"])
