# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a machine is a node of the cluster, and whether it may become one."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.membership import (
    Ground,
    Site,
    Wanted,
    barred,
    fingerprints,
    outside,
    refusals,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import ApiPath, NodeEvidence
from tests.unit.helpers import GIB, NOW, certificate, file, filesystem, healthy_node
from tests.unit.helpers_cluster import healthy_cluster

PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
CA = "aa" * 32
MACHINE = "0123456789abcdef" * 2
GROUND = Ground("v1.37.2", "v1.37.2", (), ("systemd-timesyncd.service",))
WANTED = Wanted("pi-04", "10.77.0.14", "v1.37.2", (CA,))
ANONYMOUS = ApiPath(
    "https://10.77.0.1:6443", "ok", "HTTP 200; asked without a certificate", ("10.77.0.1",), 200, NOW, 0.2
)
FRESH: t.Final[dict[str, t.Any]] = {
    "identity__machine_id": MACHINE,
    "kubelet__unit__active_state": "inactive",
    "kubelet__unit__sub_state": "dead",
    "kubelet__unit__main_pid": 0,
    "kernel__pod_cgroup_drivers": (),
    "certificates__kubeconfig__file": file("/etc/kubernetes/kubelet.conf", exists=False),
    "certificates__client": None,
    "certificates__client_file": file(PEM, exists=False),
    "certificates__ca": None,
    "network__api": unknown("/etc/kubernetes/kubelet.conf: No such file or directory"),
}
HALF: t.Final[dict[str, t.Any]] = {
    **FRESH,
    "certificates__kubeconfig__file": file("/etc/kubernetes/kubelet.conf"),
    "kubelet__unit__main_pid": 700,
}
JOINED: t.Final[dict[str, t.Any]] = {
    "identity__machine_id": MACHINE,
    "certificates__ca": amended(certificate("/etc/kubernetes/kubelet.conf"), fingerprint=CA),
}


def site(api: ApiPath = ANONYMOUS, ground: Ground = GROUND, wanted: Wanted = WANTED, **changes: t.Any) -> Site:
    """A fresh machine but for *changes*."""
    found = healthy_node(**{**FRESH, **changes})
    return Site(found, amended(found, network=amended(found.network, api=api)), ground, wanted)


def said(where: Site) -> list[str]:
    return [refusal.words for refusal in refusals(where)]


def test_a_fresh_machine_may_join() -> None:
    assert said(site()) == []


