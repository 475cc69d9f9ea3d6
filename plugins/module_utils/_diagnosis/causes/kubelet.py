# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in the kubelet itself: its unit, its files, its process."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import crash_looping, kubelet_works, lease_fresh, quote, running, said

CRASHES = ("sym:kubelet-crashloop", "sym:node-unknown")


@cause(
    id="kubelet-unit-masked",
    layer="kubelet",
    title="The kubelet's unit is masked",
    restart="useless",
    refusal="systemd refuses to start a masked unit, and a mask is somebody's intention",
    repair="unmask-kubelet",
    explains=("kubelet-unit-disabled", "kubelet-stopped", "sym:node-unknown"),
    latent=kubelet_works,
    advice="ask who masked it; then: ssh {host} 'sudo systemctl unmask {unit} && sudo systemctl start {unit}' "
    '(or node-recover.yml -e \'{{"outward_steps": {{"allow": ["unmask-kubelet"]}}}}\')',
)
def kubelet_unit_masked(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A mask is always deliberate: somebody wants this kubelet not to run, so it only goes when a person allows that step by name."""
    unit = node.kubelet.unit
    if "masked" in (unit.load_state, unit.unit_file_state):
        yield f"{unit.name} is masked ({unit.active_state})"


@cause(
    id="kubelet-unit-disabled",
    layer="kubelet",
    title="The kubelet's unit is disabled, so it did not come back after a boot",
    restart="helps",
    refusal="the unit was never started in this boot; it is started and enabled",
    automate="safe",
    repair="restart-kubelet",
    explains=("kubelet-stopped", "sym:node-unknown", "sym:lease-stale"),
    latent=kubelet_works,
    advice="ssh {host} sudo systemctl enable --now {unit}",
)
def kubelet_unit_disabled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """systemd starts only enabled units at boot; kubeadm warns of it and goes on."""
    unit = node.kubelet.unit
    if unit.load_state == "loaded" and unit.unit_file_state == "disabled":
        yield f"{unit.name} is disabled and {unit.active_state}"
        if not unit.invocation_id:
            yield "it was never started in this boot"


@cause(
    id="kubelet-stopped",
    layer="kubelet",
    title="The kubelet was stopped cleanly, and nobody started it again",
    restart="helps",
    refusal="nothing else is wrong: it only has to be started",
    automate="guarded",
    repair="restart-kubelet",
    explains=("sym:node-unknown",),
    advice="ssh {host} sudo systemctl start {unit}",
)
def kubelet_stopped(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A unit that is inactive with result success was stopped on purpose or by a script; it did not crash."""
    unit = node.kubelet.unit
    if unit.active_state == "inactive" and unit.load_state in ("loaded", "masked") and unit.result == "success":
        yield f"{unit.name} is inactive ({unit.sub_state}), last result {unit.result}"


@cause(
    id="kubelet-unknown-flag",
    layer="kubelet",
    title="The kubelet is started with a flag that this release does not know",
    restart="useless",
    refusal="every start fails on the same flag",
    automate="guarded",
    repair="remove-old-flags",
    explains=("kubelet-start-limit-hit", *CRASHES),
    latent=kubelet_works,
    advice="remove the flag from the file named above on {host}; then: sudo systemctl restart {unit}",
)
def kubelet_unknown_flag(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Releases remove flags (1.24, 1.27, 1.31, 1.34, 1.35); an upgrade leaves them in the files that hold them."""
    line = said(node.kubelet.journal, r"unknown (?:shorthand )?flag: (\S+)", several_turns=True)
    if crash_looping(node) and line:
        flag = line[1].group(1).strip("\"'")
        yield quote(line[0])
        for setting in node.kubelet.config.flags:
            if setting.flag.split("=")[0] == flag:
                yield f"{flag} stands in {setting.file}"
    elif not crash_looping(node):
        for setting in node.kubelet.config.unknown_flags:
            yield f"{setting.flag} in {setting.file} is unknown to the installed kubelet"


@cause(
    id="kubelet-config-missing",
    layer="kubelet",
    title="The kubelet's configuration file is missing or empty",
    restart="useless",
    refusal="the kubelet cannot start without its configuration",
    automate="guarded",
    repair="rebuild-kubelet-config",
    explains=CRASHES,
    latent=kubelet_works,
    advice="ssh {host} 'sudo touch {config} && sudo kubeadm upgrade node phase kubelet-config "
    "&& sudo systemctl restart {unit}'",
)
def kubelet_config_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A power loss truncates it, `kubeadm reset` removes it; a running kubelet does not notice."""
    file = node.kubelet.config.file
    if not file.exists:
        yield f"{file.path} does not exist"
    elif file.size == 0:
        yield f"{file.path} is empty"


@cause(
    id="kubelet-config-invalid",
    layer="kubelet",
    title="The kubelet's configuration file cannot be used",
    restart="useless",
    refusal="every start fails on the same file",
    automate="guarded",
    repair="rebuild-kubelet-config",
    explains=CRASHES,
    latent=kubelet_works,
    advice="ssh {host} 'sudo kubeadm upgrade node phase kubelet-config && sudo systemctl restart {unit}'",
)
def kubelet_config_invalid(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Unknown fields only warn; a wrong type, apiVersion or kind, and what validation refuses, are fatal."""
    config = node.kubelet.config
    if not config.file.exists or config.file.size == 0:
        return
    if config.problem:
        yield f"{config.file.path}: {config.problem}"
    line = said(
        node.kubelet.journal,
        r"failed to decode|failed lenient decoding|failed to validate kubelet configuration, error:(?! kubelet is configured)"
        r"|failed to merge kubelet configs|no kind .{1,40} is registered",
        several_turns=True,
    )
    if line and crash_looping(node):
        yield quote(line[0])


@cause(
    id="kubelet-swap-on",
    layer="kubelet",
    title="Swap is on, and the kubelet is configured to refuse to start with it",
    restart="harmful",
    refusal="the kubelet reads swap only at its start, and would not come back",
    automate="guarded",
    repair="switch-off-swap",
    explains=CRASHES,
    latent=kubelet_works,
    advice="ssh {host} 'sudo swapoff -a && sudo systemctl restart {unit}', and switch off what makes the swap "
    "(fstab, dphys-swapfile, rpi-swap, zram), or it is back after the next boot",
)
def kubelet_swap_on(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """failSwapOn is true by default in all releases; the kubelet looks at /proc/swaps only when it starts."""
    if node.kubelet.config.fail_swap_on:
        for device in node.pressure.swap_devices:
            yield f"swap is on: {device}; failSwapOn is true"


@cause(
    id="kubelet-syncloop-stuck",
    layer="kubelet",
    title="The kubelet's process is there and does nothing",
    restart="helps",
    refusal="the process does not do its work and is not blocked in the kernel",
    automate="guarded",
    repair="restart-kubelet",
    explains=("sym:node-unknown", "sym:pods-terminating", "sym:pods-containercreating"),
    advice="ssh {host} sudo systemctl kill -s KILL {unit} (systemd starts it again)",
)
def kubelet_syncloop_stuck(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """10248 accepts and never answers, and nothing is logged; a log line about slow housekeeping proves nothing."""
    unit, healthz = node.kubelet.unit, node.kubelet.healthz
    if not running(unit) or unit.process_state == "D":
        return
    if unit.process_state in ("T", "t"):
        yield f"the kubelet's process {unit.main_pid} is stopped by a signal (state {unit.process_state})"
    elif healthz.outcome == "timeout" and not lease_fresh(node, cluster):
        yield f"healthz accepted the connection and did not answer within {healthz.seconds:.0f} s"
        yield "the Lease is not renewed"
