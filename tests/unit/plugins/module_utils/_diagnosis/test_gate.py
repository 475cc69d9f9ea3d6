# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule of the gate, with one thing changed on a healthy node, and its near misses."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import gate
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Filesystem, Mount, Setting
from ansible_collections.outward.kubelet.tests.unit.helpers import NOW, file, filesystem, healthy_node

PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
READ_ONLY = Filesystem("/", "/", "/dev/vda", "ext4", True, 8, 5 * 1024**3, 500_000, 400_000)
NFS = "/mnt/nfs"

# what is changed on a healthy node, the rule that refuses, a part of what it says
REFUSED: list[tuple[dict[str, t.Any], str, str]] = [
    ({"kubelet__unit__load_state": "masked"}, "kubelet-unit", "kubelet.service is masked"),
    ({"kubelet__unit__load_state": "not-found"}, "kubelet-unit", "cannot load kubelet.service (not-found)"),
    ({"kubelet__binary": file("/usr/bin/kubelet", exists=False)}, "kubelet-unit", "/usr/bin/kubelet is not there"),
    ({"kubelet__config__file__exists": False}, "kubelet-config", "config.yaml is not there"),
    ({"kubelet__config__problem": "not YAML: line 3"}, "kubelet-config", "no configuration (not YAML: line 3)"),
    (
        {"kubelet__config__unknown_flags": (Setting("--cloud-config", "/etc/default/kubelet"),)},
        "kubelet-flags",
        "/etc/default/kubelet has --cloud-config",
    ),
    ({"certificates__kubeconfig__file__exists": False}, "kubeconfig", "neither /etc/kubernetes/kubelet.conf nor"),
    ({"certificates__kubeconfig__problem": "no user"}, "kubeconfig", "cannot be used (no user)"),
    ({"certificates__client": None}, "client-certificate", f"{PEM} is not there"),
    ({"certificates__client_problem": "empty"}, "client-certificate", "holds no certificate (empty)"),
    ({"certificates__client__key_matches": False}, "client-certificate", "does not belong to its certificate"),
    ({"certificates__client__not_after": NOW}, "client-certificate", "expired 2026-11-23T15:00:00Z"),
    ({"certificates__client__not_before": NOW + timedelta(hours=1)}, "client-certificate", "not valid before"),
    ({"network__api__offset": -600.0}, "client-certificate", "clock is not to be trusted (-600 s"),
    (
        {"network__api__offset": None, "clock__synchronized": False},
        "client-certificate",
        "clock is not to be trusted (not synchronised)",
    ),
    ({"certificates__client_ca_file__exists": False}, "client-ca", "clientCAFile /etc/kubernetes/pki/ca.crt"),
    ({"pressure__swap_devices": ("/swapfile",)}, "swap", "swap is on (/swapfile)"),
    ({"kernel__cgroup_version": 1}, "cgroups", "cgroup v1, which kubelet v1.37.2 refuses"),
    ({"kernel__cgroup_controllers": ("cpu", "pids")}, "cgroups", "missing: memory"),
    ({"kernel__pod_cgroup_drivers": ("cgroupfs",)}, "cgroup-driver", "configured for systemd"),
    ({"runtime__cri__outcome": "timeout"}, "cri", "does not answer (timeout"),
    ({"runtime__cri__runtime_ready": False}, "cri", "is not ready"),
    ({"pressure__inotify_instances": 117}, "inotify", "117 of 128"),
    # The lab: 18 of 14 while the kubelet ran, 12 once it was stopped; started then, it did not get its own 6.
    ({"pressure__inotify_instances": 12, "pressure__inotify_max_instances": 14}, "inotify", "12 of 14"),
    ({"pressure__rootfs": READ_ONLY}, "writable", "/ is mounted read-only"),
    ({"storage__read_only": (READ_ONLY,)}, "writable", "/ is mounted read-only"),
    ({"pressure__nodefs__available": 0}, "writable", "/ is full: 0 B left"),
    ({"pressure__nodefs__inodes_free": 3}, "writable", "3 inodes left"),
    ({"storage__fstab_missing": ("/var/lib/containerd",)}, "data-mounts", "/var/lib/containerd is in /etc/fstab"),
    ({"storage__network_mounts": (Mount(NFS, "nas:/x", "nfs4", False),)}, "network-mounts", f"{NFS} (nfs4"),
    ({"kernel__blocked_tasks": ("kubelet (701) nfs_wait",)}, "kubelet-killable", "kubelet (701) nfs_wait"),
    ({"kernel__blocked_tasks": ("hyperkube (700) io",)}, "kubelet-killable", "hyperkube (700) io"),
    ({"kubelet__unit__process_state": "D"}, "kubelet-killable", "cannot be stopped"),
    ({"kernel__upkeep": ("kubeadm upgrade (pid 812)",)}, "upkeep", "at work on the node: kubeadm upgrade (pid 812)"),
    ({"network__api__outcome": "timeout"}, "api", "could not register"),
    ({"network__api__outcome": "http", "network__api__status": 401}, "api", "with status 401"),
]

