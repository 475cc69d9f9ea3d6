# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes of the kubelet and its runtime that a log line and a state tell together, each with its near misses.

Where a line comes from stands before it; quotes are unescaped, as the journal's reader hands them on.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import Diagnosis, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from tests.unit.helpers import certificate, file, filesystem, healthy_node, unit
from tests.unit.helpers_cluster import condition, container, healthy_cluster, lease, pod

Changes = dict[str, t.Any]
UPTIME = 3600.0  # of the healthy node
LOOPING: Changes = {
    "kubelet__unit__active_state": "activating",
    "kubelet__unit__sub_state": "auto-restart",
    "kubelet__unit__main_pid": 0,
    "kubelet__unit__process_state": None,
    "kubelet__healthz": n.Endpoint("refused", None, "", 0.0),
}
SILENT: Changes = {"node__lease": lease(120)}


def journal(text: str, *, ago: float = 5.0, current: bool = True) -> n.Journal:
    """A journal of one line."""
    at = UPTIME - ago
    return n.Journal((n.LogLine(text, 1, at, at, current),), False)


def saying(unit_: str, text: str, **how: t.Any) -> Changes:
    """The journal of ``kubelet``, ``runtime`` or ``kernel`` says *text*."""
    return {f"{unit_}__journal": journal(text, **how)}


def look(changes: Changes, api: Changes) -> Diagnosis:
    return diagnose(healthy_node(**changes), healthy_cluster(**api))


def roots(changes: Changes, api: Changes) -> list[str]:
    return look(changes, api).root_causes


def latent(changes: Changes, api: Changes) -> list[str]:
    return [finding.cause.id for finding in look(changes, api).findings if finding.role == "latent"]


def not_ready(message: str) -> Changes:
    """The kubelet itself says that it is not ready."""
    said = condition("Ready", "False", "KubeletNotReady")
    return {"node__conditions": (type(said)(**{**vars(said), "message": message}),)}


def refused_pod(reason: str) -> t.Any:
    found = pod("gpu", container())
    return type(found)(**{**vars(found), "phase": "Failed", "reason": reason})


def deleted_pod() -> t.Any:
    found = pod("web", container())
    return type(found)(**{**vars(found), "deleting": True})


