# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From evidence to a verdict: each cause with its near misses, and how causes order each other.

The evidence here is made by hand, one thing changed each, to show the edge of each rule; that the rules hold on
a real node is shown by the recordings (test_recordings.py).
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose, fingerprint
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from tests.unit.helpers import GIB, NOW, certificate, file, healthy_node
from tests.unit.helpers_cluster import conditions, container, healthy_cluster, lease, pod

Changes = dict[str, t.Any]
STOPPED: Changes = {
    "kubelet__unit__active_state": "inactive",
    "kubelet__unit__sub_state": "dead",
    "kubelet__unit__main_pid": 0,
    "kubelet__unit__process_state": None,
    "kubelet__healthz": n.Endpoint("refused", None, "", 0.0),
}
SILENT: Changes = {"node__lease": lease(120), "node__conditions": conditions(Ready="Unknown")}
LOOPING: Changes = {**STOPPED, "kubelet__unit__active_state": "activating", "kubelet__unit__sub_state": "auto-restart"}
FROZEN: Changes = {"kubelet__unit__process_state": "T", "kubelet__healthz": n.Endpoint("timeout", None, "", 3.0)}
NO_SOCKET: Changes = {
    "runtime__cri__outcome": "refused",
    "runtime__unit__active_state": "inactive",
    "runtime__unit__sub_state": "dead",
}
HUNG: Changes = {"runtime__cri__outcome": "timeout", "runtime__unit__process_state": "T"}
EXPIRED = n.Certificate(**{**vars(certificate("p")), "not_after": NOW - timedelta(days=1)})
NO_SWAP: Changes = {"pressure__swap_devices": ("/swapfile",)}


def journal(text: str, *, current: bool = True) -> n.Journal:
    """A journal of one line."""
    return n.Journal((n.LogLine(text, 1, 100.0, 100.0, current),), False)