# near misses: they look alike, and a restart is safe
PERMITTED: list[dict[str, t.Any]] = [
    {},
    {"kubelet__unit__active_state": "inactive", "kubelet__unit__sub_state": "dead", "kubelet__unit__main_pid": 0},
    {"kubelet__unit__process_state": "T"},
    {"kubelet__unit__unit_file_state": "disabled"},
    {"pressure__swap_devices": ("/swapfile",), "kubelet__config__fail_swap_on": False},
    {"kernel__cgroup_version": 1, "kernel__cgroup_controllers": (), "kubelet__version": "v1.34.1"},
    {"kernel__pod_cgroup_drivers": ()},
    {"network__api__offset": None},
    {"network__api__offset": -30.0, "clock__synchronized": False},
    {"certificates__client_ca_file": None},
    {"certificates__client__key_matches": None},
    {
        "certificates__kubeconfig__file__exists": False,
        "certificates__bootstrap_kubeconfig__exists": True,
        "certificates__client": None,
    },
    {"pressure__inotify_instances": 116},
    {"storage__read_only": (READ_ONLY,), "storage__overlay_root": True},
    {"pressure__nodefs__inodes": 0, "pressure__nodefs__inodes_free": 0},
    {"storage__network_mounts": (Mount(NFS, "nas:/x", "nfs4", True),)},
    {"kernel__blocked_tasks": ("jbd2/vda-8 (99) wait", "kubelet-helper (98) wait")},
    {"runtime__cri__network_ready": False},
]


@pytest.mark.parametrize(("changes", "rule", "words"), REFUSED)
def test_one_fault_is_refused_by_its_own_rule(changes: dict[str, t.Any], rule: str, words: str) -> None:
    (refusal,) = gate.refusals(healthy_node(**changes))
    assert refusal.rule == rule
    assert words in refusal.words


@pytest.mark.parametrize("changes", PERMITTED)
def test_what_only_looks_like_a_fault_is_not_refused(changes: dict[str, t.Any]) -> None:
    assert gate.refusals(healthy_node(**changes)) == ()


@pytest.mark.parametrize(
    ("section", "rules"),
    [
        ("certificates", {"kubeconfig", "client-certificate", "client-ca"}),
        ("pressure", {"swap", "inotify", "writable"}),
        ("kernel", {"cgroups", "cgroup-driver", "kubelet-killable", "upkeep"}),
        ("storage", {"writable", "data-mounts", "network-mounts"}),
        ("runtime", {"cri"}),
        ("network", {"client-certificate", "api"}),
    ],
)
def test_what_cannot_be_told_is_refused(section: str, rules: set[str]) -> None:
    refusals = gate.refusals(healthy_node(**{section: unknown("timed out")}))
    assert {refusal.rule for refusal in refusals} == rules
    assert all(refusal.words.startswith("cannot tell whether ") for refusal in refusals)
    assert all(refusal.words.endswith(": timed out") for refusal in refusals)


def test_one_full_filesystem_is_named_once() -> None:
    full = filesystem("/")
    full = Filesystem(**{**vars(full), "available": 0})
    node = healthy_node(pressure__rootfs=full, pressure__nodefs=full)
    assert [refusal.words for refusal in gate.refusals(node)] == ["/ is full: 0 B left"]


DOWN: dict[str, t.Any] = {
    "runtime__unit__active_state": "inactive",
    "runtime__unit__sub_state": "dead",
    "runtime__unit__main_pid": 0,
    "runtime__cri__outcome": "refused",
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"runtime__unit__active_state": "failed", "runtime__unit__result": "signal"}, []),
        ({"kubelet__unit__active_state": "inactive"}, []),
        (
            {"runtime__unit__load_state": "masked"},
            ["containerd.service is masked: somebody does not want it to run"],
        ),
        (
            {"runtime__unit__active_state": "active", "runtime__unit__sub_state": "running"},
            ["containerd.service is running: it is not merely down"],
        ),
        ({"pressure__imagefs__available": 1024}, ["/ is full: 1 KiB left"]),
        (
            {"profile__runtime_unit": "kubelet.service"},
            ["containerd.service holds the kubelet as well (profile kubeadm): it is not the runtime's alone"],
        ),
        (
            {"kernel__upkeep": ("apt-get upgrade (pid 7)",)},
            ["at work on the node: apt-get upgrade (pid 7); what it installs may be there by half"],
        ),
        (
            {"storage__fstab_missing": ("/var/lib/containerd",)},
            ["/var/lib/containerd is in /etc/fstab and not mounted: what is written now would be hidden later"],
        ),
    ],
)
def test_a_runtime_that_is_merely_down_may_be_started(changes: dict[str, t.Any], words: list[str]) -> None:
    refusals = gate.runtime_refusals(healthy_node(**{**DOWN, **changes}))
    assert [refusal.words for refusal in refusals] == words