# admission.go:554 of 1.37 (fixtures.yml: "fmt noderestriction")
FORBIDDEN = (
    'E1 kubelet_node_status.go:111] "Unable to register node with API server" err="nodes "new" is '
    'forbidden: node "pi-04" is not allowed to modify node "new"" node="new"'
)
# node_authorizer.go:445 of 1.37
OWN_NODE = (
    'nodes "new" is forbidden: User "system:node:pi-04" cannot get resource "nodes" in API group "" at '
    "the cluster scope: node 'pi-04' cannot read 'new', only its own Node object"
)
# recordings/v1.37.2/healthy.json: said to a healthy kubelet
NO_RELATION = (
    'err="pods "agent-wc6wc" is forbidden: User "system:node:pi-05" cannot get resource "pods" in API '
    'group "" in the namespace "default": node: no relationship found between node \'pi-05\' and this '
    'object"'
)
RENAMED: Changes = {"identity__hostname": "New"}
OVERRIDE = (n.Setting("--hostname-override=pi-04", "/etc/default/kubelet"),)
# kubelet_node_status.go:796 of 1.37
NO_SUCH_IP = (
    'E1 kubelet_node_status.go:723] "Failed to set some node status fields" err="failed to validate '
    'nodeIP: node IP: "192.0.2.7" not found in the host\'s network interfaces" node="n"'
)
WRONG_IP: Changes = {"kubelet__config__flags": (n.Setting("--node-ip=192.0.2.7", "/etc/default/kubelet"),)}
RIGHT_IP: Changes = {
    "kubelet__config__flags": (
        n.Setting("--node-ip=192.0.2.7", "/var/lib/kubelet/kubeadm-flags.env"),
        n.Setting("--node-ip=10.77.0.14", "/etc/default/kubelet"),
    )
}
# fixtures.yml: real arktos#1196
NO_RESOLV = (
    'E0922 kuberuntime_manager.go:1024] createPodSandbox for pod "x" failed: open '
    "/run/systemd/resolve/resolv.conf: no such file or directory"
)
RESOLV: Changes = {"kubelet__config__resolv_conf": file("/run/systemd/resolve/resolv.conf", exists=False)}
# devicemanager/manager.go:377 of 1.37
DEVICES = (
    'E1 manager.go:377] "Continue after failing to read checkpoint file. Device allocation info may NOT '
    'be up-to-date" err="unexpected end of JSON input"'
)
# recordings/v1.37.2/healthy.json
NO_CHECKPOINT = (
    'E1123 21:36:43.361735     901 manager.go:550] "Failed to read data from checkpoint" err="checkpoint '
    'is not found" checkpoint="kubelet_internal_checkpoint"'
)
# fixtures.yml: "fmt server.go"
HEALTHZ = (
    'E1 server.go:996] "Failed to start healthz server" err="listen tcp 127.0.0.1:10248: bind: address already in use"'
)
NOT_FOUND = n.Endpoint("http", 404, "not found", 0.01)
# fixtures.yml: real containerd#4857
DRIVER = (
    'level=error msg="RunPodSandbox failed, error" error="failed to create containerd task: OCI runtime '
    'create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got '
    '"/kubepods/burstable/pod89" instead: unknown"'
)
CGROUPFS: Changes = {"kubelet__config__cgroup_driver": "cgroupfs"}
NO_SOCKET: Changes = {"kubelet__config__cri_socket": "/run/none.sock", "kubelet__config__cri_socket_exists": False}
SHUTTING_DOWN = not_ready("[container runtime status check may not have completed yet, node is shutting down]")
# recordings/v1.37.2/healthy.json, first the message as the API had it
PLEG = not_ready(
    "[container runtime is down, PLEG is not healthy: pleg was last seen active 11m58s ago; threshold is 3m0s]"
)
PLEG_LINE = (
    'E1123 22:35:04.173963     901 kubelet.go:2697] "Skipping pod synchronization" err="PLEG is not '
    'healthy: pleg was last seen active 17m38.309995547s ago; threshold is 3m0s"'
)
# fixtures.yml: "fmt kernel"
OOM = (
    "Memory cgroup out of memory: Killed process 999 (kubelet) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB"
)
# quiet-rolling-update on the lab beside another node's faults: nothing was wrong with containerd 1.7.24 but the machine.
BUSY: Changes = {"pressure__psi_cpu": n.Stall(96.62, 0.0)}
MOVED: Changes = {"node__internal_addresses": ("10.77.0.99",)}


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**RENAMED, **saying("kubelet", FORBIDDEN)}, {}, ["kubelet-hostname-changed"]),
        ({**RENAMED, **saying("kubelet", OWN_NODE)}, {}, ["kubelet-hostname-changed"]),
        (RENAMED, SILENT, ["kubelet-hostname-changed"]),
        (RENAMED, {}, []),
        ({**RENAMED, "kubelet__config__flags": OVERRIDE, **saying("kubelet", FORBIDDEN)}, {}, []),
        ({"identity__hostname": "PI-04", **saying("kubelet", NO_RELATION)}, {}, []),
        ({**WRONG_IP, **saying("kubelet", NO_SUCH_IP)}, {}, ["kubelet-node-ip-invalid"]),
        ({**WRONG_IP, **saying("kubelet", NO_SUCH_IP)}, MOVED, ["kubelet-node-ip-invalid"]),
        ({**RIGHT_IP, **saying("kubelet", NO_SUCH_IP, current=False)}, {}, []),
        (RIGHT_IP, {}, []),
        ({}, MOVED, ["node-ip-changed-dhcp"]),
        ({}, {"node__cni_address": "10.77.0.99"}, ["node-ip-changed-dhcp"]),
        ({}, {"node__cni_address": "203.0.113.5", "node__addresses": ("10.77.0.14", "203.0.113.5")}, []),
        ({}, {"node__addresses": ("10.77.0.14", "203.0.113.5"), "node__cni_address": "10.77.0.14"}, []),
        ({**RESOLV, **saying("kubelet", NO_RESOLV)}, {}, ["kubelet-resolvconf-missing"]),
        (RESOLV, {}, []),
        (saying("kubelet", NO_RESOLV), {}, []),
        (
            saying("kubelet", DEVICES),
            {"node__pods": (refused_pod("UnexpectedAdmissionError"),)},
            ["kubelet-device-plugin-checkpoint"],
        ),
        (saying("kubelet", DEVICES), {}, []),
        (saying("kubelet", NO_CHECKPOINT), {"node__pods": (refused_pod("UnexpectedAdmissionError"),)}, []),
        ({"kubelet__healthz": NOT_FOUND, **saying("kubelet", HEALTHZ)}, {}, ["kubelet-healthz-port-in-use"]),
        (saying("kubelet", HEALTHZ, ago=300), {}, []),
        ({**CGROUPFS, **saying("runtime", DRIVER)}, {}, ["kubelet-cgroup-driver-mismatch"]),
        (saying("runtime", DRIVER), {}, []),
        ({**LOOPING, **NO_SOCKET}, SILENT, ["kubelet-wrong-runtime-endpoint"]),
        ({**LOOPING, **NO_SOCKET, "runtime__cri__outcome": "no-socket"}, SILENT, ["containerd-socket-permission"]),
        ({"kubelet__shutting_down": False}, SHUTTING_DOWN, ["kubelet-node-shutting-down"]),
        ({"kubelet__shutting_down": True}, SHUTTING_DOWN, []),
        ({"kubelet__shutting_down": False}, not_ready("container runtime is down"), []),
        ({}, PLEG, ["kubelet-pleg-unhealthy"]),
        ({"kubelet__unit__sub_state": "auto-restart", "kubelet__healthz__outcome": "refused"}, PLEG, []),  # said before
        ({"runtime__cri__outcome": "timeout", "runtime__unit__process_state": "T"}, PLEG, ["containerd-hung"]),
        ({"runtime__cri__outcome": "timeout", **saying("kubelet", PLEG_LINE)}, {}, ["containerd-hung"]),
        ({"runtime__cri__outcome": "timeout", **BUSY, **saying("kubelet", PLEG_LINE)}, {}, []),
        (saying("kubelet", PLEG_LINE), {}, []),
        ({**LOOPING, "kubelet__unit__result": "oom-kill", **saying("kernel", OOM)}, SILENT, ["kubelet-oom-killed"]),
        ({"kubelet__unit__restarts": 1, **saying("kernel", OOM)}, {}, []),
        ({**LOOPING, **saying("kernel", OOM.replace("kubelet", "java"))}, SILENT, []),
    ],
)
def test_kubelet(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(changes, api) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (RENAMED, ["kubelet-hostname-changed"]),
        (WRONG_IP, ["kubelet-node-ip-invalid"]),
        (CGROUPFS, ["kubelet-cgroup-driver-mismatch"]),
        (NO_SOCKET, ["kubelet-wrong-runtime-endpoint"]),
        (
            {"kubelet__version": "v1.38.0", "runtime__cri__cgroup_driver": None},
            ["containerd-runtimeconfig-unsupported"],
        ),
        ({"kubelet__version": "v1.37.2", "runtime__cri__cgroup_driver": None}, []),
        ({"kubelet__version": "v1.38.0", "runtime__cri__cgroup_driver": "systemd"}, []),
        ({"kubelet__config__resolv_conf": None}, []),
    ],
)
def test_what_a_restart_would_bring_to_effect(changes: Changes, expected: list[str]) -> None:
    assert (roots(changes, {}), latent(changes, {})) == ([], expected)


