# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that make every start of the kubelet fail (its files, its options, what it finds on the node)."""

from __future__ import annotations

import typing as t

from .model import Fault, node


def crash(id: str, script: str, line: str, *, undo: str = "back", state: str = "auto-restart", **more: t.Any) -> Fault:
    """The kubelet is started again on something that makes it exit, and says *line*; systemd's *state* of it then."""
    fields: dict[str, t.Any] = {"outcome": "needs-operator", **more}
    return Fault(
        id=id,
        inject=(node(f"{script}\nrestart kubelet"),),
        holds=node(f"[ $(substate kubelet) = {state} ] && said kubelet '{line}'"),
        undo=(node(f"{undo}; restart kubelet"),),
        **fields,
    )


def checkpoint(id: str, file: str, step: str, content: str = "broken") -> Fault:
    """A state file of the kubelet that was cut short by a power loss."""
    path = f"/var/lib/kubelet/{file}"
    return crash(
        id,
        f"keep {path}; systemctl stop kubelet; echo '{content}' > {path}",
        "checkpoint",
        outcome="recovered",
        actions=(step,),
    )


def no_watch(id: str, **more: t.Any) -> Fault:
    """inotify instances are left, and no watch."""
    return crash(
        id,
        "sysctl -n fs.inotify.max_user_watches > /run/outward-watches; sysctl -w fs.inotify.max_user_watches=1",
        "inotify_add_watch .*no space left on device",
        roots=("kubelet-insufficient-inotify-startup",),
        outcome="recovered",
        actions=("raise-inotify-limits",),
        # systemd did not see the end of what ended meanwhile, and looks again at a reload; else it waits for 90 s.
        undo="sysctl -w fs.inotify.max_user_watches=$(cat /run/outward-watches); systemctl daemon-reload",
        **more,
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    crash(
        "kubelet-unknown-flag",
        "keep $FLAGS; sed -i 's/KUBELET_KUBEADM_ARGS=\"/&--container-runtime=remote /' $FLAGS",
        "unknown flag: --container-runtime",
        outcome="recovered",
        actions=("remove-old-flags",),
        note="a flag that 1.27 removed",
    ),
    crash(
        "kubelet-config-missing",
        "keep $CONFIG; rm $CONFIG",
        "failed to load kubelet config file.*no such file",
        outcome="recovered",
        actions=("rebuild-kubelet-config",),
    ),
    crash(
        "kubelet-config-empty",
        "keep $CONFIG; : > $CONFIG",
        "failed to load kubelet config file",
        roots=("kubelet-config-missing",),
        outcome="recovered",
        actions=("rebuild-kubelet-config",),
        note="as a power loss leaves it",
    ),
    crash(
        "kubelet-config-invalid",
        "keep $CONFIG; sed -i 's/^kind: .*/kind: KubeletConfig/' $CONFIG",
        "no kind .KubeletConfig. is registered",
        outcome="recovered",
        actions=("rebuild-kubelet-config",),
    ),
    crash(
        "kubelet-feature-gate-invalid",
        "setting featureGates '{NoSuchGate: true}'",
        "unrecognized feature gate",
        outcome="recovered",
        actions=("remove-feature-gate",),
    ),
    crash(
        "kubelet-swap-on",
        "fallocate -l 64M /swap.outward; chmod 600 /swap.outward; mkswap /swap.outward; swapon /swap.outward",
        "running with swap on is not supported",
        undo="swapoff /swap.outward || true; rm -f /swap.outward",
        outcome="recovered",
        actions=("switch-off-swap",),
    ),
    checkpoint("kubelet-cpu-manager-checkpoint", "cpu_manager_state", "set-aside-cpu-state"),
    checkpoint("kubelet-memory-manager-checkpoint", "memory_manager_state", "set-aside-memory-state"),
    checkpoint("kubelet-pod-state-checkpoint", "allocated_pods_state", "set-aside-pod-state", content="{}}"),
    crash(
        "kubelet-port-10250-in-use",
        "systemctl stop kubelet; mkdir -p /run/outward; systemd-run --unit=outward-port "
        "python3 -m http.server --directory /run/outward 10250; sleep 3",
        "10250: bind: address already in use",
        undo="systemctl stop outward-port",
        outcome="refused",
        note="another program; it is named",
    ),
    crash(
        "kubelet-left-over",
        # As somebody would try a kubelet out; it keeps the Lease, and the unit's own cannot listen.
        "set -- $(tr '\\0' ' ' < /proc/$(pid kubelet)/cmdline); systemctl stop kubelet\n"
        '(setsid "$@" > /run/outward-left-over 2>&1 < /dev/null &)\n'
        "for try in $(seq 30); do if healthz; then break; fi; sleep 1; done",
        "10250: bind: address already in use",
        roots=("kubelet-port-10250-in-use",),
        undo="pkill -x kubelet",
        outcome="recovered",
        actions=("end-leftover-kubelet",),
        note="it keeps the Lease and the Node is Ready, while the unit's own one fails at each start",
    ),
    crash(
        "kubelet-wrong-runtime-endpoint",
        "setting containerRuntimeEndpoint unix:///run/none.sock",
        "run/none.sock",
        outcome="recovered",
        actions=("set-runtime-endpoint",),
    ),
    crash(
        "kubelet-reserved-cgroup-missing",
        "setting enforceNodeAllocatable '[pods, kube-reserved]'; setting kubeReservedCgroup /nope; "
        "setting kubeReserved '{cpu: 50m}'",
        "nope",
        outcome="recovered",
        actions=("rebuild-kubelet-config",),
        note="set by hand on this node alone",
    ),
    crash(
        "kubelet-insufficient-inotify-startup",
        "sysctl -n fs.inotify.max_user_instances > /run/outward-inotify; sysctl -w fs.inotify.max_user_instances=1",
        "inotify|too many open files",
        roots=("inotify-exhaustion",),
        kind="compound",
        outcome="recovered",
        actions=("raise-inotify-limits",),
        undo="sysctl -w fs.inotify.max_user_instances=$(cat /run/outward-inotify)",
    ),
    no_watch(
        "kubelet-inotify-watches-startup",
        deadline=120,
        note="instances are left, and no watch: cAdvisor cannot look at the control groups",
    ),
    no_watch(
        "kubelet-end-unnoticed",
        state="stop-sigterm",
        deadline=180,
        note="systemd has no watch either: it does not see that the kubelet has ended, and waits out TimeoutStopSec",
    ),
    Fault(
        id="kubelet-start-limit-hit",
        roots=("kubelet-unknown-flag",),
        kind="compound",
        inject=(
            node(
                "keep /etc/default/kubelet; mkdir -p /etc/systemd/system/kubelet.service.d\n"
                "printf '[Unit]\\nStartLimitIntervalSec=60\\nStartLimitBurst=3\\n[Service]\\nRestartSec=1\\n' "
                "> /etc/systemd/system/kubelet.service.d/99-outward.conf\n"
                "systemctl daemon-reload; echo KUBELET_EXTRA_ARGS=--no-such-flag > /etc/default/kubelet; restart kubelet"
            ),
        ),
        holds=node("[ $(systemctl show -P ActiveState kubelet) = failed ]"),
        undo=(
            node(
                "back; rm /etc/systemd/system/kubelet.service.d/99-outward.conf; systemctl daemon-reload\n"
                "restart kubelet"
            ),
        ),
        outcome="refused",
        note="the limit is a symptom; the flag is the cause, and none of those that did nothing any more",
    ),
)
