# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes for which the kubelet exits at its start; each is told by its last words and a state that fits them."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import between_turns, crash_looping, quote, said

CRASHES = ("kubelet-start-limit-hit", "sym:kubelet-crashloop", "sym:node-unknown")


def last_words(node: NodeEvidence, pattern: str) -> Iterator[str]:
    """The line that a crash-looping kubelet says before it exits, as evidence."""
    line, unit = said(node.kubelet.journal, pattern, several_turns=True), node.kubelet.unit
    if line and crash_looping(node):
        yield quote(line[0])
        if between_turns(unit):
            yield f"{unit.name} has ended ({unit.result}), and systemd waits to start it again ({unit.sub_state})"
        else:
            yield f"{unit.name} restarts again and again ({unit.restarts} times)"


@cause(
    id="kubelet-not-installed",
    layer="kubelet",
    title="The kubelet is not installed",
    restart="useless",
    refusal="there is nothing to start",
    explains=("kubelet-stopped", "sym:node-unknown", "sym:lease-stale"),
    advice="ssh {host} 'sudo apt-get install --reinstall --allow-change-held-packages kubelet={release}-* && sudo apt-mark hold "
    "kubelet && sudo systemctl restart {unit}'",
)
def kubelet_not_installed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """apt autoremove or an unheld upgrade took it away."""
    if not node.kubelet.binary.exists:
        yield f"{node.kubelet.binary.path} does not exist"
    if node.kubelet.unit.load_state == "not-found":
        yield f"systemd has no unit {node.kubelet.unit.name}"


@cause(
    id="kubelet-exec-failed",
    layer="kubelet",
    title="The kubelet's binary cannot be executed",
    restart="useless",
    refusal="the binary cannot be executed",
    explains=CRASHES,
    advice="ssh {host} 'file {binary}; sudo apt-get install --reinstall --allow-change-held-packages kubelet={release}-*'",
)
def kubelet_exec_failed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """systemd's status 203/EXEC: wrong architecture, truncated by a power cut, or not executable (systemd.exec(5))."""
    unit = node.kubelet.unit
    if unit.exit_code == 1 and unit.exit_status == 203 and node.kubelet.binary.exists:
        yield f"{unit.name} exited with status 203/EXEC"


