# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the kubelet's health shows in over time. A signal is no cause and no verdict: it says where to look.

Each line of evidence is found by a small function of its own, so that what could not be observed silences that line
and no other. Thresholds are somebody's: their source stands beside them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .cluster import ClusterEvidence, Container, Event, Pod
from .evidence import Undecided
from .node import NodeEvidence
from .node_pods import PROBE_NAMESPACE, Sandbox
from .noise import noise
from .signs import api_now, clock_offset, instant, quote
from .starting import PATIENCE, pods_not_starting

Lines = Callable[[NodeEvidence, ClusterEvidence], Iterator[str]]

# catalogue.yml, sym:flapping: three transitions of Ready in half an hour.
FLAPPING, FLAPPING_WINDOW = 3, timedelta(minutes=30)
# pkg/kubelet: a Lease is renewed four times in its duration (nodeLeaseRenewIntervalFraction 0.25: every 10 s).
RENEWALS, MISSED = 4, 2
# nodeStatusReportFrequency: the kubelet posts its status every 5 minutes even when nothing changes.
STATUS_REPORT = timedelta(minutes=5)
RECENT = 600.0
# The kubelet forgets a container's back-off (10 s doubling to 5 min) after ten quiet minutes: three starts are a loop.
RESTARTS, RESTARTS_WINDOW = 3, timedelta(minutes=10)
# Dead sandboxes are collected every minute (ContainerGCPeriod); what is left ten times as long is not.
COLLECTED = timedelta(minutes=10)
# Errors a minute in the lab's recordings, without a kubelet's start: up to 4, and 6 to 7 where it could not work.
NOISY = 5.0
MOST = 5  # lines of one kind


@dataclass(frozen=True)
class Signal:
    """One thing that was seen over time; *explained* are the causes found whose effect it is."""

    id: str
    title: str
    evidence: tuple[str, ...]
    explained: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of signal; *symptom* is its name in the catalogue of causes, if it has one."""

    id: str
    title: str
    symptom: str
    lines: tuple[Lines, ...]


def signals(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    """Every kind of signal of which there is something to say."""
    for kind in KINDS:
        found = tuple(line for lines in kind.lines for line in _known(lines, node, cluster))
        if found:
            yield kind, found


def _known(lines: Lines, node: NodeEvidence, cluster: ClusterEvidence) -> tuple[str, ...]:
    try:
        return tuple(lines(node, cluster))
    except Undecided:
        return ()


def flapping(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Who says that Ready changed tells where to look: the kubelet itself, or the controller that misses its Lease."""
    changes = [e for e in _events(cluster) if e.reason in ("NodeReady", "NodeNotReady")]
    turns: Counter[tuple[str, str]] = Counter()
    for event in changes:
        turns[event.reason, event.source] += _in_window(event, api_now(cluster))
    if sum(turns.values()) < FLAPPING:
        return
    minutes = FLAPPING_WINDOW.total_seconds() / 60
    said = ", ".join(f"{reason} by {source}: {count}" for (reason, source), count in sorted((+turns).items()))
    yield f"Ready changed {sum(turns.values())} times in {minutes:.0f} minutes ({said})"
    condition = cluster.node.condition("Ready") if cluster.node else None
    if condition and condition.transition:
        yield f"Ready is {condition.status} since {instant(condition.transition)}, says {condition.writer}"


def _events(cluster: ClusterEvidence) -> tuple[Event, ...]:
    """About the Node: the node controller tells each of its Pods too that the Node is not ready."""
    return tuple(e for e in cluster.node.events if e.kind == "Node") if cluster.node else ()


def _in_window(event: Event, now: datetime) -> int:
    """How often within the window: a folded event's count is taken as evenly spread over its life."""
    begin = now - FLAPPING_WINDOW
    if event.last is None or event.last < begin:
        return 0
    if event.count == 1:
        return 1
    if event.first is None or event.first >= begin:
        return event.count if event.first else 1
    return max(1, round(event.count * ((event.last - begin) / (event.last - event.first))))