UNKNOWN_FLAG = 'run.go:74] "command failed" err="failed to parse kubelet flag: unknown flag: --container-runtime"'
GIVEN_UP = "kubelet.service: Start request repeated too quickly."
BAD_TOML = "containerd: failed to load TOML from /etc/containerd/config.toml: expected value"
CRASH = container("waiting", "CrashLoopBackOff", last=("Error", 1))
NO_TAG = container("waiting", "ImagePullBackOff", 'Back-off pulling image "x:y": ErrImagePull: x:y: not found')
NO_ROUTE = container("waiting", "ImagePullBackOff", "Back-off: dial tcp 10.0.0.1:443: i/o timeout")


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({}, {}, []),
        (STOPPED, SILENT, ["kubelet-stopped"]),
        ({**STOPPED, "kubelet__unit__result": "exit-code"}, SILENT, []),
        ({**STOPPED, "kubelet__unit__load_state": "masked"}, SILENT, ["kubelet-unit-masked"]),
        ({**STOPPED, "kubelet__unit__unit_file_state": "disabled"}, SILENT, ["kubelet-unit-disabled"]),
        ({"kubelet__unit__unit_file_state": "disabled"}, {}, []),
        ({**LOOPING, "kubelet__journal": journal(UNKNOWN_FLAG)}, SILENT, ["kubelet-unknown-flag"]),
        ({"kubelet__journal": journal(UNKNOWN_FLAG, current=False)}, {}, []),
        ({**LOOPING, "kubelet__config__file": file("/c", exists=False)}, SILENT, ["kubelet-config-missing"]),
        ({"kubelet__config__file": file("/c", exists=False)}, {}, []),
        ({**LOOPING, "kubelet__config__problem": "line 3: no key"}, SILENT, ["kubelet-config-invalid"]),
        ({**LOOPING, **NO_SWAP}, SILENT, ["kubelet-swap-on"]),
        ({**LOOPING, **NO_SWAP, "kubelet__config__fail_swap_on": False}, SILENT, []),
        (NO_SWAP, {}, []),
        (FROZEN, SILENT, ["kubelet-syncloop-stuck"]),
        ({"kubelet__healthz": n.Endpoint("timeout", None, "", 3.0)}, {}, []),
    ],
)
def test_kubelet(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).root_causes == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (NO_SOCKET, ["containerd-down"]),
        ({"runtime__cri__outcome": "refused"}, ["containerd-socket-permission"]),
        ({**NO_SOCKET, "runtime__journal": journal(BAD_TOML)}, ["containerd-config-invalid"]),
        ({"runtime__journal": journal(BAD_TOML)}, []),
        (HUNG, ["containerd-hung"]),
        ({**HUNG, **FROZEN}, ["containerd-hung"]),
        ({"runtime__cri__outcome": "timeout"}, []),
        ({"network__cni__configs": (), "runtime__cri__network_ready": False}, ["cni-config-missing"]),
        ({"runtime__cri__network_ready": False}, []),
    ],
)
def test_runtime(changes: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster()).root_causes == expected


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**LOOPING, "certificates__client": EXPIRED}, SILENT, ["kubelet-client-cert-expired"]),
        ({"certificates__client": EXPIRED}, {}, []),
        (
            {**LOOPING, "certificates__client": EXPIRED, "network__api__offset": -86400.0},
            SILENT,
            ["kubelet-client-cert-expired", "clock-skew-past"],
        ),
        (
            {**LOOPING, "certificates__client": EXPIRED, "network__api__offset": 172800.0},
            SILENT,
            ["clock-skew-future"],
        ),
        ({**LOOPING, "certificates__client_file": file("/p", exists=False)}, SILENT, ["kubelet-client-pem-missing"]),
        (
            {
                **LOOPING,
                "certificates__client_file": file("/p", exists=False),
                "certificates__bootstrap_kubeconfig": file("/b"),
            },
            SILENT,
            [],
        ),
        ({}, {"node": None}, ["node-object-deleted"]),
        (STOPPED, {"node": None}, ["kubelet-stopped"]),
        ({"network__api__offset": -600.0}, {}, ["clock-skew-past"]),
        ({"network__api__offset": -20.0}, {}, []),
        ({}, {"node__lease": lease(-600)}, ["node-ready-stale-after-clock-step"]),
        ({"network__api__offset": -600.0}, {"node__lease": lease(600)}, ["clock-skew-past"]),
    ],
)
def test_identity_and_clock(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).root_causes == expected


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({"pressure__nodefs__available": GIB // 2}, {}, ["disk-pressure-nodefs"]),
        ({"pressure__nodefs__available": GIB}, {}, []),
        ({"pressure__memory_available": 50 * 1024**2}, {}, ["memory-pressure"]),
        ({"pressure__memory_free_estimate": 20 * 1024**2}, {}, []),
        (
            {"pressure__memory_free_estimate": 20 * 1024**2, "pressure__psi_memory": n.Stall(12.5, 4.1)},
            {},
            ["memory-pressure"],
        ),
        ({"storage__read_only": (healthy_node().pressure.rootfs,)}, {}, ["rootfs-read-only"]),
        ({"storage__read_only": (healthy_node().pressure.rootfs,), "storage__overlay_root": True}, {}, []),
        ({"network__api__outcome": "timeout"}, SILENT, ["apiserver-firewalled"]),
        ({"network__api__outcome": "refused"}, SILENT, []),
        ({}, {"node__pods": (pod("a", CRASH), pod("b", container()))}, ["app-crashloop"]),
        ({}, {"node__pods": (pod("a", CRASH), pod("b", CRASH))}, []),
        ({}, {"node__pods": (pod("a", NO_TAG),)}, ["imagepull-bad-tag"]),
        ({}, {"node__pods": (pod("a", NO_ROUTE),)}, []),
        ({}, {"node__unschedulable": True}, ["node-cordoned"]),
    ],
)
def test_resources_network_and_applications(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).root_causes == expected


