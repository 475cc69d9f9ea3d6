# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in what containerd needs for Pods: images, programs, shims, its database and file systems."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import LogLine, NodeEvidence
from ..registry import cause
from ..signs import lately, quote, running, said, size
from .network import network_still_ready

NO_NEW_POD = ("sym:pods-containercreating",)
# A sandbox that fails is tried again after seconds, a container within 5 min, one that is to be stopped after 2 min.
SANDBOX, CONTAINER = 120.0, 400.0
# As the gate has it: what a daemon writes at its start is far below.
FULL = 4 * 1024 * 1024
BROKEN_POD = {
    "ContainerCreating",  # until the kubelet has told the API
    "CreateContainerError",
    "RunContainerError",
    "CreateContainerConfigError",
    "ErrImagePull",
    "ImagePullBackOff",
}


def failed(node: NodeEvidence, pattern: str, seconds: float) -> tuple[LogLine, re.Match[str]] | None:
    """What the runtime said lately of a Pod, or the kubelet after it."""
    return lately(node, pattern, node.runtime.journal, node.kubelet.journal, seconds=seconds)


@cause(
    id="containerd-sandbox-image-missing",
    layer="runtime",
    title="The pause image is not there and cannot be pulled, so no new Pod starts",
    restart="useless",
    refusal="it is the runtime that needs the image",
    automate="guarded",
    repair="set-pause-image",
    explains=NO_NEW_POD,
    advice="ssh {host} 'sudo ctr -n k8s.io images ls -q | grep pause'; pull or import the image that the line names, "
    "or mend sandbox_image in {runtime_config}",
)
def containerd_sandbox_image_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It is the sandbox's image, not the workload's: garbage collection took it, or the registry is gone."""
    line = failed(node, r"failed to get sandbox image \"?([^\s\"]{1,200})\"?: failed to pull", SANDBOX)
    if line and node.runtime.cri.outcome == "ok":
        yield f"no Pod can start without the image {line[1].group(1)}"
        yield quote(line[0])


@cause(
    id="containerd-runc-missing",
    layer="runtime",
    title="runc is not there, so no container starts",
    restart="useless",
    refusal="it is the runtime that needs runc",
    automate="guarded",
    explains=NO_NEW_POD,
    advice="ssh {host} sudo apt-get install --reinstall runc (with Docker's packages: containerd.io); nothing has to be restarted",
)
def containerd_runc_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node stays Ready: only a new container or an exec runs runc. Without a failure another runtime is in use."""
    line = failed(
        node,
        r"exec: \"(?:/\S{1,200}/)?runc\": executable file not found|fork/exec \S{0,200}runc: "
        r"(?:no such file|exec format error)",
        CONTAINER,
    )
    if line and ("runc" in node.runtime.missing_programs or "exec format error" in line[0].text):
        yield quote(line[0])
        if "runc" in node.runtime.missing_programs:
            yield "there is no runc on the PATH of services"


@cause(
    id="containerd-shim-binary-missing",
    layer="runtime",
    title="containerd's shim is not there, so no Pod starts",
    restart="useless",
    refusal="it is the runtime that needs its shim",
    automate="guarded",
    explains=NO_NEW_POD,
    advice="ssh {host} sudo apt-get install --reinstall containerd (with Docker's packages: containerd.io); "
    "a line that names io.containerd.runc.v1 means runtime_type in "
    "{runtime_config} (2.0 removed it)",
)
def containerd_shim_binary_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A half upgrade took it, or the configuration names one that this release no longer has."""
    line = failed(
        node,
        r"binary not installed \"(containerd-shim-[\w-]{1,40})\"|fork/exec (?:/\S{0,200}/)?(containerd-shim-[\w-]{1,40}): no such file",
        SANDBOX,
    )
    if not line:
        return
    name = line[1].group(1) or line[1].group(2)
    if name in node.runtime.missing_programs or name == "containerd-shim-runc-v1":
        yield quote(line[0])
        yield f"there is no {name} on the PATH of services"


@cause(
    id="containerd-shim-hung",
    layer="runtime",
    title="A Pod cannot be stopped, for its shim does not answer",
    restart="partial",
    refusal="a restart forgets what the kubelet waited for; the shim hangs on",
    explains=("kubelet-pleg-unhealthy", "sym:pods-terminating"),
    advice="ssh {host} 'ps -eo pid,stat,etimes,args | grep [c]ontainerd-shim'; kill the shim of that sandbox unless "
    "something below it is in state D, which only a reboot ends",
)
def containerd_shim_hung(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """containerd answers everything else, and gives up on this Pod again and again; it never kills a stuck shim."""
    going = [pod for pod in (cluster.node.pods if cluster.node else ()) if pod.deleting]
    # ExecSync is not among them: a slow probe of an application says the same.
    line = lately(
        node,
        r"(?:StopPodSandbox|StopContainer|KillPodSandbox|KillContainer).{0,300}DeadlineExceeded",
        node.kubelet.journal,
        seconds=CONTAINER,
    )
    if not going or not line or node.runtime.cri.outcome != "ok":
        return
    started = node.runtime.unit.started
    # What was said of a containerd that hung itself ends with it.
    if started is not None and line[0].last > started:
        yield quote(line[0])
        yield f"{going[0].namespace}/{going[0].name} is being deleted, and the CRI answers"


@cause(
    id="containerd-disk-full",
    layer="pressure",
    title="The filesystem of the container runtime is full",
    restart="useless",
    refusal="a restart frees no space",
    automate="guarded",
    repair="free-disk-space",
    explains=("disk-pressure-imagefs", "containerd-down", "containerd-metadata-db-corrupt", *NO_NEW_POD),
    advice="ssh {host} 'sudo crictl rmi --prune; sudo du -axh -d3 {runtime_root} | sort -h | tail'",
)
def containerd_disk_full(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Images have a filesystem of their own and nothing is left of it; whatever the thresholds say, no Pod starts."""
    disk = node.pressure.imagefs
    if disk.mount_point != node.pressure.nodefs.mount_point and not disk.read_only and disk.available < FULL:
        yield f"{disk.mount_point} ({disk.device}): {size(disk.available)} of {size(disk.size)} available"


