# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healthy nodes that look or sound ill: nothing may be found on them, and nothing done."""

from __future__ import annotations

import typing as t

from .model import Fault, Step, awaited, controller, node
from .pods import GONE, IMAGE, pod, waits

READY: t.Final = controller('[ "$(condition Ready)" = True ]')
SLEEP: t.Final = '"command": ["/bin/busybox", "sleep", "3600"]'
NOTHING: t.Final = node("true")
REBOOTED: t.Final = (
    '[ "$(condition Ready)" = True ] && '
    'lab ssh "$HOST" -- "test \\$(cut -d. -f1 /proc/uptime) -lt 200 && systemctl is-active kubelet"'
)
REBOOT: t.Final = node("systemd-run --on-active=1 systemctl reboot; sleep 3")
WELL: t.Final = node("healthz")
AGAIN: t.Final = awaited(READY)


def deployment(replicas: int, mark: str) -> Step:
    """Pods of one Deployment on the node; another *mark* rolls them over."""
    manifest = (
        '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "\'"$POD"\'"}, "spec": {'
        f'"replicas": {replicas}, "selector": {{"matchLabels": {{"app": "\'"$POD"\'"}}}}, '
        '"template": {"metadata": {"labels": {"app": "\'"$POD"\'", "mark": "' + mark + '"}}, "spec": {'
        '"nodeName": "\'"$HOST"\'", "tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 5, '
        f'"containers": [{{"name": "app", "image": "{IMAGE}", {SLEEP}}}]}}}}}}}}'
    )
    return controller(f"echo '{manifest}' | kubectl apply -f -")


ROLLED: t.Final = controller("kubectl delete deployment $POD --ignore-not-found --wait=false")


def quiet(id: str, inject: tuple[Step, ...], holds: Step = NOTHING, **changes: t.Any) -> Fault:
    """Nothing is wrong, whatever *inject* did."""
    fields: dict[str, t.Any] = {"outcome": "healthy", "undo": (controller('lab reset "$HOST"'),), "deadline": 120}
    return Fault(id=f"quiet-{id}", inject=inject, holds=holds, kind="quiet", **{**fields, **changes})


def other(id: str, roots: tuple[str, ...], inject: tuple[Step, ...], holds: Step) -> Fault:
    """Something is wrong that is not the node's."""
    return quiet(id, inject, holds, roots=roots, outcome="not-a-node-fault", undo=(GONE,))


FAULTS: t.Final[tuple[Fault, ...]] = (
    quiet("idle", (node("sleep 20"),)),
    quiet("processor-load", (node("systemd-run --unit=outward-load sh -c 'while :; do :; done'; sleep 15"),)),
    quiet(
        "disk-load",
        (
            node(
                "systemd-run --unit=outward-load sh -c "
                "'while :; do dd if=/dev/zero of=/var/lib/outward-load bs=64k count=400 conv=fsync; done'; sleep 15"
            ),
        ),
    ),
    quiet(
        "memory-in-use",
        (
            node(
                "systemd-run --unit=outward-load python3 -c "
                "'import time; x = bytearray(96 << 20); x[::4096] = b\"1\" * len(x[::4096]); time.sleep(600)'; sleep 10"
            ),
        ),
    ),
    quiet(
        "disk-four-fifths-full",
        (
            node(
                "set -- $(df -B1 --output=size,avail / | tail -1); fallocate -l $(($2 - $1 / 5)) /var/lib/outward-fill; sleep 15"
            ),
        ),
    ),
    quiet("right-after-boot", (REBOOT,), controller(REBOOTED), deadline=300),
    quiet(
        "after-a-boot-that-ended-badly",
        (
            node("systemctl stop containerd; sleep 45; restart kubelet; sleep 15; systemctl start containerd; sync"),
            REBOOT,
        ),
        controller(REBOOTED),
        deadline=300,
        note="the journal of the boot before is full of a dead runtime",
    ),
    quiet(
        "runtime-was-down",
        (node("systemctl stop containerd; sleep 30; systemctl start containerd; sleep 20"), AGAIN),
        note="mended by somebody; the same invocation of the kubelet complained a minute ago",
    ),
    quiet(
        "swap-was-on",
        (
            node(
                "dd if=/dev/zero of=/var/swap bs=1M count=64; chmod 600 /var/swap; mkswap /var/swap; swapon /var/swap; restart kubelet\n"
                "sleep 25; swapoff -a; rm /var/swap; restart kubelet; sleep 20"
            ),
            AGAIN,
        ),
        note="mended by somebody; the invocation before failed",
    ),
    quiet("kubelet-just-restarted", (node("restart kubelet; until healthz; do sleep 1; done"), AGAIN)),
    quiet(
        "kubelet-upgrade",
        (
            node(
                "systemctl stop kubelet; cp /usr/bin/kubelet /usr/bin/kubelet.new; mv /usr/bin/kubelet.new /usr/bin/kubelet\n"
                "systemctl daemon-reload; systemctl start kubelet; until healthz; do sleep 1; done"
            ),
            AGAIN,
        ),
        note="what the package does: another file, daemon-reload, restart",
    ),
    quiet(
        "kubelet-was-frozen",
        (node("systemctl kill -s STOP kubelet; sleep 20; systemctl kill -s CONT kubelet; sleep 15"),),
        WELL,
        note="as under a debugger, or on a node that swapped: heartbeats were late for 20 s",
    ),
    quiet(
        "frightening-kernel-lines",
        (
            node(
                "for line in '<3>blk_update_request: I/O error, dev sdb, sector 0 op 0x0:(READ)' "
                "'<4>usb 1-1: device descriptor read/64, error -71' "
                "'<4>systemd[1]: Failed to start foo.service: out of memory' "
                "'<6>nf_conntrack: default automatic helper assignment has been turned off' "
                "'<4>TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.'; do\n"
                'echo "$line" > /dev/kmsg; done; sleep 3'
            ),
        ),
        note="somebody's USB stick",
    ),
    quiet(
        "rolling-update",
        (deployment(4, "a"), node("sleep 15"), deployment(4, "b"), node("sleep 4")),
        undo=(ROLLED,),
        note="half of the Pods end and half of them begin",
    ),
    quiet("many-pods-at-once", (deployment(10, "a"), node("sleep 5")), undo=(ROLLED,)),
    quiet(
        "pods-ending-slowly",
        (
            pod(f", {SLEEP}", spec='"hostNetwork": true, '),
            controller(
                "kubectl wait --for=condition=Ready pod/$POD --timeout=60s\n"
                "kubectl delete pod $POD --grace-period=120 --wait=false"
            ),
            node("sleep 10"),
        ),
        undo=(GONE,),
        note="a Pod that takes its grace period",
    ),
    quiet(
        "a-finished-job",
        (pod(', "command": ["/bin/busybox", "true"]', spec='"restartPolicy": "Never", '), node("sleep 10")),
        undo=(GONE,),
    ),
    other(
        "crashing-application-under-load",
        ("app-crashloop",),
        (
            node("systemd-run --unit=outward-load sh -c 'while :; do :; done'"),
            pod(', "command": ["/bin/busybox", "sh", "-c", "exit 3"]'),
        ),
        waits("CrashLoopBackOff"),
    ),
    other(
        "cordoned-by-a-person-after-boot",
        ("node-cordoned",),
        (controller('kubectl cordon "$HOST"'), REBOOT),
        controller(REBOOTED),
    ),
)
