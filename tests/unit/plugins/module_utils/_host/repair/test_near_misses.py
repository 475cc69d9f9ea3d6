# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks like the cause of a repair and is not: refused, with the reason, before anything is touched."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    File,
    Firewall,
    Setting,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded
from tests.unit.helpers import GIB, filesystem, healthy_node
from tests.unit.helpers_repair import SHOW, Fake, Patient, log, repair, request
from tests.unit.plugins.module_utils._host.probes.place import kubeconfig
from tests.unit.repair_cases import (
    CA,
    CACHE,
    CONFIG,
    CONNTRACK,
    DEBIANS,
    DOWN,
    DUMP,
    FLAGS,
    GATE,
    GONE,
    KNOWN,
    KUBECONFIG,
    LOOP,
    MOUNTS,
    NETWORK,
    NO_BRIDGE,
    NO_CA,
    NO_PAUSE,
    ORPHAN,
    OTHER,
    OVERLAID,
    OVERLAY,
    PLUGINS,
    STALE,
    SUBNET_FULL,
    THIS,
    TIMESYNCD,
    TOML,
    UNITS,
    UNREADY,
    flags,
)

SMALL = {"pressure__memory_capacity": GIB // 2}
FULL = filesystem("/")
FOUND = {"findmnt": "/dev/sda1\n"}
DISK = {"/dev/sda1": "", "/proc/self/mountinfo": "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"}
LAYERS = "40 21 0:41 / /run/containerd/1/rootfs rw - overlay overlay rw,lowerdir=/var/lib/containerd/x/fs,workdir=/w\n"
NO_DISK: dict[str, t.Any] = {"storage__fstab_missing": ("/var/lib/containerd",), **DOWN}
NEAR_DISK: list[tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = [
    (
        "data-mount-missing",
        {"storage__fstab_missing": ("/var/lib/containerd",)},
        {"files": DISK, "said": FOUND},
        "containerd.service runs on the wrong filesystem",
    ),
    (
        "data-mount-missing",
        {**NO_DISK, "storage__fstab_missing": ("/var",)},
        {"files": DISK, "said": FOUND},
        "/var/lib/kubelet is meant to lie there too",
    ),
    ("data-mount-missing", NO_DISK, {"files": DISK, "said": {"findmnt": "/dev/sdb1\n"}}, "(/dev/sdb1)"),
    ("data-mount-missing", NO_DISK, {"files": DISK, "said": {"findmnt": "LABEL=data\n"}}, "(LABEL=data)"),
    (
        "data-mount-missing",
        NO_DISK,
        {"files": {**DISK, "/proc/self/mountinfo": LAYERS}, "said": FOUND},
        "containers still run on what the mount would hide",
    ),
]
NEAR_PLUGIN: list[tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = [
    (
        "cni-binary-missing",
        NO_BRIDGE,
        {"files": DEBIANS},
        "this node has no bridge elsewhere either (/opt/cni/bin/bridge, /usr/libexec/cni/bridge): install its package",
    ),
    (
        "cni-binary-missing",
        NO_BRIDGE,
        {"files": {"/usr/lib/cni/bridge": "", **DEBIANS}},
        "/usr/lib/cni/bridge is there, and nobody can execute it",
    ),
]
NEAR_ORPHAN: list[tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = [
    (
        "orphaned-pod-volumes",
        {"kubelet__journal": GONE},
        {"files": {f"{ORPHAN}/x": "", **MOUNTS}, "answers": {"ListPodSandbox": KNOWN}},
        "the runtime has a sandbox of the Pod",
    ),
    (
        "orphaned-pod-volumes",
        {"kubelet__journal": GONE},
        {
            "files": {f"{ORPHAN}/x": "", "/proc/self/mountinfo": f"9 1 0:5 / {ORPHAN}/volumes/x rw - nfs4 h:/ rw\n"},
            "answers": {"ListPodSandbox": b""},
        },
        "is mounted: unmount it",
    ),
    (
        "containerd-config-invalid",
        {**DOWN, "runtime__journal": log("failed to load TOML: toml: expected ]")},
        {"files": {**UNITS, TOML: "[[", f"{TOML}.bak": "x"}, "said": {DUMP: "    SystemdCgroup = false\n"}},
        "of 1 copies beside /etc/containerd/config.toml none",
    ),
    (
        "containerd-config-invalid",
        {**DOWN, "runtime__journal": log("failed to load TOML: toml: expected ]")},
        {"files": {**UNITS, TOML: "[[", f"{TOML}.bak": "x"}, "said": {DUMP: ProbeError("toml: ")}},
        "of 1 copies beside /etc/containerd/config.toml none",
    ),
]
STALE_FLAG = Setting("--node-ip=192.0.2.7", FLAGS)
NEAR: list[tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = [
    (
        "kubelet-swap-on",
        {"pressure__swap_devices": ("/s",), "pressure__swap_used": GIB, "pressure__memory_free_estimate": GIB // 2},
        {},
        "1.0 GiB of swap would have to fit into 512 MiB",
    ),
    (
        "kubelet-swap-on",
        {"pressure__swap_devices": ("/s",)},
        {"files": {"/proc/swaps": "Filename\n/s2 file\n", "/etc/fstab": "#/s none swap sw 0 0\n/dev/swap / ext4\n"}},
        "there is nothing to change",
    ),
    ("conntrack-exhaustion", {"kernel__sysctls": CONNTRACK, **SMALL}, {}, "a larger table is not for it"),
    (
        "clock-skew-past",
        {"network__api__offset": -600.0},
        {},
        "systemd-timesyncd.service runs already, and the clock is wrong",
    ),
    ("clock-skew-past", {"network__api__offset": -600.0, "clock__service": None}, {}, "none of chrony.service, "),
    (
        "clock-skew-past",
        {"network__api__offset": -600.0, "clock__service": None},
        {"files": UNITS, "said": {f"{SHOW} UnitFileState {TIMESYNCD}": "masked\n"}},
        "systemd-timesyncd.service is masked",
    ),
    (
        "containerd-overlay-unsupported",
        {"runtime__journal": OVERLAY, "kernel__modules": {"overlay": False}},
        {"files": UNITS, "said": {"modprobe --show-depends": "install /bin/false\n"}},
        "somebody has forbidden overlay in /etc/modprobe.d",
    ),
    (
        "containerd-cri-disabled",
        {"runtime__cri__outcome": "unimplemented", "runtime__cri_disabled": True},
        {"files": {**UNITS, "/etc/containerd/config.toml": 'disabled_plugins = [\n"cri",\n]\n'}},
        "has no line that could be changed",
    ),
    (
        "containerd-socket-permission",
        {"runtime__cri__outcome": "no-socket", "storage__fstab_missing": ("/var/lib/containerd",)},
        {"files": UNITS},
        "is in /etc/fstab and not mounted",
    ),
    (
        "containerd-socket-permission",
        {"runtime__cri__outcome": "no-socket", "pressure__rootfs__available": 0},
        {"files": UNITS},
        "/ is full",
    ),
    (
        "cni-ipam-exhausted",
        {"runtime__journal": SUBNET_FULL},
        {
            "files": {**NETWORK, "/var/lib/cni/networks/lab/10.0.0.2": "alive\neth0"},
            "answers": {"ListPodSandbox": embedded(1, embedded(1, b"alive"))},
        },
        "all 1 reservations belong to a sandbox that is there or may be in the making: the Pod network",
    ),
    (
        "cni-ipam-exhausted",
        {"runtime__journal": SUBNET_FULL, "runtime__cri__outcome": "timeout"},
        {},
        "the runtime does not list its sandboxes (timeout)",
    ),
    (
        "cni-bridge-stale-address",
        {"runtime__journal": STALE},
        {"files": NETWORK, "said": {"ip -o": "4: cni0    inet 10.244.3.1/24 scope global cni0\n"}},
        "cni0 has no other address than 10.244.3.1",
    ),
    (  # whoever can make a runtime log a line must not take the host's address away
        "cni-bridge-stale-address",
        {"runtime__journal": log('"eth0" already has an IP address different from 10.244.3.1/24')},
        {"files": NETWORK},
        "eth0 is no bridge of the CNI configuration",
    ),
    (
        "cni-bridge-stale-address",
        {"runtime__journal": STALE},
        {},
        "/etc/cni/net.d holds no CNI configuration",
    ),
    (
        "cni-ipam-exhausted",
        {"runtime__journal": SUBNET_FULL},
        {"files": {"/etc/cni/net.d/10-x.conf": '{"type": "bridge", "name": "../.."}'}},
        "10-x.conf names no network",
    ),
    (
        "kubelet-unknown-flag",
        {**LOOP, "kubelet__journal": log("unknown flag: --my-flag"), **flags("--my-flag")},
        {"files": {FLAGS: "X=--my-flag\n"}},
        "--my-flag is none of the flags that did nothing",
    ),
    (
        "kubelet-unknown-flag",
        {
            **LOOP,
            "kubelet__journal": log("unknown flag: --container-runtime"),
            "kubelet__config__unknown_flags": (Setting("--container-runtime=remote", "/etc/systemd/system/k.service"),),
        },
        {},
        "stands in /etc/systemd/system/k.service, which is no file of flags",
    ),
    (
        "kubelet-feature-gate-invalid",
        {**LOOP, "kubelet__journal": GATE},
        {"files": {CONFIG: "featureGates:\n  OldGateToo: true\n"}},
        "has no line that could be changed",
    ),
    (
        "kubelet-node-ip-invalid",
        {"kubelet__config__flags": (STALE_FLAG,)},
        {"files": {FLAGS: "X=--node-ip=192.0.2.7\n"}},
        "no other --node-ip is given",
    ),
    (
        "kubelet-hostname-changed",
        {"identity__hostname": "renamed", "kubelet__config__flags": (Setting("--hostname-override=x", FLAGS),)},
        {"files": {"/proc/sys/kernel/hostname": "renamed\n"}},
        "--hostname-override=x stands in",
    ),
    (
        "kubelet-resolvconf-missing",
        {"kubelet__config__resolv_conf": File("/run/none", False, 0, None, None)},
        {"files": {CONFIG: "resolvConf: /run/none\n", "/etc/resolv.conf": "nameserver ::1\n"}},
        "is there without a server on a loopback address",
    ),
    (
        "kubelet-config-missing",
        {"kubelet__config__file__exists": False, "network__api__outcome": "timeout"},
        {},
        "the cluster's configuration cannot be read",
    ),
    (
        "kubelet-config-missing",
        {"kubelet__config__file__exists": False},
        {"said": {"kubeadm version": ProbeError("kubeadm: not found")}},
        "kubeadm cannot be run here: kubeadm: not found",
    ),
    (
        "cni-config-missing",
        {"network__cni__configs": (), **UNREADY},
        {"files": PLUGINS},
        "no network that libcni remembers",
    ),
    (
        "cni-config-missing",
        {"network__cni__configs": (), **UNREADY},
        {"files": CACHE},
        "the network lab needs bridge, portmap, which is not installed",
    ),
    (
        "cni-config-missing",
        {"network__cni__configs": (), **UNREADY},
        {
            "files": {
                **CACHE,
                "/var/lib/cni/results/x": CACHE["/var/lib/cni/results/lab-0123-eth0"].replace(THIS, OTHER),
            }
        },
        "the Pods that run were made with lab, x17: which configuration is right cannot be told",
    ),
    (
        "containerd-sandbox-image-missing",
        {"runtime__journal": NO_PAUSE},
        {"files": UNITS, "answers": {"ListImages": embedded(1, embedded(2, b"reg/web:1"))}},
        "there is no pause image on the node",
    ),
    (
        "kubelet-client-ca-file-missing",
        {"certificates__client_ca_file": NO_CA, "certificates__client__signed_by_ca": None},
        {"files": {KUBECONFIG: kubeconfig("https://10.77.0.1:6443", CA.certificate, "/x.pem")}},
        "has not signed the kubelet's client certificate",
    ),
    (
        "kubelet-client-ca-file-missing",
        {"certificates__client_ca_file": NO_CA},
        {"files": {KUBECONFIG: "a: 1\n"}},
        "/etc/kubernetes/kubelet.conf cannot be used",
    ),
    (
        "mtu-mismatch",
        {**OVERLAID, "network__mtus": {"eth0": 1300, "flannel.1": 1450}},
        {"files": {"/sys/class/net/flannel.1/mtu": "1450\n"}},
        "the link below leaves 1250 octets to flannel.1, and IPv6 needs 1280",
    ),
    (
        "iptables-backend-mismatch",
        {"network__firewall": Firewall((), (), ("KUBE-IPTABLES-HINT",), ("KUBE-SERVICES",))},
        {},
        "iptables-nft has no KUBE-SERVICES",
    ),
    (
        "iptables-backend-mismatch",
        {"network__firewall": Firewall((), (), ("KUBE-SERVICES",), ("KUBE-IPTABLES-HINT", "KUBE-SERVICES"))},
        {"said": {"iptables-nft-save": "*nat\nCOMMIT\n"}},
        "iptables-nft-save shows no chain of Kubernetes' Services",
    ),
    (
        "kubelet-cpu-manager-checkpoint",
        {"kubelet__journal": log("CPU manager checkpoint file")},
        {},
        "is not there any more",
    ),
]


@pytest.mark.parametrize(("cause", "broken", "desk", "words"), [*NEAR, *NEAR_ORPHAN, *NEAR_DISK, *NEAR_PLUGIN])
def test_near_misses_are_refused_before_anything_is_touched(
    cause: str, broken: dict[str, t.Any], desk: dict[str, t.Any], words: str, tmp_path: Path
) -> None:
    node = Fake(tmp_path, **desk)
    outcome = repair(Patient(healthy_node(**broken), []), node, request(tmp_path, cause))
    assert outcome.result == "refused"
    assert words in "; ".join(outcome.refusals)
    assert node.commands == []
