# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether a machine is a node of the cluster, and whether it may become one. Pure.

Joined means that the certificate is valid, its CA is the cluster's, and the Node is this machine; not that a file exists.
The first half is what the cluster says; the second half (:data:`RULES`) is asked on the machine, by the process that then
joins it. What that process sets itself (swap, modules, sysctls, directories, time synchronisation) is no reason to refuse.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from . import gate
from .cluster import ClusterEvidence
from .evidence import Evidence, section
from .gate import Refusal
from .node import Filesystem, NodeEvidence
from .renewal import accepted, usable
from .signs import api_now, clock_trusted, instant, lease_expired, size, some

CAUSE: t.Final = "not-joined"  # what the step is taken for, in the report and the ledger
# The shares of a filesystem below which a kubelet evicts by default (pkg/kubelet/apis/config/v1beta1 of 1.37).
LEAST_NODEFS, LEAST_IMAGEFS, LEAST_INODES = 0.10, 0.15, 0.05
# kubelet: up to three minor releases older than the API server (version skew policy).
OLDEST: t.Final = 3
FIRST: t.Final = 31  # of the minor releases of kubeadm: kubeadm.k8s.io/v1beta4
RECOVER: t.Final = "ansible-playbook certificates-recover.yml -l {host}"


@section(frozen=True)
class Ground(Evidence):
    """What a join needs to know besides."""

    kubelet: str | None  # the installed one's release; None: it is not installed
    kubeadm: str | None
    ports: tuple[int, ...]  # of those that a kubelet listens on: taken, by whomever
    time_services: tuple[str, ...]  # units that are installed and keep the clock


@dataclass(frozen=True)
class Wanted:
    """Which Node of which cluster the machine is to be."""

    name: str
    address: str  # that its kubelet is to be known by; empty: the kubelet chooses
    version: str  # of the API server
    authorities: tuple[str, ...]  # SHA-256 of each of the cluster's CA certificates, hexadecimal


@dataclass(frozen=True)
class Site:
    """All that the rules are asked about; ``node`` has the API server as the joining machine is told of it."""

    found: NodeEvidence
    node: NodeEvidence
    ground: Ground
    wanted: Wanted


def fingerprints(certificates: Iterable[bytes]) -> tuple[str, ...]:
    """Of DER, as ``Certificate.fingerprint`` has it."""
    return tuple(hashlib.sha256(encoded).hexdigest() for encoded in certificates)


def outside(node: NodeEvidence, cluster: ClusterEvidence, authorities: Collection[str]) -> Iterator[str]:
    """it is a node of the cluster: why it is not, and nothing when it is."""
    found = tuple(without_identity(node, cluster.name, authorities))
    yield from found
    if found:
        return
    if cluster.node is None:
        yield f"the API server has no Node {cluster.name}"
    elif cluster.node.machine_id != node.identity.machine_id:
        yield f"the Node {cluster.name} is another machine ({cluster.node.machine_id}) than this one"


def without_identity(node: NodeEvidence, name: str, authorities: Collection[str]) -> Iterator[str]:
    """Why what the machine has does not prove it to be the node *name* of the cluster; nothing when it does."""
    certificates = node.certificates
    if not certificates.kubeconfig.file.exists or certificates.client is None:
        yield "it has no client certificate and no kubeconfig of a node"
    elif certificates.ca is None or certificates.ca.fingerprint not in authorities:
        yield "its kubeconfig trusts another CA than the cluster's"
    elif not usable(certificates, name):
        yield f"its client certificate is none of system:node:{name} that can be used"
    elif clock_trusted(node) and certificates.client.not_after <= node.clock.now:
        yield f"its client certificate expired {instant(certificates.client.not_after)}"
    elif not accepted(node):
        yield "the API server does not take its client certificate"