def test_k3s_names_its_own_kubelet() -> None:
    one = {"profile__runtime_unit": "kubelet.service", "runtime__unit": unit("kubelet.service", 700)}
    assert latent({**RENAMED, **one}, {}) == latent({**NO_SOCKET, **one}, {}) == []
    assert roots({**one, "runtime__cri__outcome": "refused"}, {}) == []


def test_without_logind_nothing_is_said_of_a_shutdown() -> None:
    assert look({"kubelet__shutting_down": unknown("no busctl")}, SHUTTING_DOWN).root_causes == []


LAST_WORDS = {
    # node_container_manager_linux.go:134 of 1.37
    "kubelet-reserved-cgroup-missing": (
        '"Failed to start ContainerManager" err="Failed to enforce Kube Reserved Cgroup Limits on "/nope": '
        '["nope"] cgroup does not exist"'
    ),
    # fixtures.yml: real k8s#58081
    "kubelet-insufficient-inotify-startup": (
        "kubelet.go:1230] Failed to start cAdvisor inotify_init: too many open files"
    ),
}


@pytest.mark.parametrize(("cause", "words"), LAST_WORDS.items())
def test_last_words(cause: str, words: str) -> None:
    assert roots({**LOOPING, **saying("kubelet", words)}, SILENT) == [cause]
    assert roots(saying("kubelet", words), {}) == []


