# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in the container runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import installed_version, kubelet_works, processors_busy, quote, running, said, young
from ..starting import pods_not_starting

# The first kubelet that does not go on without the runtime's RuntimeConfig.
RUNTIME_CONFIG = 38
RUNTIME_DOWN = ("sym:runtime-down", "sym:node-notready", "sym:kubelet-crashloop")


def minor(version: str | None) -> int:
    """The 37 of "v1.37.2"; 0 when there is no telling."""
    match = re.match(r"v?1\.(\d{1,4})", version or "")
    return int(match.group(1)) if match else 0


@cause(
    id="containerd-config-invalid",
    layer="runtime",
    title="containerd refuses its configuration file",
    restart="useless",
    refusal="it is containerd that cannot start; the kubelet waits for it",
    automate="guarded",
    repair="restore-containerd-config",
    explains=("containerd-down", *RUNTIME_DOWN),
    advice="ssh {host} 'sudo containerd config dump > /dev/null' names the line; "
    "mend {runtime_config}, then: sudo systemctl restart {runtime_unit}",
)
def containerd_config_invalid(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """containerd parses its TOML before anything else and exits; the file's version must fit the release."""
    line = said(
        node.runtime.journal,
        r"failed to load TOML|toml: |expected containerd config version|invalid disabled plugin URI"
        r"|invalid plugin config|unable to decode config",
        several_turns=True,
    )
    if not running(node.runtime.unit) and line:
        yield quote(line[0])
        yield f"{node.runtime.unit.name} is {node.runtime.unit.active_state} ({node.runtime.unit.sub_state})"


@cause(
    id="containerd-down",
    layer="runtime",
    title="containerd is not running",
    restart="harmful",
    refusal="a kubelet that starts without its runtime exits; containerd is started, and the kubelet reconnects",
    automate="safe",
    repair="start-containerd",
    explains=("kubelet-pleg-unhealthy", *RUNTIME_DOWN),
    advice="ssh {host} sudo systemctl start {runtime_unit}",
)
def containerd_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Nobody listens on the CRI socket, and the unit says why; containers go on running under their shims."""
    unit, cri = node.runtime.unit, node.runtime.cri
    if not running(unit) and cri.outcome in ("no-socket", "refused"):
        yield f"{unit.name} is {unit.active_state} ({unit.sub_state}), last result {unit.result}"
        yield f"CRI: {cri.outcome} ({cri.detail})"


@cause(
    id="containerd-hung",
    layer="runtime",
    title="containerd runs and does not answer",
    restart="harmful",
    refusal="a kubelet that starts while its runtime hangs exits; the runtime has to be cured",
    automate="guarded",
    repair="kill-containerd",
    explains=(
        "container-log-growth",
        "image-gc-failing",
        "kubelet-pleg-unhealthy",
        "kubelet-syncloop-stuck",
        *RUNTIME_DOWN,
    ),
    advice="ssh {host} sudo systemctl kill -s KILL {runtime_unit} (systemd starts it again; containers survive)",
)
def containerd_hung(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It accepts the connection and never answers; the kubelet's log is silent about it for two minutes.

    On busy processors both happen to a containerd that is only late (the lab, in the middle of a rolling update).
    """
    unit, cri = node.runtime.unit, node.runtime.cri
    if not running(unit) or cri.outcome != "timeout":
        return
    line = said(node.kubelet.journal, r"code = DeadlineExceeded|container runtime is down|PLEG is not healthy")
    if unit.process_state in ("T", "t", "D"):
        yield f"CRI: {cri.detail}"
        yield f"containerd's process {unit.main_pid} is in state {unit.process_state}"
    elif line and not processors_busy(node):
        yield f"CRI: {cri.detail}"
        yield quote(line[0])


@cause(
    id="containerd-cri-disabled",
    layer="runtime",
    title="containerd runs without its CRI service",
    restart="harmful",
    refusal="a kubelet that starts without a CRI exits",
    automate="safe",
    repair="enable-cri",
    explains=RUNTIME_DOWN,
    advice="ssh {host}: take the CRI out of disabled_plugins in {runtime_config}; "
    "then: sudo systemctl restart {runtime_unit}",
)
def containerd_cri_disabled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Docker's containerd.io package ships disabled_plugins = ["cri"]; the socket answers, the service is unknown."""
    cri = node.runtime.cri
    if cri.outcome == "unimplemented" and node.runtime.cri_disabled:
        yield f"CRI: {cri.detail}"
        yield f"disabled_plugins in {node.runtime.config.path} names the CRI"


@cause(
    id="containerd-cri-plugin-load-failed",
    layer="runtime",
    title="containerd runs, and its CRI service could not be loaded",
    restart="harmful",
    refusal="a kubelet that starts without a CRI exits",
    automate="guarded",
    repair="restore-containerd-config",
    explains=RUNTIME_DOWN,
    advice="ssh {host} 'sudo ctr plugins ls' and mend the first of snapshotter, bolt and cri that says error; "
    "then: sudo systemctl restart {runtime_unit}",
)
def containerd_cri_plugin_load_failed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A wrong CRI section, or a plugin that it needs; aufs, btrfs, zfs and devmapper are skipped on every node."""
    line = said(
        node.runtime.journal,
        r"failed to load plugin.{0,80}io\.containerd\."
        r"(?:grpc\.v1\.cri|cri\.v1\.(?:runtime|images)|metadata\.v1\.bolt|snapshotter\.v1\.overlayfs)",
    )
    if node.runtime.cri.outcome == "unimplemented" and line:
        yield quote(line[0])
        yield f"CRI: {node.runtime.cri.detail}"


@cause(
    id="containerd-cri-v1-unimplemented",
    layer="runtime",
    title="The runtime is too old for this kubelet",
    restart="harmful",
    refusal="a kubelet that starts without CRI v1 exits",
    explains=RUNTIME_DOWN,
    advice="upgrade containerd on {host} to a release that the cluster's version supports (1.6 is the first with CRI v1)",
)
def containerd_cri_v1_unimplemented(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It answers the version before, which no kubelet from 1.26 on asks for."""
    cri = node.runtime.cri
    if cri.outcome == "unimplemented" and cri.runtime:
        yield f"{cri.runtime} knows CRI v1alpha2 and not v1"


@cause(
    id="containerd-runtimeconfig-unsupported",
    layer="runtime",
    title="The runtime cannot tell this kubelet its cgroup driver",
    restart="harmful",
    refusal="the installed kubelet requires an answer that this runtime does not know",
    explains=RUNTIME_DOWN,
    latent=kubelet_works,
    advice="upgrade containerd on {host} to 2.0 or later, or put the kubelet's release before back",
)
def containerd_runtimeconfig_unsupported(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Until 1.37 the kubelet falls back to its own setting (k8s#139121 puts the end of that at 1.38)."""
    cri = node.runtime.cri
    if cri.outcome != "ok" or cri.cgroup_driver is not None:
        return
    version = installed_version(node, cluster)
    if minor(version) >= RUNTIME_CONFIG:
        yield f"{cri.runtime} does not know RuntimeConfig, and kubelet {version} asks for it"


@cause(
    id="containerd-socket-permission",
    layer="runtime",
    title="containerd runs, and nobody reaches it at its socket",
    restart="harmful",
    refusal="a kubelet that starts without its runtime exits; containerd makes its socket when it starts",
    automate="safe",
    repair="restart-containerd",
    explains=RUNTIME_DOWN,
    advice="ssh {host} sudo systemctl restart {runtime_unit} (containers survive); then look for what cleans /run",
)
def containerd_socket_permission(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Somebody removed the socket, mounted over it, or put something else in its place."""
    unit, cri = node.runtime.unit, node.runtime.cri
    if unit.name == node.kubelet.unit.name or not running(unit) or young(node, unit):
        return
    if cri.outcome in ("no-socket", "refused", "permission"):
        yield f"{unit.name} is running (process {unit.main_pid})"
        yield f"CRI: {cri.outcome} ({cri.detail})"


TRIALS = {
    "cni": "its network could not be set up",
    "image": "the sandbox image could not be had",
    "oci": "its process could not be started",
    "storage": "it could not be written",
    "timeout": "the runtime did not come to an end",
    "other": "the runtime refused",
}


@cause(
    id="runtime-cannot-start-pods",
    layer="runtime",
    kind="derived",
    title="The container runtime answers, and cannot start a Pod",
    restart="useless",
    refusal="a sandbox that we made without the kubelet failed too",
    explains=("sym:pods-containercreating",),
    advice="mend what the evidence quotes; ssh {host} 'sudo journalctl -u {runtime_unit} -n 50' has the whole of it; "
    "waiting Pods then start by themselves",
)
def runtime_cannot_start_pods(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Status says ready and asks nothing of CNI, runc or the sandbox image; only making a sandbox does."""
    waiting = pods_not_starting(node, cluster)
    if waiting and node.sandbox.outcome in TRIALS:
        yield f"a Pod sandbox that we made failed, {TRIALS[node.sandbox.outcome]}: {node.sandbox.detail}"
        for pod in waiting[:3]:
            yield f"{pod.namespace}/{pod.name} has waited for its sandbox for more than 2 minutes"