def test_one_that_came_half_way_may_join_too() -> None:
    assert said(site(ground=amended(GROUND, ports=(10250, 10248)), **HALF)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity__hostname": "raspberrypi"}, "sudo hostnamectl set-hostname pi-04"),
        ({"identity__machine_id": ""}, "it has no machine-id"),
        ({"identity__addresses": ("10.77.0.99",)}, "the inventory gives it 10.77.0.14, and it has 10.77.0.99"),
        ({"profile__name": "k3s"}, "joins in its own way"),
        ({"kernel__pod_cgroup_drivers": ("systemd",)}, "certificates-recover.yml"),
        ({"runtime__cri__outcome": "unimplemented"}, "take cri out of disabled_plugins"),
        ({"runtime__cri__outcome": "no-socket"}, "sudo systemctl start containerd.service"),
        ({"runtime__cri__runtime_ready": False}, "the container runtime is not ready"),
        ({"kernel__cgroup_version": 1}, "cgroup v1"),
        ({"kernel__cgroup_controllers": ("cpu", "pids")}, "cgroup_enable=memory"),
        ({"pressure__nodefs": amended(filesystem("/var/lib/kubelet"), available=GIB // 2)}, "evicts Pods below 10%"),
        ({"pressure__imagefs": amended(filesystem("/x"), available=GIB)}, "evicts Pods below 15%"),
        ({"pressure__nodefs": amended(filesystem("/x"), inodes_free=9)}, "9 inodes left"),
        ({"kubelet__unit__load_state": "masked"}, "masked"),
        ({"kernel__upkeep": ("apt-get (pid 7)",)}, "at work on the node: apt-get (pid 7)"),
        ({"clock__synchronized": False, "clock__service": None}, None),
        ({"pressure__swap_devices": ("/swap",)}, None),
        ({"kernel__sysctls": {}}, None),
    ],
)
def test_what_is_checked_before_anything_is_touched(changes: dict[str, t.Any], words: str | None) -> None:
    """What can be set is none of it."""
    found = said(site(**changes))
    assert (found == []) if words is None else any(words in each for each in found), found


@pytest.mark.parametrize(
    ("ground", "words"),
    [
        ({"kubelet": None}, "kubelet cannot be run: install kubelet and kubeadm v1.37 (https://pkgs.k8s.io)"),
        ({"kubelet": None, "kubeadm": None}, "kubelet and kubeadm cannot be run"),
        ({"kubelet": "v1.38.0", "kubeadm": "v1.38.0"}, "kubelet v1.38.0 does not go with an API server v1.37.2"),
        ({"kubelet": "v1.33.9"}, "kubelet v1.33.9 does not go with an API server v1.37.2"),
        ({"kubelet": "v1.36.0", "kubeadm": "v1.36.0"}, "kubeadm v1.36.0 cannot join"),
        ({"kubeadm": "v1.39.0"}, "kubeadm v1.39.0 cannot join"),
        ({"kubelet": "v1.34.1"}, None),
        ({"kubeadm": "v1.38.0"}, None),
        ({"ports": (10250,)}, "somebody else listens on the kubelet's port 10250"),
        (
            {"kubeadm": unknown("kubeadm: no answer within 20 s")},
            "cannot tell whether the releases go together: kubeadm",
        ),
    ],
)
def test_programs_and_ports(ground: dict[str, t.Any], words: str | None) -> None:
    found = said(site(ground=amended(GROUND, **ground)))
    assert (found == []) if words is None else any(words in each for each in found), found


@pytest.mark.parametrize(
    ("api", "changes", "words"),
    [
        ({"outcome": "unresolvable", "detail": "kube.home"}, {}, "cannot be reached from it (unresolvable: kube.home)"),
        ({"outcome": "refused"}, {}, "cannot be reached from it"),
        ({"outcome": "tls", "detail": "self-signed"}, {}, "cannot be reached from it (tls: self-signed)"),
        ({"offset": -9e8}, {}, "although it is synchronised"),
        ({"offset": -9e8}, {"clock__synchronized": False}, None),
    ],
)
def test_the_way_to_the_cluster(api: dict[str, t.Any], changes: dict[str, t.Any], words: str | None) -> None:
    """A clock of 1970 that nobody has set yet will be set."""
    found = said(site(amended(ANONYMOUS, **api), **changes))
    assert (found == []) if words is None else any(words in each for each in found), found


def test_a_clock_that_nobody_can_set() -> None:
    found = said(site(ground=amended(GROUND, time_services=()), clock__synchronized=False, clock__service=None))
    assert found == ["nobody sets its clock: sudo apt install systemd-timesyncd"]


@pytest.mark.parametrize(
    ("client", "authority", "words"),
    [
        ({"common_name": "system:node:pi-05"}, CA, "it has the identity system:node:pi-05 already"),
        ({}, "bb" * 32, "it belongs to another cluster"),
        ({}, CA, "it has joined, or is about to"),
        ({"key_matches": False}, CA, None),
    ],
)
def test_whose_it_is(client: dict[str, t.Any], authority: str, words: str | None) -> None:
    ours = {
        "certificates__client": amended(certificate(PEM), **client),
        "certificates__ca": amended(certificate("/etc/kubernetes/kubelet.conf"), fingerprint=authority),
        "network__api": healthy_node().network.api,
    }
    found = said(site(**{**HALF, **ours}))
    assert (found == []) if words is None else any(words in each for each in found), found


def test_what_a_join_has_left_half_written_and_nobody_can_read_is_no_doubt_about_whose_it_is() -> None:
    unread = unknown("no PEM certificate in it")
    assert said(site(**{**HALF, "certificates__ca": unread, "certificates__client_ca": unread})) == []
    with_client = {"certificates__client": certificate(PEM), "certificates__ca": unread}
    assert "cannot tell whether it belongs to nobody else" in said(site(**{**HALF, **with_client}))[0]


def member(**changes: t.Any) -> NodeEvidence:
    return healthy_node(**{**JOINED, **changes})


def reasons(machine: NodeEvidence, **cluster: t.Any) -> list[str]:
    return list(outside(machine, healthy_cluster(**{"node__machine_id": MACHINE, **cluster}), (CA,)))


def test_a_node_of_the_cluster_is_one() -> None:
    assert reasons(member()) == []


@pytest.mark.parametrize(
    ("changes", "cluster", "words"),
    [
        (FRESH, {}, "no client certificate"),
        ({"certificates__client": None}, {}, "no client certificate"),
        ({"certificates__ca": amended(certificate("x"), fingerprint="bb")}, {}, "trusts another CA"),
        (
            {"certificates__client": amended(certificate(PEM), common_name="system:node:x")},
            {},
            "none of system:node:pi-04",
        ),
        ({"certificates__client": amended(certificate(PEM), not_after=NOW - timedelta(1))}, {}, "expired 2026-11-22"),
        ({"network__api__status": 401, "network__api__outcome": "http"}, {}, "does not take its client certificate"),
        ({}, {"node": None}, "the API server has no Node pi-04"),
        ({}, {"node__machine_id": "f" * 32}, "is another machine"),
    ],
)
def test_a_file_that_exists_is_not_enough(changes: dict[str, t.Any], cluster: dict[str, t.Any], words: str) -> None:
    (found,) = reasons(member(**changes), **cluster)
    assert words in found


def test_what_cannot_be_told_is_neither() -> None:
    with pytest.raises(Undecided):
        reasons(member(certificates__client=unknown("permission denied")))


def kept_out(others: dict[str, str] | None = None, **cluster: t.Any) -> list[str]:
    look = healthy_cluster(**{"node__machine_id": MACHINE, **cluster})
    return [refusal.words for refusal in barred(healthy_node(**FRESH), look, others or {})]


GONE: t.Final[dict[str, t.Any]] = {"node__machine_id": "f" * 32}


def test_a_name_that_nobody_has_is_free() -> None:
    assert kept_out(node=None) == []


def test_a_name_that_a_live_machine_holds_is_refused() -> None:
    (words,) = kept_out(**GONE)
    assert words.startswith("the name pi-04 is held by another machine that lives (ffffffff")


def test_its_own_name_is_free_when_its_node_is_silent() -> None:
    (words,) = kept_out()
    assert words.startswith("the Node pi-04 counts as alive still")


def test_a_control_plane_node_is_not_joined() -> None:
    assert "control-plane" in kept_out(node__control_plane=True)[0]


def test_a_cloned_card_is_refused() -> None:
    (words,) = kept_out({"pi-05": MACHINE, "pi-04": MACHINE, "pi-06": "x"}, node=None)
    assert words.startswith(f"its machine-id {MACHINE} is that of pi-05 too (a cloned card)")


def test_fingerprints_are_as_evidence_has_them() -> None:
    assert fingerprints([b"a"]) == ("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",)