def turned_by_kubelet(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet's own words say why, and nobody else's do; once is no flapping."""
    since = node.identity.uptime - FLAPPING_WINDOW.total_seconds()
    turns = [
        x for x in node.kubelet.journal.lines if x.current and x.last > since and "Node became not ready" in x.text
    ]
    if sum(line.count for line in turns) >= FLAPPING or any(flapping(node, cluster)):
        for line in turns[-MOST:]:
            reason = re.search(r'"reason":"([^"]{1,80})","message":"([^"]{1,200})', line.text)
            yield f"the kubelet itself: {reason.group(1)}: {reason.group(2)}" if reason else quote(line)


def lease_late(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Two renewals were missed; renewTime is of the node's clock, and now is the API server's."""
    lease = cluster.node.lease if cluster.node else None
    if lease is None:
        return
    age = (api_now(cluster) - lease.renewed).total_seconds() + (clock_offset(node) or 0.0)
    interval = lease.duration / RENEWALS
    if age >= MISSED * interval:
        yield f"the Lease was renewed {age:.0f} s ago; a kubelet renews it every {interval:.0f} s, and it lasts {lease.duration} s"


def status_late(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The Lease and the status travel separately: a large status can fail where a small Lease gets through."""
    ready = cluster.node.condition("Ready") if cluster.node else None
    if ready and ready.heartbeat and api_now(cluster) - ready.heartbeat > 2 * STATUS_REPORT:
        yield f"the status was last posted at {instant(ready.heartbeat)}; a kubelet posts it every 5 minutes"


_HEARTBEAT = re.compile(
    r'"(?:Failed to update lease|Failed to ensure lease exists|Will retry updating lease'
    r"|Error updating node status, will retry|Unable to update node status)"
)


def heartbeat_errors(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """One failure happens anywhere; a conflict (the object has been modified) is answered by a second try."""
    for line in node.kubelet.journal.lines:
        recent = line.current and node.identity.uptime - line.last < RECENT
        if recent and line.count > 1 and _HEARTBEAT.search(line.text) and "cannot be fulfilled" not in line.text:
            yield quote(line)


def restarts(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """One application that restarts on every node is its own; everything that restarts on one node is the node's."""
    pods = cluster.node.pods if cluster.node else ()
    loops = _loops(pods, cluster)
    for owner, found in sorted(loops.items())[:MOST]:
        elsewhere = sorted({name for pod, dummy in found for name in pod.failing_elsewhere})
        total = sum(container.restarts for dummy, container in found)
        where = f"; the same on {', '.join(elsewhere)}" if elsewhere else "; on this node only"
        yield f"{owner}: {total} restarts, last {found[0][1].last_reason or 'unknown'}{where}"
    if len(loops) > 1 and not any(pod.ready and _owner(pod) not in loops for pod in pods):
        yield "everything that runs on this node restarts"


def _loops(pods: tuple[Pod, ...], cluster: ClusterEvidence) -> dict[str, list[tuple[Pod, Container]]]:
    """The containers that restart again and again, by what owns their Pods."""
    found: defaultdict[str, list[tuple[Pod, Container]]] = defaultdict(list)
    for pod in pods:
        for container in pod.containers:
            if container.restarts >= RESTARTS and _again(container, api_now(cluster)):
                found[_owner(pod)].append((pod, container))
    return found


def _owner(pod: Pod) -> str:
    return f"{pod.namespace}/{pod.owner or pod.name}"


def _again(container: Container, now: datetime) -> bool:
    if container.reason == "CrashLoopBackOff":
        return True
    return container.last_finished is not None and now - container.last_finished < RESTARTS_WINDOW


def missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The API says that it runs, and the runtime has nothing of it: what the API says is old, or the runtime forgot."""
    there = [sandbox for sandbox in node.runtime.cri.pods if sandbox.ready]
    uids = {sandbox.uid for sandbox in there}
    names = {(sandbox.namespace, sandbox.name) for sandbox in there}
    gone = []
    for pod in cluster.node.pods if cluster.node else ():
        known = (pod.namespace, pod.name) in names if pod.mirror else pod.uid in uids
        if not known and _says_running(pod, api_now(cluster)):
            gone.append(f"{pod.namespace}/{pod.name}")
    if gone:
        yield f"Running says the API, and the runtime has no sandbox: {_some(gone)}"


def _says_running(pod: Pod, now: datetime) -> bool:
    """Two lists are not of one instant: what has just come or is going may be in one of them only."""
    old = pod.created is not None and now - pod.created > PATIENCE
    return old and not pod.deleting and pod.phase == "Running" and any(c.state == "running" for c in pod.containers)


def ended(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A container that never restarted, runs by the API, and has exited by the runtime: the kubelet did not notice."""
    exited = {c.id for sandbox in node.runtime.cri.pods for c in sandbox.containers if c.state == "exited"}
    found = [
        f"{pod.namespace}/{pod.name} ({container.name})"
        for pod in (cluster.node.pods if cluster.node else ())
        for container in pod.containers
        if container.state == "running" and container.restarts == 0 and container.id.rpartition("//")[2] in exited
    ]
    if found:
        yield f"running says the API, exited says the runtime: {_some(found)}"


def orphans(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet stops what it does not know within seconds: this one is not doing so.

    Static Pods have another UID in the API. A Pod that has succeeded is not listed, so it must have a live container.
    """
    if cluster.node is None:
        return
    known = {pod.uid for pod in cluster.node.pods}
    found = [_named(s) for s in _ours_not(node) if s.ready and s.source == "api" and s.uid not in known and _lives(s)]
    if found:
        yield f"runs here, and the API does not know it: {_some(found)}"


def _ours_not(node: NodeEvidence) -> list[Sandbox]:
    """Sandboxes that are not our own trials, and older than the difference between two lists can be."""
    return [
        sandbox
        for sandbox in node.runtime.cri.pods
        if sandbox.namespace != PROBE_NAMESPACE and node.observed - sandbox.created > PATIENCE
    ]


def _lives(sandbox: Sandbox) -> bool:
    return any(container.state == "running" for container in sandbox.containers)


def _named(sandbox: Sandbox) -> str:
    return f"{sandbox.namespace}/{sandbox.name}"


def stuck(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Sandboxes that were replaced long ago and not collected, and containers that were made and never started.

    Of a dead sandbox whose Pod is gone nobody can tell how long it has been dead, so it is not counted.
    """
    present: dict[str, Sandbox] = {}
    for sandbox in sorted(_ours_not(node), key=lambda s: (s.created, s.attempt)):
        present[sandbox.uid] = sandbox
    left = [
        _named(sandbox)
        for sandbox in _ours_not(node)
        if not sandbox.ready
        and not sandbox.containers
        and sandbox.id != present[sandbox.uid].id
        and node.observed - present[sandbox.uid].created > COLLECTED
    ]
    if left:
        yield f"dead sandboxes that were replaced more than 10 minutes ago are not removed: {_some(left)}"
    for state, words in (
        ("created", "made and never started"),
        ("unknown", "in a state that the runtime does not know"),
    ):
        found = [
            f"{_named(sandbox)} ({container.name})"
            for sandbox in _ours_not(node)
            for container in sandbox.containers
            if container.state == state and node.observed - container.created > PATIENCE
        ]
        if found:
            yield f"containers {words}: {_some(found)}"


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:MOST])
    return shown if len(names) <= MOST else f"{shown} and {len(names) - MOST} more"


def noisy(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Noise is diagnostic: the same few shapes over and over name what is wrong."""
    found = noise(node.kubelet.journal, node.kubelet.unit.started, node.identity.uptime)
    if found.per_minute >= NOISY:
        yield f"{found.per_minute:.0f} errors a minute over {found.minutes:.0f} minutes"
        for shape, count in (item for item in found.top if item[1] > 1):
            yield f"{count} times: {shape}"


def not_starting(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """They have been taken by the kubelet, and wait for their sandbox."""
    waiting = pods_not_starting(node, cluster)
    if waiting:
        yield f"no sandbox after more than 2 minutes: {_some([f'{pod.namespace}/{pod.name}' for pod in waiting])}"
    names = {f"{pod.namespace}/{pod.name}" for pod in waiting}
    said = [e for e in (cluster.node.events if cluster.node else ()) if e.name in names and e.reason != "Scheduled"]
    for message in dict.fromkeys(event.message for event in reversed(said)):
        yield f'event: "{message[:240]}"'
        return


def trial(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A sandbox of ours that comes up clears the runtime and CNI: those Pods wait for something of their own."""
    if node.sandbox.outcome == "ok":
        yield f"a Pod sandbox of ours came up in {node.sandbox.seconds:.1f} s: the runtime and CNI can start Pods here"
    if node.sandbox.outcome == "foreign":
        yield "a Pod sandbox of ours proves nothing here: the CNI serves no Pod that the API does not know"


def left(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """What we made and could not remove is said by us, and not found out by others."""
    yield from node.sandbox.left


KINDS: tuple[Kind, ...] = (
    Kind("flapping", "Ready changes again and again", "sym:flapping", (flapping, turned_by_kubelet)),
    Kind("heartbeat", "Heartbeats come late", "sym:lease-stale", (lease_late, status_late, heartbeat_errors)),
    Kind("restarts", "Containers restart again and again", "", (restarts,)),
    Kind("pods-differ", "The API and the runtime disagree about Pods", "", (missing, ended, orphans, stuck)),
    Kind("not-starting", "Pods do not start", "sym:pods-containercreating", (not_starting, trial)),
    Kind("noise", "The kubelet's log is noisy", "", (noisy,)),
    Kind("sandbox-left", "A Pod sandbox of ours is left on the node", "", (left,)),
)
