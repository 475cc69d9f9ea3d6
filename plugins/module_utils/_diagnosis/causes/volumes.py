# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Causes in volumes, logs and images: what fills the disk, what is not mounted, and what holds up a Pod's volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ..cluster import ClusterEvidence, Event
from ..node import Filesystem, NodeEvidence
from ..registry import cause
from ..signs import api_now, lately, quote, size

# A Pod that waits for its volume says so again within 2 min 3 s (volumemanager.podAttachAndMountTimeout).
STILL = timedelta(minutes=5)
# The kubelet collects images every 5 minutes, and looks for orphans every few seconds.
COLLECTION, HOUSEKEEPING = 660.0, 300.0
NO_DRIVER = r"driver name (\S{1,200}) not found in the list of registered CSI drivers"


def waiting_pods(cluster: ClusterEvidence, reason: str, pattern: str) -> Iterator[tuple[Event, re.Match[str]]]:
    """Events of Pods on this node that are still not ready, and still said so lately by the API server's clock."""
    pods = {f"{pod.namespace}/{pod.name}" for pod in (cluster.node.pods if cluster.node else ()) if not pod.ready}
    for event in cluster.node.events if cluster.node else ():
        match = re.search(pattern, event.message) if event.reason == reason and event.name in pods else None
        if match and event.last and api_now(cluster) - event.last < STILL:
            yield event, match


def filling(disk: Filesystem) -> bool:
    """Less than a fifth is left: who takes much of it matters."""
    return disk.available < 0.2 * disk.size


@cause(
    id="image-gc-failing",
    layer="pressure",
    title="The kubelet cannot free enough space by removing images",
    restart="useless",
    refusal="a restart frees no space",
    automate="guarded",
    repair="free-space-beside-images",
    explains=(),
    advice="ssh {host} 'sudo du -axh -d3 / | sort -h | tail -20': what fills the disk is no image "
    "(look below mount points too: mount --bind / /mnt)",
)
def image_gc_failing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It failed several times in a row and the disk is still full; a single failure after a start is harmless."""
    disk = node.pressure.imagefs
    if not filling(disk):
        return
    line = lately(
        node, r"Image garbage collection failed multiple times in a row", node.kubelet.journal, seconds=COLLECTION
    )
    if line:
        yield f"imagefs ({disk.mount_point}): {size(disk.available)} of {size(disk.size)} available"
        yield quote(line[0])


@cause(
    id="container-log-growth",
    layer="pressure",
    title="The logs of a container fill the disk",
    restart="partial",
    refusal="a restart begins with rotation again, and frees nothing by itself",
    automate="safe",
    repair="shorten-container-logs",
    explains=("containerd-disk-full", "disk-pressure-nodefs"),
    advice="ssh {host} 'sudo du -ah /var/log/pods | sort -h | tail'; truncate -s 0 of the largest 0.log is safe; "
    "then see why its application says so much, or why rotation fails",
)
def container_log_growth(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Rotation keeps a container below 50 MiB; a tenth of a disk that fills up is a burst or a rotation that fails."""
    if not filling(node.pressure.nodefs) and not filling(node.pressure.rootfs):
        return
    disk = node.storage.log_space
    for name, taken in node.storage.pod_logs.items():
        if filling(disk) and taken >= 0.1 * disk.size:
            yield f"{name}: {size(taken)} of logs; {size(disk.available)} of {size(disk.size)} available"


