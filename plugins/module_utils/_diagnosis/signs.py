# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Signs that several rules look for. Each is pure, and undecided when its evidence is unknown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from .cluster import ClusterEvidence, Lease, Pod
from .evidence import Undecided
from .node import Journal, LogLine, NodeEvidence, Unit
from .node_pods import Consumer

# A Lease lives 40 s (nodeLeaseDurationSeconds); a clock further off than this breaks its meaning.
CLOCK_TOLERANCE = 60.0
# In a crash loop the newest turn may not have logged its reason yet: RestartSec=10 plus a slow start.
CRASH_LOOP_WINDOW = 90.0
# A kubelet that cannot stay up leaves within seconds; the lab's slow nodes need up to 20 s to get there.
YOUNG = 30.0
# What is retried is said again within this: a sandbox every 15 s, a Lease every 10 s, on a slow node.
LATELY = 180.0
# What the kernel said of an event that is over by itself is news for so long, and history afterwards.
RECENT = 900.0
# The lab's kubelet (v1.37.2) holds 6; twice that for plugins and watchers that it has none of. With 2 left it exits.
INOTIFY_TAKEN = 12
# The result of a unit that ends since it was told to, in time or not (systemd.exec(5), SERVICE_RESULT).
TOLD = ("success", "timeout")
EVICTED = re.compile(
    r"Eviction manager: (?:pods evicted, waiting for|pods successfully cleaned up|pod is evicted successfully)"
)
HEAVIEST = 3  # are named
VXLAN_HEAD = 50  # octets of outer Ethernet, IPv4, UDP and VXLAN headers


def said(journal: Journal, pattern: str, *, several_turns: bool = False) -> tuple[LogLine, re.Match[str]] | None:
    """The newest line of this invocation (with *several_turns*: of the last turns of a crash loop) that matches."""
    newest = max((line.last for line in journal.lines), default=0.0)
    for line in reversed(journal.lines):
        if line.current or (several_turns and newest - line.last <= CRASH_LOOP_WINDOW):
            match = re.search(pattern, line.text)
            if match:
                return line, match
    return None


def lately(
    node: NodeEvidence, pattern: str, *journals: Journal, seconds: float = LATELY
) -> tuple[LogLine, re.Match[str]] | None:
    """As :func:`said` of one of these journals, for what is said again as long as it lasts: only when the last time
    was within *seconds*.
    """
    for journal in journals:
        found = said(journal, pattern)
        if found and node.identity.uptime - found[0].last <= seconds:
            return found
    return None


def quote(line: LogLine) -> str:
    """A log line as evidence: shortened, and how often it was said."""
    text = line.text if len(line.text) <= 240 else f"{line.text[:240]}..."
    return f'log: "{text}"' + (f" ({line.count} times)" if line.count > 1 else "")


def flag(node: NodeEvidence, name: str) -> tuple[str, str] | None:
    """Value and file of a command line flag; the last one wins."""
    found = [
        (setting.flag.partition("=")[2], setting.file)
        for setting in node.kubelet.config.flags
        if setting.flag.startswith(f"{name}=")
    ]
    return found[-1] if found else None


def running(unit: Unit) -> bool:
    """The unit has a live main process (which may still be frozen or useless)."""
    return unit.active_state == "active" and unit.sub_state == "running"


def processors_busy(node: NodeEvidence) -> bool:
    """Tasks wait for a processor most of the time, so that an answer can be late without being lost."""
    pressure, stall = node.pressure, node.pressure.psi_cpu
    return stall.some >= 70 if stall else pressure.load >= 4 * pressure.cpus


def inotify_short(node: NodeEvidence) -> bool:
    """root has fewer inotify instances left than a starting kubelet may take (fs.inotify.max_user_instances)."""
    return node.pressure.inotify_max_instances - node.pressure.inotify_instances < INOTIFY_TAKEN


def links_below(node: NodeEvidence) -> dict[str, int]:
    """The host's own links that are up, and the MTU of each."""
    network = node.network
    return {name: network.mtus[name] for name in network.hardware if name in network.mtus and name in network.links_up}


def oversized(node: NodeEvidence) -> dict[str, int]:
    """VXLAN links whose packets are larger than every link below can carry, and the MTU that it leaves them."""
    network, below = node.network, links_below(node)
    room = max(below.values(), default=0) - VXLAN_HEAD
    found = [name for name in network.vxlans if name in network.links_up and network.mtus.get(name, 0) > room]
    return {name: room for name in found if below}