# fixtures.yml: "fmt 1.7"
BAD_CRI = (
    'level=warning msg="failed to load plugin io.containerd.grpc.v1.cri" error="invalid plugin config: '
    '`mirrors` cannot be set when `config_path` is provided"'
)
# what every start says of an optional plugin
SKIPPED = (
    'level=info msg="skip loading plugin "io.containerd.snapshotter.v1.btrfs"..." error="path '
    '/var/lib/containerd must be a btrfs filesystem"'
)
# io.containerd.metadata.v1.bolt of 1.7: bolt.Open's ErrInvalid
BAD_BOLT = 'level=warning msg="failed to load plugin io.containerd.metadata.v1.bolt" error="invalid database"'
# fixtures.yml: real containerd#9929
PANIC = (
    "containerd[2440692]: panic: assertion failed: Page expected to be: 3393, but self identifies as "
    "6868074383292906018"
)
LOCKED = 'level=warning msg="waiting for response from boltdb open" plugin=bolt'
# 1.7: plugins/cri, snapshotter lookup
NO_OVERLAY = (
    'level=warning msg="failed to load plugin io.containerd.grpc.v1.cri" error="failed to create CRI '
    'service: failed to find snapshotter "overlayfs""'
)
# fixtures.yml: real containerd/cri#239
NO_PAUSE = (
    'level=error msg="RunPodSandbox failed, error: failed to get sandbox image '
    '"gcr.io/google_containers/pause:3.0": failed to pull image "gcr.io/google_containers/pause:3.0""'
)
# fixtures.yml: real containerd#11557 and kubespray#9504
NO_RUNC = (
    "OCI runtime create failed: unable to retrieve OCI runtime error (open /run/containerd/x/log.json: "
    'no such file or directory): exec: "runc": executable file not found in $PATH'
)
NO_RUNC_EXEC = "OCI runtime exec failed: fork/exec /usr/bin/runc: no such file or directory: unknown"
# fixtures.yml: real Flatcar#201; the second is what a containerd says that has found its shim before
NO_SHIM_V1 = 'failed to create containerd task: runtime "io.containerd.runc.v1" binary not installed "containerd-shim-runc-v1": file does not exist: unknown'
NO_SHIM = "failed to start shim: fork/exec /usr/bin/containerd-shim-runc-v2: no such file or directory"
# kuberuntime and remote_runtime.go of 1.37, code as in recordings/v1.37.2/healthy.json
STUCK = (
    'E1 remote_runtime.go:300] "StopPodSandbox from runtime service failed" err="rpc error: code = '
    'DeadlineExceeded desc = context deadline exceeded" podSandboxID="2903c094da72"'
)
PROBE = (
    'E1 remote_runtime.go:700] "ExecSync cmd from runtime service failed" err="rpc error: code = '
    'DeadlineExceeded desc = failed to exec in container: timeout 1s exceeded"'
)
# fixtures.yml: "fmt"
CNI_DIR = (
    'level=fatal msg="Failed to run CRI service" error="cni network conf monitor error: cni conf dir is '
    'removed, stop watching"'
)
BLOB = (
    'E1 pod_workers.go:1338] "Error syncing pod, skipping" err="failed to "StartContainer" for "app" '
    'with CreateContainerError: "content digest sha256:0123456789abcdef: not found""'
)
# containerd 1.7.24 in the lab, a blob moved away; and started without the module overlay.
BLOB_GONE = (
    'level=error msg="CreateContainer failed" error="rpc error: code = NotFound desc = failed to create containerd '
    "container: error unpacking image: failed to resolve rootfs: blob sha256:1cbee0132fce1fd0d5a31250cd0605d3 expected at "
    "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/1cbee0132fce1fd0d5a31250cd0605d3: blob not found: "
    'not found"'
)
NO_DEVICE = (
    'level=error msg="RunPodSandbox failed" error="failed to create containerd task: failed to create shim task: failed '
    'to mount rootfs component: no such device: unknown"'
)
UNPACK = (
    'level=error msg="PullImage failed" error="failed to pull and unpack image "x": failed to extract '
    'layer sha256:0123456789abcdef: write /var/lib/containerd/x: no space left on device: unknown"'
)
NO_CRI: Changes = {"runtime__cri__outcome": "unimplemented", "runtime__cri__runtime": None}
DOWN: Changes = {
    "runtime__cri__outcome": "refused",
    "runtime__unit__active_state": "activating",
    "runtime__unit__sub_state": "auto-restart",
}
GOING: Changes = {"node__pods": (deleted_pod(),)}
NO_CONFIGS: Changes = {"network__cni__configs": (), "runtime__cri__network_ready": False}
UNMADE = pod("a", container("waiting", "CreateContainerError", "not found"))
UNMADE_EVERYWHERE = pod("a", container("waiting", "CreateContainerError", "not found"), elsewhere=("pi-05",))