@cause(
    id="kubelet-start-limit-hit",
    layer="kubelet",
    kind="symptom",
    title="systemd has given up starting the kubelet",
    restart="useless",
    refusal="what made it fail so often is still there",
    explains=("sym:node-unknown",),
    advice="ssh {host} 'sudo journalctl -u {unit} -n 50' for why it failed; then: sudo systemctl reset-failed {unit}",
)
def kubelet_start_limit_hit(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Never a cause of its own; the package's unit has StartLimitInterval=0 and cannot get here."""
    # The unit's Result stays that of the last failure (systemd 257); only the journal says why it was the last.
    line = said(node.kubelet.journal, r"Start request repeated too quickly", several_turns=True)
    if node.kubelet.unit.active_state == "failed" and line:
        yield quote(line[0])


@cause(
    id="kubelet-feature-gate-invalid",
    layer="kubelet",
    title="The kubelet's configuration names a feature gate that this release does not know",
    restart="useless",
    refusal="every start fails on the same feature gate",
    automate="guarded",
    repair="remove-feature-gate",
    explains=CRASHES,
    advice="take the gate out of {config} on {host} (and of the cluster's kubelet-config); "
    "then: sudo systemctl restart {unit}",
)
def kubelet_feature_gate_invalid(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Gates disappear two releases after they are locked; 1.32 and newer panic (exit status 2)."""
    yield from last_words(node, r"unrecognized feature gate: \S+|cannot set feature gate \S+")


@cause(
    id="kubelet-cgroup-v1-refused",
    layer="kubelet",
    title="The kubelet refuses to run on cgroup v1",
    restart="useless",
    refusal="the control groups change only with a reboot",
    explains=CRASHES,
    advice="on {host}: take systemd.unified_cgroup_hierarchy=0 off the kernel's command line, and reboot",
)
def kubelet_cgroup_v1_refused(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """failCgroupV1 is true from 1.35 on."""
    yield from last_words(node, r"configured to not run on a host using cgroup v1")


@cause(
    id="kubelet-cpu-manager-checkpoint",
    layer="kubelet",
    title="The CPU manager's checkpoint does not fit",
    restart="useless",
    refusal="every start fails on the same file",
    automate="guarded",
    repair="set-aside-cpu-state",
    explains=CRASHES,
    advice="ssh {host} 'sudo mv {root_dir}/cpu_manager_state /root/ && sudo systemctl restart {unit}'",
)
def kubelet_cpu_manager_checkpoint(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A changed policy or a file cut short by a power loss; the kubelet makes a new one."""
    yield from last_words(node, r"CPU manager checkpoint file|cpu manager error")


@cause(
    id="kubelet-memory-manager-checkpoint",
    layer="kubelet",
    title="The memory manager's checkpoint does not fit",
    restart="useless",
    refusal="every start fails on the same file",
    automate="guarded",
    repair="set-aside-memory-state",
    explains=CRASHES,
    advice="ssh {host} 'sudo mv {root_dir}/memory_manager_state /root/ && sudo systemctl restart {unit}'",
)
def kubelet_memory_manager_checkpoint(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A changed policy or a file cut short by a power loss; the kubelet makes a new one."""
    yield from last_words(
        node, r"[Mm]emory manager checkpoint file|memory manager error|memorymanager.{1,60}checkpoint"
    )


@cause(
    id="kubelet-pod-state-checkpoint",
    layer="kubelet",
    title="The kubelet's checkpoint of its Pods is corrupt",
    restart="useless",
    refusal="every start fails on the same file",
    automate="safe",
    repair="set-aside-pod-state",
    explains=CRASHES,
    advice="ssh {host} 'sudo mv {root_dir}/*pod*_state* /root/ && sudo systemctl restart {unit}'",
)
def kubelet_pod_state_checkpoint(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """allocated_pods_state or pod_status_manager_state, cut short by a power loss (k8s#135711)."""
    yield from last_words(node, r"pod (?:allocation|status|actuated).{0,40}checkpoint file|allocated_pods_state")


@cause(
    id="kubelet-port-10250-in-use",
    layer="kubelet",
    title="Another process holds the kubelet's port 10250",
    restart="useless",
    refusal="the port is taken",
    automate="guarded",
    repair="end-leftover-kubelet",
    explains=("sym:flapping", *CRASHES),
    advice="ssh {host} 'sudo ss -ltnp sport = :10250' names the process",
)
def kubelet_port_in_use(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet exits when it cannot listen; a second kubelet, or k3s beside kubeadm, is the usual one."""
    yield from last_words(node, r"listen tcp \S{0,45}:10250: bind: address already in use")


@cause(
    id="kubelet-reserved-cgroup-missing",
    layer="kubelet",
    title="The kubelet is to enforce limits on a control group that does not exist",
    restart="useless",
    refusal="every start misses the same control group",
    automate="guarded",
    repair="rebuild-kubelet-config",
    explains=CRASHES,
    advice="create the group that the line names, or take it out of enforceNodeAllocatable in {config} on {host}; "
    "then: sudo systemctl restart {unit}",
)
def kubelet_reserved_cgroup_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """kubeReservedCgroup and systemReservedCgroup are not made by the kubelet; systemd's are named without .slice."""
    yield from last_words(node, r"Failed to enforce (?:Kube|System) Reserved (?:Compressible )?Cgroup Limits on")


@cause(
    id="kubelet-insufficient-inotify-startup",
    layer="kubelet",
    kind="derived",
    title="The kubelet does not start for want of inotify instances or watches",
    restart="useless",
    refusal="the limits are the same at every start",
    automate="safe",
    repair="raise-inotify-limits",
    explains=CRASHES,
    advice="ssh {host} 'sudo sysctl -w fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288 && "
    "sudo systemctl daemon-reload', and into /etc/sysctl.d",
)
def kubelet_insufficient_inotify(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """cAdvisor cannot start; "no space left on device" from inotify_add_watch is no full disk.

    systemd may not have seen the end of the kubelet either, for the same want; it looks again at a daemon-reload.
    """
    yield from last_words(
        node,
        r"inotify_init\d?: too many open files|inotify_add_watch .{1,300}: no space left on device"
        r"|(?:Failed to start cAdvisor|fsnotify).{0,200}too many open files",
    )
