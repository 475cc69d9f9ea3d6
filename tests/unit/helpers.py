# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A healthy node as the lab shows it, and the same with one thing changed."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Evidence

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
GIB = 1024**3
EMPTY = n.Journal(lines=(), truncated=False)


def healthy_node(**changes: t.Any) -> n.NodeEvidence:
    """The evidence of a healthy kubeadm worker; *changes* maps a dotted path, with ``__`` for the dots, to a value.

    ``healthy_node(kubelet__unit__active_state="inactive")``; raises ``TypeError`` for a field that there is not.
    """
    evidence = _healthy()
    for path, value in changes.items():
        evidence = t.cast(n.NodeEvidence, _changed(evidence, path.split("__"), value))
    return evidence


def _changed(section: Evidence, path: list[str], value: t.Any) -> Evidence:
    if len(path) > 1:
        value = _changed(getattr(section, path[0]), path[1:], value)
    kind: t.Any = type(section)
    return t.cast(Evidence, kind(**{**vars(section), path[0]: value}))


def file(path: str, *, exists: bool = True) -> n.File:
    """A file of 1 KiB, or a missing one."""
    return n.File(path, exists, 1024 if exists else 0, NOW if exists else None, None)


def unit(name: str, pid: int) -> n.Unit:
    """A running service."""
    return n.Unit(
        name=name,
        load_state="loaded",
        unit_file_state="enabled",
        active_state="active",
        sub_state="running",
        result="success",
        restarts=0,
        exit_code=0,
        exit_status=0,
        main_pid=pid,
        process_state="S",
        invocation_id=f"{pid:032x}",
        started=60.0,
        inactive_since=None,
    )


def filesystem(path: str) -> n.Filesystem:
    """A root filesystem with room."""
    return n.Filesystem(path, "/", "/dev/vda", "ext4", False, 8 * GIB, 5 * GIB, 500_000, 400_000)


def certificate(path: str) -> n.Certificate:
    """A client certificate in the middle of its year."""
    return n.Certificate(
        path=path,
        common_name="system:node:pi-04",
        organizations=("system:nodes",),
        issuer="CN = kubernetes",
        serial="01",
        not_before=NOW - timedelta(days=100),
        not_after=NOW + timedelta(days=265),
        key_matches=True,
        signed_by_ca=True,
    )