def crash_looping(node: NodeEvidence) -> bool:
    """The kubelet exits and systemd starts it again and again; it can be sampled while it is up."""
    unit = node.kubelet.unit
    if unit.sub_state == "auto-restart" or between_turns(unit):
        return True
    if unit.active_state == "failed" and unit.restarts:
        return True  # until systemd gave up: the loop is over, and its reason is still there
    if unit.restarts == 0 or unit.active_state not in {"active", "activating"}:
        return False
    return not kubelet_answers(node) or young(node, unit)


def between_turns(unit: Unit) -> bool:
    """The main process ended by itself, and systemd waits for what is left of the unit before it starts it again.

    systemd learns by inotify that a control group is empty: with no watch left it waits for nothing, until
    TimeoutStopSec (systemd 257: seen).
    """
    return unit.active_state == "deactivating" and unit.main_pid == 0 and unit.result not in TOLD


def young(node: NodeEvidence, unit: Unit, seconds: float = YOUNG) -> bool:
    """The main process is younger than that: by default, than a turn of a crash loop on a slow node takes."""
    return unit.started is None or node.identity.uptime - unit.started < seconds


def kubelet_answers(node: NodeEvidence) -> bool:
    """The kubelet's process runs and its own health endpoint says ok."""
    return running(node.kubelet.unit) and node.kubelet.healthz.outcome == "ok"