@cause(
    id="containerd-cni-dir-removed",
    layer="runtime",
    title="The directory of the CNI configuration was removed",
    restart="useless",
    refusal="the runtime reads the CNI configuration, not the kubelet",
    automate="guarded",
    repair="restore-cni-directory",
    explains=("containerd-down", "cni-config-missing", "sym:network-not-ready", "sym:node-notready"),
    latent=network_still_ready,
    advice="ssh {host} sudo systemctl restart {runtime_unit} (it makes {cni_config_dir} again); then restart the "
    "CNI's own Pod, which writes its configuration",
)
def containerd_cni_dir_removed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """containerd watches the directory itself: without it 2.x exits, and 1.7 hears of no new configuration."""
    cni = node.network.cni
    if cni.configs:
        return
    removed = next((line for line in node.runtime.journal.lines if "cni conf dir is removed" in line.text), None)
    if not cni.config_dir.exists:
        yield f"{cni.config_dir.path} does not exist"
    if removed:
        yield quote(removed)
        yield f"{cni.config_dir.path} holds no configuration"


@cause(
    id="containerd-metadata-db-corrupt",
    layer="runtime",
    title="containerd's database is damaged",
    restart="harmful",
    refusal="a kubelet that starts without its runtime exits",
    explains=(
        "containerd-down",
        "containerd-cri-plugin-load-failed",
        "sym:runtime-down",
        "sym:node-notready",
        "sym:kubelet-crashloop",
    ),
    advice="look at the disk of {host} first (dmesg, fsck); then, with {unit} and {runtime_unit} stopped, move "
    "{runtime_root} aside: all containers and images of the node are made anew",
)
def containerd_metadata_db_corrupt(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """bolt panics or refuses its file after a power loss; "waiting for response from boltdb open" is only a lock."""
    line = said(
        node.runtime.journal,
        r"panic: (?:assertion failed: Page expected|invalid page type|freepages|page \d+ already freed)"
        r"|failed to load plugin.{0,80}(?:metadata\.v1\.bolt|snapshotter\.v1\.overlayfs).{0,200}"
        r"(?:invalid database|version mismatch|checksum error|file size too small|structure needs cleaning)",
        several_turns=True,
    )
    if line and (not running(node.runtime.unit) or node.runtime.cri.outcome != "ok"):
        yield quote(line[0])
        yield f"{node.runtime.unit.name} is {node.runtime.unit.active_state} ({node.runtime.unit.sub_state})"


@cause(
    id="containerd-overlay-unsupported",
    layer="runtime",
    title="containerd cannot use overlayfs",
    restart="harmful",
    refusal="a kubelet that starts without its runtime exits",
    automate="guarded",
    repair="load-overlay",
    explains=("containerd-cri-plugin-load-failed", *NO_NEW_POD),
    advice="ssh {host} 'sudo modprobe overlay; ls /lib/modules/$(uname -r); findmnt -T {runtime_root}': reboot into the "
    "kernel whose modules are there, or give {runtime_root} an ext4",
)
def containerd_overlay_unsupported(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The module is missing, or the filesystem below cannot carry it; the unit's own modprobe fails silently."""
    line = said(
        node.runtime.journal,
        r"does not support d_type|failed to find snapshotter \"overlayfs\"|failed to mount overlay"
        r"|overlay.{0,200}no such device|snapshotter\.v1\.overlayfs.{0,300}not support"
        # 1.7 that was started without the module: it loads, and each Pod fails.
        r"|failed to mount rootfs component: no such device",
    )
    missing = node.kernel.modules.get("overlay") is False
    if line and (missing or "d_type" in line[0].text):
        yield quote(line[0])
        if missing:
            yield f"kernel {node.identity.kernel} has no module overlay loaded"


@cause(
    id="containerd-snapshot-corrupt",
    layer="runtime",
    title="The content of an image is damaged on this node",
    restart="useless",
    refusal="a restart does not mend an image",
    automate="guarded",
    advice="ssh {host} 'sudo ctr -n k8s.io images check' names the image (incomplete, or unable to check); sudo crictl rmi that "
    "one, so that it is pulled anew, and look at the disk",
)
def containerd_snapshot_corrupt(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A power loss left files without content; the same image works on other nodes."""
    line = failed(
        node,
        r"failed to extract layer(?!.{0,600}no space left)|unexpected commit digest"
        r"|content (?:digest )?sha256:[0-9a-f]{8,64}:? not found"
        r"|blob sha256:[0-9a-f]{8,64} expected at \S{1,250}: blob not found",
        CONTAINER,
    )
    broken = [
        f"{pod.namespace}/{pod.name}: {container.image}: {container.reason}"
        for pod in (cluster.node.pods if cluster.node else ())
        for container in pod.containers
        if container.state == "waiting" and container.reason in BROKEN_POD and not pod.failing_elsewhere
    ]
    if line and broken:
        yield quote(line[0])
        yield broken[0]