def _healthy() -> n.NodeEvidence:
    return n.NodeEvidence(
        schema=n.SCHEMA,
        observed=NOW,
        unreachable=None,
        profile=_profile(),
        identity=n.Identity("pi-04", "m" * 32, "b" * 36, 3600.0, "6.12.48", "x86_64", "Debian 13", ("10.77.0.14",)),
        kubelet=_kubelet(),
        runtime=_runtime(),
        pressure=_pressure(),
        certificates=_certificates(),
        network=_network(),
        storage=n.Storage((), False, (), {"vda": 0}, (), {}, GIB // 16, filesystem("/var/log")),
        kernel=_kernel(),
        clock=n.Clock(NOW, True, "systemd-timesyncd.service", NOW),
        board=n.Board(None, None, None),
        probes=(),
    )


def _profile() -> n.Profile:
    return n.Profile(
        name="kubeadm",
        unit="kubelet.service",
        runtime_unit="containerd.service",
        binary="/usr/bin/kubelet",
        kubeconfig="/etc/kubernetes/kubelet.conf",
        bootstrap_kubeconfig="/etc/kubernetes/bootstrap-kubelet.conf",
        config="/var/lib/kubelet/config.yaml",
        config_dir=None,
        flag_files=("/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet"),
        pki_dir="/var/lib/kubelet/pki",
        ca_file="/etc/kubernetes/pki/ca.crt",
        root_dir="/var/lib/kubelet",
        static_pod_dir="/etc/kubernetes/manifests",
        cri_socket="/run/containerd/containerd.sock",
        runtime_config="/etc/containerd/config.toml",
        runtime_root="/var/lib/containerd",
        cni_config_dir="/etc/cni/net.d",
        cni_bin_dirs=("/usr/lib/cni",),
    )


def _kubelet() -> n.Kubelet:
    config = n.KubeletConfig(
        file=file("/var/lib/kubelet/config.yaml"),
        problem=None,
        fail_swap_on=True,
        cgroup_driver="systemd",
        client_ca_file="/etc/kubernetes/pki/ca.crt",
        rotate_certificates=True,
        server_tls_bootstrap=True,
        eviction_hard={"memory.available": "100Mi", "nodefs.available": "10%"},
        static_pod_path="/etc/kubernetes/manifests",
        cri_socket="/run/containerd/containerd.sock",
        flags=(),
        unknown_flags=(),
        cri_socket_exists=True,
        resolv_conf=file("/etc/resolv.conf"),
        graceful_shutdown=False,
    )
    return n.Kubelet(
        unit=unit("kubelet.service", 700),
        binary=file("/usr/bin/kubelet"),
        version="v1.37.2",
        healthz=n.Endpoint("ok", 200, "ok", 0.01),
        config=config,
        journal=EMPTY,
        shutting_down=None,
        runs_installed=False,  # so it was asked
    )


def _runtime() -> n.Runtime:
    cri = n.Cri("ok", "", "containerd 1.7.24", True, "", True, "", 3, 3, 0.01, cgroup_driver="systemd")
    return n.Runtime(unit("containerd.service", 500), cri, file("/etc/containerd/config.toml"), EMPTY, False, (), ())


def _pressure() -> n.Pressure:
    return n.Pressure(
        nodefs=filesystem("/var/lib/kubelet"),
        imagefs=filesystem("/var/lib/containerd"),
        rootfs=filesystem("/"),
        memory_capacity=GIB,
        memory_available=GIB // 2,
        memory_free_estimate=GIB // 2,
        swap_total=0,
        swap_used=0,
        swap_devices=(),
        pids=150,
        pid_max=32768,
        inotify_instances=20,
        inotify_max_instances=128,
        psi_cpu=n.Stall(1.0, 0.0),
        psi_memory=n.Stall(0.0, 0.0),
        psi_io=n.Stall(0.5, 0.1),
        load=0.5,
        cpus=2,
    )


def _certificates() -> n.Certificates:
    pem = "/var/lib/kubelet/pki/kubelet-client-current.pem"
    return n.Certificates(
        kubeconfig=n.Kubeconfig(file("/etc/kubernetes/kubelet.conf"), None, "https://10.77.0.1:6443", pem, pem),
        bootstrap_kubeconfig=file("/etc/kubernetes/bootstrap-kubelet.conf", exists=False),
        client_file=file(pem),
        client=certificate(pem),
        client_problem=None,
        serving=certificate("/var/lib/kubelet/pki/kubelet-server-current.pem"),
        ca=certificate("/etc/kubernetes/pki/ca.crt"),
        client_ca_file=file("/etc/kubernetes/pki/ca.crt"),
        client_files=("kubelet-client-2026-08-15-15-00-00.pem", "kubelet-client-current.pem"),
    )


def _network() -> n.Network:
    api = n.ApiPath("https://10.77.0.1:6443", "ok", "", ("10.77.0.1",), 200, NOW, 0.2, 0, 0)
    cni = n.Cni(
        file("/etc/cni/net.d"), (file("/etc/cni/net.d/10-lab.conflist"),), None, "lab", ("bridge", "portmap"), ()
    )
    cni = n.Cni(**{**vars(cni), "reservations": 3, "subnet_env": None})
    return n.Network(
        api,
        cni,
        True,
        ("eth0",),
        firewall=n.Firewall((), (), ("KUBE-IPTABLES-HINT",), ()),
        mtus={"eth0": 1500, "cni0": 1500},
        vxlans=(),
        hardware=("eth0",),
        stuck=(),
    )


def _kernel() -> n.Kernel:
    return n.Kernel(
        cgroup_version=2,
        cgroup_controllers=("cpuset", "cpu", "io", "memory", "hugetlb", "pids"),
        modules={"overlay": True, "br_netfilter": True},
        sysctls={
            "fs.file-nr": "1248\t0\t9223372036854775807",
            "net.ipv4.ip_forward": "1",
            "net.netfilter.nf_conntrack_count": "54",
            "net.netfilter.nf_conntrack_max": "131072",
        },
        journal=EMPTY,
        blocked_tasks=(),
        upkeep=(),
        pod_cgroup_drivers=("systemd",),
        module_trees=("6.12.48",),
        page_size=4096,
        boot_before=None,
        vxlan_module=True,
    )