def kubelet_works(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The kubelet answers and keeps its Lease: what is wrong with its files has no effect yet."""
    return kubelet_answers(node) and lease_kept(node, cluster)


def installed_version(node: NodeEvidence, cluster: ClusterEvidence) -> str | None:
    """The installed kubelet's release (None: there is none); the one that runs has told it to the API."""
    if node.kubelet.runs_installed and cluster.node is not None:
        return cluster.node.kubelet_version
    return node.kubelet.version


def lease_fresh(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The Lease was renewed within its duration, by the API server's clock or by the node's own.

    renewTime is written by the kubelet with the node's clock, so a node whose clock is wrong can be alive
    with a Lease that looks old; a frozen one cannot.
    """
    if cluster.node is None or cluster.node.lease is None:
        return False
    lease = cluster.node.lease
    return not lease_expired(lease, api_now(cluster)) or not lease_expired(lease, node.clock.now)


def lease_kept(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The Lease is fresh by this kubelet's own doing: one from before its start is its predecessor's sign of life.

    A kubelet that the API server refuses looks well for the 40 s that it takes to expire.
    """
    lease, started = cluster.node.lease if cluster.node else None, node.kubelet.unit.started
    if lease is None or started is None or not lease_fresh(node, cluster):
        return False
    return lease.renewed > node.clock.now - timedelta(seconds=node.identity.uptime - started)


def lease_expired(lease: Lease, now: datetime) -> bool:
    """renewTime + duration is before *now*."""
    return lease.renewed + timedelta(seconds=lease.duration) < now


def pod_agents(cluster: ClusterEvidence, names: str) -> tuple[Pod, ...]:
    """The Pods of DaemonSets on this node whose name is one of *names* (a pattern)."""
    pods = cluster.node.pods if cluster.node else ()
    return tuple(pod for pod in pods if re.fullmatch(f"DaemonSet/(?:{names})", pod.owner))


def api_now(cluster: ClusterEvidence) -> datetime:
    """The API server's clock when it was asked."""
    return cluster.api.now or cluster.api.controller_now


def just_now(moment: datetime | None, cluster: ClusterEvidence, seconds: float = LATELY) -> bool:
    """The API server has a *moment* for it, and that is not *seconds* ago."""
    return moment is not None and (api_now(cluster) - moment).total_seconds() <= seconds


def clock_offset(node: NodeEvidence) -> float | None:
    """Seconds that the node's clock is ahead of the API server's (negative: behind); None: nobody to ask."""
    return node.network.api.offset


def clock_trusted(node: NodeEvidence) -> bool:
    """The node's clock agrees with the API server's, or, when that cannot be asked, is synchronised."""
    offset = clock_offset(node)
    return abs(offset) <= CLOCK_TOLERANCE if offset is not None else node.clock.synchronized


def true_time(node: NodeEvidence) -> datetime | None:
    """Now by the API server's clock, or, when that cannot be asked, by the node's own if it is synchronised."""
    offset = clock_offset(node)
    if offset is not None:
        return node.clock.now - timedelta(seconds=offset)
    return node.clock.now if node.clock.synchronized else None


def clock_witness(node: NodeEvidence) -> str:
    """The line of evidence for :func:`clock_trusted` and :func:`true_time`."""
    offset = clock_offset(node)
    if offset is not None and abs(offset) > CLOCK_TOLERANCE:
        return f"by the API server's clock; the node's own is {abs(offset):.0f} s off"
    if offset is not None:
        return f"the node's clock agrees with the API server's within {abs(offset):.0f} s"
    return f"the node's clock is synchronised ({node.clock.service or 'kernel'})"


def no_node(node: NodeEvidence, cluster: ClusterEvidence) -> str | None:
    """Why the host cannot be a Node of this cluster, with what to do; None: it is one, or nobody can tell.

    A Node that was only deleted still has its kubelet, so whoever has neither was never one.
    """
    try:
        if cluster.node is not None:
            return None
        names = sorted({*cluster.fleet.ready, *cluster.fleet.not_ready, *cluster.fleet.silent})
        why = _strange(node, names)
    except Undecided:
        return None
    if why is None:
        return None
    return (
        f"the cluster has no Node {cluster.name}, and {why}: set outward_node_name to the name of its Node "
        f"(there are: {some(names) or 'none'}), leave this host out, or make it a node: "
        "ansible-playbook node-join.yml"
    )


def _strange(node: NodeEvidence, names: list[str]) -> str | None:
    if node.unreachable:
        return f"the host cannot be reached ({node.unreachable})"
    if not node.kubelet.binary.exists and not node.certificates.kubeconfig.file.exists:
        return f"the host has no kubelet ({node.kubelet.binary.path})"
    certificate = node.certificates.client
    other = certificate.common_name.partition("system:node:")[2] if certificate else ""
    return f"the host's kubelet is the Node {other}" if other in names else None


def instant(moment: datetime) -> str:
    """A time as it stands in reports: RFC 3339, seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def some(names: Sequence[str], most: int = 10) -> str:
    """Names for a person, of many the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def size(count: float) -> str:
    """Bytes for a person."""
    units = ("B", "KiB", "MiB", "GiB")
    power = 0
    while abs(count) >= 1024 and power < len(units) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.1f} {units[power]}" if power == 3 else f"{count:.0f} {units[power]}"


def evicted(node: NodeEvidence) -> frozenset[str]:
    """UIDs of the Pods of which this kubelet says that it has evicted them (pkg/kubelet/eviction/eviction_manager.go)."""
    lines = [line.text for line in node.kubelet.journal.lines if line.current and EVICTED.search(line.text)]
    named = {name for text in lines for name in re.findall(r'"([a-z0-9.-]{1,253}/[a-z0-9.-]{1,253})"', text)}
    return frozenset(pod.uid for pod in node.runtime.cri.pods if f"{pod.namespace}/{pod.name}" in named)


def most_memory(node: NodeEvidence) -> str:
    """Who holds most of it, for a person: `most memory: Pod shop/db-0 812 MiB, postgresql.service 40 MiB`."""
    return f"most memory: {_heaviest(node, lambda each: each.memory, size)}"


def most_processes(node: NodeEvidence) -> str:
    """Who has most processes and threads, for a person."""
    return f"most processes and threads: {_heaviest(node, lambda each: each.pids, str)}"


def _heaviest(node: NodeEvidence, what: Callable[[Consumer], int], words: Callable[[int], str]) -> str:
    named: dict[str, str] = {}
    with contextlib.suppress(Undecided):
        named = {pod.uid: f"{pod.namespace}/{pod.name}" for pod in node.runtime.cri.pods}
    try:
        first = sorted(node.pressure.consumers, key=what, reverse=True)[:HEAVIEST]
    except Undecided:
        return "not measured"
    names = {each.group: f"Pod {named.get(each.group, each.group)}" if each.pod else each.group for each in first}
    return ", ".join(f"{names[each.group]} {words(what(each))}" for each in first)