def own(available: int) -> n.Filesystem:
    """A filesystem for images alone."""
    return n.Filesystem(**{**vars(filesystem("/var/lib/containerd")), "mount_point": "/data", "available": available})


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**NO_CRI, **saying("runtime", BAD_CRI)}, {}, ["containerd-cri-plugin-load-failed"]),
        ({**NO_CRI, **saying("runtime", SKIPPED)}, {}, []),
        (saying("runtime", BAD_CRI), {}, []),
        ({**NO_CRI, "runtime__cri__runtime": "containerd 1.5.9"}, {}, ["containerd-cri-v1-unimplemented"]),
        ({"runtime__cri__outcome": "no-socket"}, {}, ["containerd-socket-permission"]),
        ({"runtime__cri__outcome": "no-socket", "runtime__unit__started": UPTIME - 5}, {}, []),
        ({**NO_CRI, **saying("runtime", BAD_BOLT)}, {}, ["containerd-metadata-db-corrupt"]),
        ({**DOWN, **saying("runtime", PANIC, current=False)}, {}, ["containerd-metadata-db-corrupt"]),
        ({**DOWN, **saying("runtime", LOCKED)}, {}, ["containerd-down"]),
        (saying("runtime", PANIC), {}, []),
        (
            {**NO_CRI, "kernel__modules": {"overlay": False}, **saying("runtime", NO_OVERLAY)},
            {},
            ["containerd-overlay-unsupported"],
        ),
        ({**NO_CRI, **saying("runtime", NO_OVERLAY)}, {}, ["containerd-cri-plugin-load-failed"]),
        ({"kernel__modules": {"overlay": False}}, {}, []),
        (
            {"kernel__modules": {"overlay": False}, **saying("runtime", NO_DEVICE)},
            {},
            ["containerd-overlay-unsupported"],
        ),
        (saying("runtime", NO_DEVICE), {}, []),
        (saying("runtime", NO_PAUSE), {}, ["containerd-sandbox-image-missing"]),
        (saying("runtime", NO_PAUSE, ago=900), {}, []),
        ({"runtime__missing_programs": ("runc",), **saying("runtime", NO_RUNC)}, {}, ["containerd-runc-missing"]),
        ({"runtime__missing_programs": ("runc",), **saying("kubelet", NO_RUNC_EXEC)}, {}, ["containerd-runc-missing"]),
        (saying("runtime", NO_RUNC), {}, []),
        ({"runtime__missing_programs": ("runc",)}, {}, []),
        (saying("runtime", NO_SHIM_V1), {}, ["containerd-shim-binary-missing"]),
        (
            {"runtime__missing_programs": ("containerd-shim-runc-v2",), **saying("runtime", NO_SHIM)},
            {},
            ["containerd-shim-binary-missing"],
        ),
        (saying("runtime", NO_SHIM), {}, []),
        (saying("kubelet", STUCK), GOING, ["containerd-shim-hung"]),
        (saying("kubelet", STUCK), {}, []),
        (saying("kubelet", PROBE), GOING, []),
        ({"runtime__unit__started": UPTIME - 2, **saying("kubelet", STUCK)}, GOING, []),
        ({"pressure__imagefs": own(0)}, {}, ["containerd-disk-full"]),
        ({"pressure__imagefs": own(1 << 30)}, {}, []),
        ({**NO_CONFIGS, "network__cni__config_dir": file("/c", exists=False)}, {}, ["containerd-cni-dir-removed"]),
        ({**NO_CONFIGS, **saying("runtime", CNI_DIR, current=False)}, {}, ["containerd-cni-dir-removed"]),
        (NO_CONFIGS, {}, ["cni-config-missing"]),
        (saying("runtime", CNI_DIR, current=False), {}, []),
        (saying("kubelet", BLOB), {"node__pods": (UNMADE,)}, ["containerd-snapshot-corrupt"]),
        (saying("runtime", BLOB_GONE), {"node__pods": (UNMADE,)}, ["containerd-snapshot-corrupt"]),
        (
            saying("runtime", BLOB_GONE),
            {"node__pods": (pod("a", container("waiting", "ContainerCreating")),)},
            ["containerd-snapshot-corrupt"],
        ),
        (saying("kubelet", BLOB), {"node__pods": (UNMADE_EVERYWHERE,)}, []),
        (saying("runtime", UNPACK), {"node__pods": (UNMADE,)}, []),
        (saying("kubelet", BLOB), {}, []),
    ],
)
def test_runtime(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(changes, api) == expected


def test_a_host_that_was_renamed_is_told_from_one_with_the_certificate_of_another_node() -> None:
    assert roots({"identity__hostname": "renamed"}, SILENT) == ["kubelet-hostname-changed"]
    other = n.Certificate(**{**vars(certificate("p")), "common_name": "system:node:pi-09"})
    assert roots({"certificates__client": other}, SILENT) == []
    admin = n.Certificate(**{**vars(certificate("p")), "common_name": "kubernetes-admin"})
    assert roots({"certificates__client": admin}, {}) == []


@pytest.mark.parametrize(
    ("release", "expected"), [("v1.37.2", []), ("v1.38.0", ["containerd-runtimeconfig-unsupported"])]
)
def test_a_kubelet_that_was_not_asked_has_told_the_api_its_release(release: str, expected: list[str]) -> None:
    old_runtime = {"runtime__cri__cgroup_driver": None}
    not_asked = {"kubelet__version": unknown("it runs"), "kubelet__runs_installed": True}
    diagnosis = look({**old_runtime, **not_asked}, {"node__kubelet_version": release})
    assert [f.cause.id for f in diagnosis.findings] == expected
    assert not diagnosis.unknown