@pytest.mark.parametrize(
    ("changes", "api", "status"),
    [
        ({}, {}, "healthy"),
        (NO_SWAP, {}, "healthy"),
        (STOPPED, SILENT, "faulty"),
        ({"kubelet__unit__restarts": 7, "kubelet__unit__started": 3590.0}, {}, "unknown"),
        ({"kubelet__unit__restarts": 7}, {}, "healthy"),
        ({}, {"node__conditions": conditions(Ready="False")}, "unknown"),
        ({"kubelet__healthz": unknown("no answer")}, {}, "unknown"),
        ({}, {"node__unschedulable": True}, "not-a-node-fault"),
        (STOPPED, {**SILENT, "node__unschedulable": True}, "faulty"),
    ],
)
def test_status(changes: Changes, api: Changes, status: str) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).status == status


def test_what_would_break_only_a_restart_is_latent() -> None:
    diagnosis = diagnose(healthy_node(**NO_SWAP), healthy_cluster())
    assert [(f.cause.id, f.role) for f in diagnosis.findings] == [("kubelet-swap-on", "latent")]


def test_the_api_server_down_outweighs_what_is_wrong_here() -> None:
    gone = unknown("the API server does not answer the controller")
    cluster = healthy_cluster(api__reachable=False, api__problem="refused", fleet=gone, node=gone)
    diagnosis = diagnose(healthy_node(**STOPPED), cluster)
    assert (diagnosis.status, set(diagnosis.root_causes)) == ("external", {"kubelet-stopped", "apiserver-unavailable"})


def test_fingerprint_is_of_the_fault_and_not_of_its_time() -> None:
    first = diagnose(healthy_node(**{**STOPPED, "kubelet__unit__inactive_since": 10.0}), healthy_cluster(**SILENT))
    again = diagnose(healthy_node(**{**STOPPED, "kubelet__unit__inactive_since": 99.0}), healthy_cluster(**SILENT))
    other = diagnose(healthy_node(**FROZEN), healthy_cluster(**SILENT))
    assert fingerprint(first) == fingerprint(again) != fingerprint(other)


LAST_WORDS = {
    "kubelet-feature-gate-invalid": "panic: unrecognized feature gate: NoSuchGate",
    "kubelet-cgroup-v1-refused": 'err="failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1."',
    "kubelet-cpu-manager-checkpoint": 'please drain this node and delete the CPU manager checkpoint file "/var/lib/kubelet/cpu_manager_state"',
    "kubelet-memory-manager-checkpoint": 'please drain this node and delete the memory manager checkpoint file "/x"',
    "kubelet-pod-state-checkpoint": "panic: please drain this node and delete pod allocation checkpoint file",
    "kubelet-port-10250-in-use": '"Failed to listen and serve" err="listen tcp 0.0.0.0:10250: bind: address already in use"',
}


@pytest.mark.parametrize(("cause", "words"), LAST_WORDS.items())
def test_a_start_that_fails_is_known_by_its_last_words(cause: str, words: str) -> None:
    looping = healthy_node(**{**LOOPING, "kubelet__journal": journal(words, current=False)})
    calm = healthy_node(kubelet__journal=journal(words))
    assert diagnose(looping, healthy_cluster(**SILENT)).root_causes == [cause]
    assert diagnose(calm, healthy_cluster()).root_causes == []


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**STOPPED, "kubelet__binary": file("/b", exists=False)}, SILENT, ["kubelet-not-installed"]),
        (
            {**LOOPING, "kubelet__unit__exit_code": 1, "kubelet__unit__exit_status": 203},
            SILENT,
            ["kubelet-exec-failed"],
        ),
        ({**LOOPING, "certificates__client_problem": "empty"}, SILENT, ["kubelet-client-pem-corrupt"]),
        ({"certificates__client_problem": "empty"}, {}, []),
        (
            {**LOOPING, "certificates__kubeconfig__file": file("/k", exists=False)},
            SILENT,
            ["kubelet-kubeconfig-missing"],
        ),
        (
            {**LOOPING, "certificates__client_ca_file": file("/ca", exists=False)},
            SILENT,
            ["kubelet-client-ca-file-missing"],
        ),
        ({"network__api__status": 401}, SILENT, ["kubelet-client-ca-rejected"]),
        ({"network__api__status": 401, "network__api__offset": 90000.0}, SILENT, ["clock-skew-future"]),
        ({"network__api__outcome": "tls"}, SILENT, ["apiserver-ca-mismatch"]),
        ({"network__api__outcome": "unresolvable"}, SILENT, ["apiserver-dns-failure"]),
        ({"network__cni__problem": "no plugins", "runtime__cri__network_ready": False}, {}, ["cni-config-invalid"]),
        ({"network__cni__problem": "no plugins"}, {}, []),
        ({"network__cni__missing_plugins": ("bridge",)}, {}, ["cni-binary-missing"]),
        (
            {"runtime__cri__outcome": "unimplemented", "runtime__cri__runtime": None, "runtime__cri_disabled": True},
            {},
            ["containerd-cri-disabled"],
        ),
        ({"storage__network_mounts": (n.Mount("/mnt", "srv:/x", "nfs4", False),)}, {}, ["nfs-mount-hung"]),
        ({"storage__network_mounts": (n.Mount("/mnt", "srv:/x", "nfs4", True),)}, {}, []),
    ],
)
def test_further_causes(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).root_causes == expected