def barred(node: NodeEvidence, cluster: ClusterEvidence, others: dict[str, str]) -> tuple[Refusal, ...]:
    """Why the cluster's side forbids it; *others*: the machine-id of each of its Nodes."""

    def name(look: ClusterEvidence) -> Iterator[str]:
        """no other machine has the name."""
        yield from _name_taken(node, look)

    def machine(look: ClusterEvidence) -> Iterator[str]:
        """the machine-id is this machine's alone."""
        mine = node.identity.machine_id
        twins = sorted(other for other, identity in others.items() if identity == mine and other != look.name)
        if twins:
            yield (
                f"its machine-id {mine} is that of {some(twins, 3)} too (a cloned card): on it sudo rm /etc/machine-id"
                " /var/lib/dbus/machine-id; sudo systemd-machine-id-setup; sudo reboot"
            )

    return gate.ask(cluster, (name, machine))


def _name_taken(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A Node without a sign of life is that of a machine that is gone, or of this one before it lost its identity."""
    there = cluster.node
    if there is None:
        return
    if there.control_plane:
        yield f"the Node {there.name} is a control-plane node: kubeadm join --control-plane is not done here"
    ready, lease = there.condition("Ready"), there.lease
    alive = lease is not None and not lease_expired(lease, api_now(cluster))
    if not alive and not (ready and ready.status == "True"):
        return
    since = f"it renewed its Lease {instant(lease.renewed)}" if lease else "it is Ready"
    if there.machine_id != node.identity.machine_id:
        yield (
            f"the name {there.name} is held by another machine that lives ({there.machine_id}; {since}): shut that one"
            " down, or give this one a name of its own"
        )
    else:
        yield f"the Node {there.name} counts as alive still ({since}): wait a minute, and run it again"


def refusals(site: Site) -> tuple[Refusal, ...]:
    """Why the machine cannot be joined as it is; empty: nothing speaks against it."""
    return (*gate.ask(site, RULES), *gate.ask(site.node, OF_A_START))


def programs(site: Site) -> Iterator[str]:
    """kubelet and kubeadm are installed."""
    minor = ".".join(site.wanted.version.split(".")[:2])
    missing = [name for name in ("kubelet", "kubeadm") if vars(site.ground)[name] is None]
    if missing:
        yield f"{' and '.join(missing)} cannot be run: install kubelet and kubeadm {minor} (https://pkgs.k8s.io)"


def versions(site: Site) -> Iterator[str]:
    """the releases go together."""
    kubelet, kubeadm = site.ground.kubelet, site.ground.kubeadm
    if kubelet is None or kubeadm is None:
        return
    server, ours, tool = (_minor(text) for text in (site.wanted.version, kubelet, kubeadm))
    if not server - OLDEST <= ours <= server:
        yield f"kubelet {kubelet} does not go with an API server {site.wanted.version}: at most {OLDEST} minor releases older, none newer"
    if not max(FIRST, server) <= tool <= server + 1 or ours > tool:
        yield f"kubeadm {kubeadm} cannot join a kubelet {kubelet} to an API server {site.wanted.version}: install {site.wanted.version}"


def identity(site: Site) -> Iterator[str]:
    """the machine has the Node's name and address."""
    who, wanted = site.node.identity, site.wanted
    if who.hostname.lower() != wanted.name:
        yield f"its hostname is {who.hostname}, and its Node's name {wanted.name}: sudo hostnamectl set-hostname {wanted.name}"
    if not re.fullmatch(r"[0-9a-f]{32}", who.machine_id):
        yield "it has no machine-id: sudo systemd-machine-id-setup"
    if wanted.address and wanted.address not in who.addresses:
        yield f"the inventory gives it {wanted.address}, and it has {some(list(who.addresses), 5) or 'no address'}"


def belonging(site: Site) -> Iterator[str]:
    """it belongs to nobody else, and lost nothing that only has to be renewed."""
    node, wanted = site.node, site.wanted
    if node.profile.name != "kubeadm":
        yield f"a node of the profile {node.profile.name} joins in its own way"
    if node.kernel.pod_cgroup_drivers:
        yield f"Pods run on it, so it is a node that has lost its identity, and no machine to join: {RECOVER}"
    client = node.certificates.client
    if client is None:  # whatever else a join has left half-written, it is nobody's by it
        return
    authority = node.certificates.ca
    if client.common_name != f"system:node:{wanted.name}":
        yield f"it has the identity {client.common_name} already: on it sudo kubeadm reset, if that is not wanted any more"
    elif authority and authority.fingerprint not in wanted.authorities:
        yield "it belongs to another cluster (its kubeconfig trusts another CA): on it sudo kubeadm reset"
    elif usable(node.certificates, wanted.name) and accepted(site.found):
        yield "it has joined, or is about to: run it again"


def ports(site: Site) -> Iterator[str]:
    """the kubelet's ports are free."""
    taken = [str(port) for port in site.ground.ports]
    if taken and site.node.kubelet.unit.main_pid == 0:
        yield f"somebody else listens on the kubelet's port {', '.join(taken)}"


def clock(site: Site) -> Iterator[str]:
    """the clock is right, or will be set."""
    node = site.node
    if node.clock.synchronized:
        if not clock_trusted(node):
            yield f"the clock is {gate.clock_doubt(node)}, although it is synchronised ({node.clock.service})"
    elif node.clock.service is None and not site.ground.time_services:
        yield "nobody sets its clock: sudo apt install systemd-timesyncd"


def server(site: Site) -> Iterator[str]:
    """the API server can be reached from it, and proves itself by the cluster's CA."""
    answer = site.node.network.api
    if answer.outcome not in ("ok", "http"):
        yield f"{answer.server} cannot be reached from it ({answer.outcome}: {answer.detail})"


def runtime(site: Site) -> Iterator[str]:
    """the container runtime answers."""
    answer, unit = site.node.runtime.cri, site.node.profile.runtime_unit
    if answer.outcome == "unimplemented":
        yield f"containerd runs without its CRI: take cri out of disabled_plugins in {site.node.profile.runtime_config}, then sudo systemctl restart {unit}"
    elif answer.outcome != "ok":
        yield f"the container runtime does not answer ({answer.outcome}: {answer.detail}): sudo systemctl start {unit}"
    elif not answer.runtime_ready:
        yield f"the container runtime is not ready ({answer.runtime_message})"


def memory_cgroup(site: Site) -> Iterator[str]:
    """the control groups are as a kubelet needs them."""
    kernel = site.node.kernel
    if kernel.cgroup_version == 1:
        yield "the host runs on cgroup v1: boot it with systemd.unified_cgroup_hierarchy=1"
    elif "memory" not in kernel.cgroup_controllers:
        yield "the memory cgroup is off: add cgroup_enable=memory to /boot/firmware/cmdline.txt (one line), and reboot"


def disk(site: Site) -> Iterator[str]:
    """there is room."""
    pressure = site.node.pressure
    for filesystem, least in ((pressure.nodefs, LEAST_NODEFS), (pressure.imagefs, LEAST_IMAGEFS)):
        yield from _room(filesystem, least)


def _room(filesystem: Filesystem, least: float) -> Iterator[str]:
    if filesystem.available < least * filesystem.size:
        yield (
            f"{filesystem.mount_point} has {size(filesystem.available)} left: a kubelet evicts Pods below {least:.0%}"
            f" of it ({filesystem.path})"
        )
    if filesystem.inodes and filesystem.inodes_free < LEAST_INODES * filesystem.inodes:
        yield f"{filesystem.mount_point} has {filesystem.inodes_free} inodes left: a kubelet evicts Pods below {LEAST_INODES:.0%}"


RULES: t.Final = (
    programs,
    versions,
    identity,
    belonging,
    ports,
    clock,
    server,
    runtime,
    memory_cgroup,
    disk,
)


def unit(node: NodeEvidence) -> Iterator[str]:
    """the kubelet's unit can be started."""
    if node.kubelet.binary.exists:
        yield from gate.kubelet_unit(node)


# Of the gate of a restart, what holds for a first start too.
OF_A_START: t.Final = (
    unit,
    gate.inotify,
    gate.writable,
    gate.data_mounts,
    gate.network_mounts,
    gate.upkeep,
    gate.kubelet_killable,
)


def _minor(version: str) -> int:
    match = re.match(r"v?1\.(\d+)", version)
    return int(match.group(1)) if match else -1