@cause(
    id="journald-growth",
    layer="pressure",
    title="The journal fills the disk",
    restart="useless",
    refusal="a restart writes more into it",
    automate="safe",
    repair="vacuum-journal",
    explains=("disk-pressure-nodefs", "io-stall"),
    advice="ssh {host} sudo journalctl --vacuum-size=200M, and set SystemMaxUse= in /etc/systemd/journald.conf; "
    "then see who says so much: journalctl -b -o cat _TRANSPORT=stdout --lines=50",
)
def journald_growth(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """By itself it stops at a tenth of its filesystem and leaves 15 % free; more than that is somebody's setting."""
    disk = node.storage.log_space
    if filling(disk) and node.storage.journal_size >= 0.12 * disk.size:
        yield (
            f"the journal takes {size(node.storage.journal_size)} of {size(disk.size)}; {size(disk.available)} available"
        )


@cause(
    id="csi-driver-not-registered",
    layer="storage",
    title="A Pod needs a CSI driver that is not registered with this kubelet",
    restart="partial",
    refusal="a restart looks for registration sockets again; the kubelet does that by itself within two minutes",
    automate="guarded",
    explains=("sym:pods-containercreating",),
    advice="kubectl get pods -A -o wide --field-selector spec.nodeName={node} shows whether the driver's own Pod runs "
    "here (delete it when it hangs); ssh {host} sudo ls -l {root_dir}/plugins_registry",
)
def csi_driver_not_registered(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The Pod waits for it now; after a boot a driver may need some seconds, and then the event is old."""
    found = list(waiting_pods(cluster, "FailedMount", NO_DRIVER))
    for event, match in found:
        yield f"{event.name} waits for the CSI driver {match.group(1)}, which has not registered"
    if found:
        line = lately(
            node, r"RegisterPlugin error -- .{1,400} at socket ", node.kubelet.journal, seconds=STILL.total_seconds()
        )
        if line:
            yield quote(line[0])


@cause(
    id="volume-attach-stuck",
    layer="storage",
    kind="not-a-node-fault",
    title="A volume is still attached to another node",
    restart="useless",
    refusal="the node at fault is the one that had the volume before",
    explains=("sym:pods-containercreating",),
    advice="see which node has it: kubectl get volumeattachment; only when that machine is certainly off: kubectl taint "
    "node OLD node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
)
def volume_attach_stuck(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Multi-Attach names the node that waits, not the one that died with the volume; forcing it may destroy data."""
    for event, dummy in waiting_pods(cluster, "FailedAttachVolume", r"Multi-Attach error"):
        yield f"{event.name}: {event.message}"


@cause(
    id="orphaned-pod-volumes",
    layer="storage",
    title="The kubelet cannot remove the volumes of a Pod that is gone",
    restart="useless",
    refusal="a restart finds the same directory again",
    automate="guarded",
    repair="set-aside-orphaned-pod",
    explains=(),
    advice="ssh {host} 'sudo findmnt -l | grep pods; sudo ls -R {root_dir}/pods/UID/volumes': unmount what is mounted "
    "there, then move the directory away; never rm -r below a mount",
)
def orphaned_pod_volumes(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The running kubelet says so at each of its rounds; once, while a Pod goes, is nothing."""
    line = lately(
        node,
        r'[Oo]rphaned pod "[^"]{1,80}" found, but (?:failed to rmdir|error|volumes? )',
        node.kubelet.journal,
        seconds=HOUSEKEEPING,
    )
    if line and line[0].count > 2:
        yield quote(line[0])


@cause(
    id="data-mount-missing",
    layer="storage",
    title="The disk that is meant to hold the kubelet's or the runtime's data is not mounted",
    restart="harmful",
    refusal="what is written now lies on the wrong filesystem",
    automate="guarded",
    repair="mount-data-disk",
    explains=("containerd-down", "disk-pressure-nodefs"),
    advice="ssh {host} 'lsblk -f; systemctl list-units --type=mount --state=failed'; when the disk is there: ssh {host} "
    "'sudo systemctl stop {unit} {runtime_unit} && sudo mount -a && sudo systemctl start {runtime_unit} {unit}'; "
    "RequiresMountsFor= in their units keeps it from happening again",
)
def data_mount_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """fstab names a device for it (nofail, so that the boot went on); a missing mount elsewhere is not the node's."""
    for point in node.storage.fstab_missing:
        held = [
            path for path in (node.profile.root_dir, node.profile.runtime_root) if f"{path}/".startswith(f"{point}/")
        ]
        if held:
            yield f"{point} is in /etc/fstab and not mounted; it is meant to hold {' and '.join(held)}"
