# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the kubelet's unit, binary and process."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node
from .pods import GONE, event, pod

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-stopped",
        inject=(node("systemctl stop kubelet"),),
        holds=node("[ $(systemctl show -P ActiveState kubelet) = inactive ]"),
        undo=(node("systemctl start kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
    ),
    Fault(
        id="kubelet-unit-masked",
        inject=(node("systemctl stop kubelet; systemctl mask kubelet"),),
        holds=node("[ $(systemctl show -P LoadState kubelet) = masked ]"),
        undo=(node("systemctl unmask kubelet; systemctl start kubelet"),),
        outcome="needs-operator",
    ),
    Fault(
        id="kubelet-unit-masked-allowed",
        roots=("kubelet-unit-masked",),
        inject=(node("systemctl stop kubelet; systemctl mask kubelet"),),
        holds=node("[ $(systemctl show -P LoadState kubelet) = masked ]"),
        undo=(node("systemctl unmask kubelet; systemctl start kubelet"),),
        outcome="recovered",
        actions=("unmask-kubelet", "restart-kubelet"),
        allow=("unmask-kubelet",),
        note="a person allows the step by its name",
    ),
    Fault(
        id="kubelet-unit-disabled",
        inject=(node("systemctl disable kubelet; systemd-run --on-active=1 systemctl reboot"),),
        holds=node(
            "[ $(cut -d. -f1 /proc/uptime) -lt 290 ] && systemctl is-active containerd && "
            "[ $(systemctl show -P ActiveState kubelet) = inactive ] && "
            "! journalctl -b -q -u kubelet -n 1 | grep -q ."
        ),
        undo=(node("systemctl enable --now kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
        deadline=300,
        note="a real boot: the journal of this boot has no line of the kubelet",
    ),
    Fault(
        id="kubelet-syncloop-stuck",
        inject=(node("systemctl kill -s STOP kubelet"),),
        holds=node("[ $(state kubelet) = T ]"),
        undo=(node("systemctl kill -s CONT kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
        note="SIGSTOP: the process is there, healthz accepts and never answers",
    ),
    Fault(
        id="kubelet-not-installed",
        inject=(
            node(
                "systemctl stop kubelet; mv /usr/bin/kubelet /usr/bin/kubelet.outward\n"
                "keep /usr/lib/systemd/system/kubelet.service /usr/lib/systemd/system/kubelet.service.d\n"
                "rm -r /usr/lib/systemd/system/kubelet.service*; systemctl daemon-reload"
            ),
        ),
        holds=node("[ $(systemctl show -P LoadState kubelet) = not-found ]"),
        undo=(node("mv /usr/bin/kubelet.outward /usr/bin/kubelet; back; systemctl daemon-reload; restart kubelet"),),
        outcome="needs-operator",
        note="what removing the package leaves: neither binary nor unit, all configuration",
    ),
    Fault(
        id="kubelet-exec-failed",
        inject=(
            node(
                "mv /usr/bin/kubelet /usr/bin/kubelet.outward; echo garbage > /usr/bin/kubelet; chmod 755 /usr/bin/kubelet\n"
                "restart kubelet"
            ),
        ),
        holds=node("[ $(systemctl show -P ExecMainStatus kubelet) = 203 ]"),
        undo=(node("mv /usr/bin/kubelet.outward /usr/bin/kubelet; restart kubelet"),),
        outcome="needs-operator",
    ),
    Fault(
        id="kubelet-oom-killed",
        inject=(node("systemctl set-property --runtime kubelet MemoryMax=12M MemorySwapMax=0; restart kubelet"),),
        holds=node("[ $(systemctl show -P Result kubelet) = oom-kill ]"),
        undo=(node("systemctl set-property --runtime kubelet MemoryMax=infinity; restart kubelet"),),
        outcome="needs-operator",
    ),
    Fault(
        id="kubelet-healthz-port-in-use",
        inject=(
            node(
                "systemctl stop kubelet; mkdir -p /run/outward; systemd-run --unit=outward-port "
                "python3 -m http.server --bind 127.0.0.1 --directory /run/outward 10248; sleep 3; restart kubelet"
            ),
        ),
        holds=node("said kubelet '10248: bind: address already in use' && [ $(substate kubelet) = running ]"),
        undo=(node("systemctl stop outward-port; restart kubelet"),),
        outcome="needs-operator",
        note="not an outage: the kubelet works, and only its health endpoint is somebody else's",
    ),
    Fault(
        id="kubelet-node-ip-invalid",
        inject=(
            node(
                "keep /etc/default/kubelet; echo KUBELET_EXTRA_ARGS=--node-ip=192.0.2.7 > /etc/default/kubelet; restart kubelet"
            ),
        ),
        holds=node("said kubelet 'not found in the host.s network interfaces'"),
        undo=(node("back; restart kubelet"),),
        outcome="recovered",
        actions=(
            "remove-node-ip",
            "restart-kubelet",
        ),
    ),
    Fault(
        id="node-ip-changed-dhcp",
        inject=(controller('kubectl annotate node "$HOST" --overwrite flannel.alpha.coreos.com/public-ip=192.0.2.10'),),
        holds=controller("kubectl get node \"$HOST\" -o yaml | grep -q 'public-ip: 192.0.2.10'"),
        undo=(controller('kubectl annotate node "$HOST" flannel.alpha.coreos.com/public-ip-'),),
        outcome="needs-operator",
        note="the lab's nodes have fixed addresses and no flannel: what its agent leaves behind is put there by hand",
    ),
    Fault(
        id="kubelet-hostname-changed",
        inject=(node("hostname > /run/outward-hostname; hostname renamed-node; restart kubelet"),),
        holds=node("said kubelet 'renamed-node'"),
        undo=(node("hostname $(cat /run/outward-hostname); restart kubelet"),),
        outcome="recovered",
        actions=(
            "restore-hostname",
            "restart-kubelet",
        ),
    ),
    Fault(
        id="kubelet-cgroup-driver-mismatch",
        inject=(node("setting cgroupDriver cgroupfs; restart kubelet"), pod()),
        holds=event("expected cgroupsPath to be of format"),
        undo=(GONE, node("back; restart kubelet")),
        outcome="needs-operator",
        deadline=120,
    ),
    Fault(
        id="kubelet-resolvconf-missing",
        inject=(node("setting resolvConf /run/none/resolv.conf; restart kubelet"), pod()),
        holds=event("run/none/resolv.conf"),
        undo=(GONE, node("back; restart kubelet")),
        outcome="recovered",
        actions=(
            "set-resolv-conf",
            "restart-kubelet",
        ),
        deadline=120,
    ),
    Fault(
        id="kubelet-node-shutting-down",
        inject=(
            node(
                "setting shutdownGracePeriod 60s; setting shutdownGracePeriodCriticalPods 10s; restart kubelet\n"
                "until grep -qs WHO=kubelet /run/systemd/inhibit/*[0-9] && healthz; do sleep 1; done\n"
                "busctl emit /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForShutdown b true"
            ),
        ),
        # It gives its lock up when its Pods have ended.
        holds=node("! grep -qs WHO=kubelet /run/systemd/inhibit/*[0-9]"),
        undo=(node("back; rm -f /etc/systemd/logind.conf.d/99-kubelet.conf; restart kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
        deadline=120,
        note="a shutdown that was cancelled, and whose end the kubelet never heard of",
    ),
)