def test_the_reason_outlives_the_crash_loop_that_systemd_has_ended() -> None:
    lines = (n.LogLine(UNKNOWN_FLAG, 5, 90.0, 99.0, False), n.LogLine(GIVEN_UP, 1, 100.0, 100.0, True))
    failed = {**STOPPED, "kubelet__unit__active_state": "failed", "kubelet__unit__result": "exit-code"}
    ended = {**failed, "kubelet__unit__restarts": 5, "kubelet__journal": n.Journal(lines, False)}
    diagnosis = diagnose(healthy_node(**ended), healthy_cluster(**SILENT))
    found = {finding.cause.id: finding.role for finding in diagnosis.findings}
    assert found == {"kubelet-unknown-flag": "root", "kubelet-start-limit-hit": "explained"}
    once = {**failed, "kubelet__journal": journal(UNKNOWN_FLAG, current=False)}
    assert diagnose(healthy_node(**once), healthy_cluster(**SILENT)).root_causes == []


def test_images_on_the_kubelets_filesystem_count_by_their_own_threshold() -> None:
    limits = {"nodefs.available": "10%", "imagefs.available": "15%"}
    shared = {"kubelet__config__eviction_hard": limits, "pressure__imagefs__mount_point": "/"}
    for left, expected in ((12, ["disk-pressure-nodefs"]), (16, [])):
        node = healthy_node(**shared, pressure__nodefs__available=8 * GIB * left // 100)
        assert diagnose(node, healthy_cluster()).root_causes == expected


def test_inodes_and_image_filesystem_have_thresholds_of_their_own() -> None:
    images = n.Filesystem("/var/lib/containerd", "/data", "/dev/vdb", "ext4", False, GIB, GIB // 10, 1000, 20)
    limits = {"imagefs.available": "15%", "imagefs.inodesFree": "5%"}
    node = healthy_node(pressure__imagefs=images, kubelet__config__eviction_hard=limits)
    assert diagnose(node, healthy_cluster()).root_causes == ["disk-pressure-imagefs", "inode-exhaustion"]


@pytest.mark.parametrize(
    ("api", "status"),
    [({}, "healthy"), ({"node__pods": (pod("a", CRASH), pod("b", container()))}, "not-a-node-fault")],
    ids=["nothing", "app-crashloop"],
)
def test_a_node_is_not_cleared_while_a_rule_cannot_tell(api: Changes, status: str) -> None:
    assert diagnose(healthy_node(), healthy_cluster(**api)).status == status
    silent = diagnose(healthy_node(runtime__journal=unknown("journal: no answer in 4 s")), healthy_cluster(**api))
    assert all(check.ok for check in silent.checks)
    assert silent.status == "unknown"
    assert silent.unknown == ("journal: no answer in 4 s",)
