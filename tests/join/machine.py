# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker of the lab made into a machine that has never been a node, and what is done to it before it joins."""

from __future__ import annotations

import typing as t

from tests.faults.lab import NotInjected, in_lab
from tests.faults.model import Step, awaited, controller, node
from tests.lab._model import FIRST_WORKER, Host

WIPE_SECONDS: t.Final = 240.0
# What a person has after installing containerd, kubelet and kubeadm; the Pod network's files come with a DaemonSet in other
# clusters, and the images from a registry, and stay here.
FRESH: t.Final = node(
    "systemctl stop kubelet; kubeadm reset --force >/dev/null 2>&1 || true\n"
    "find /var/lib/kubelet /etc/kubernetes -mindepth 1 -xdev -delete 2>/dev/null || true\n"
    "rm -rf /var/lib/outward-kubelet /run/outward-kubelet\n"
    "rm -f /etc/modules-load.d/outward-kubelet.conf /etc/sysctl.d/99-outward-kubelet.conf\n"
    "mkdir -p /etc/kubernetes/manifests; systemctl disable kubelet 2>/dev/null; systemctl reset-failed kubelet || true\n"
    '[ ! -e /etc/kubernetes/kubelet.conf ] && [ -z "$(ls -A /var/lib/kubelet)" ]'
)
FORGOTTEN: t.Final = controller('kubectl delete node "$HOST" --ignore-not-found --timeout=60s')
# Another card: the same name, another machine. The Node of the first one is silent by then.
OTHER_CARD: t.Final = node("tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id")
# A card that was copied, and given a hostname of its own.
_FIRST, _SECOND = (Host(FIRST_WORKER + at).machine_id for at in (0, 1))
TWIN: t.Final = node(
    f"id={_FIRST}; if [ $(cat /etc/machine-id) = $id ]; then id={_SECOND}; fi; echo $id > /etc/machine-id"
)
SILENT: t.Final = awaited(
    controller(
        '[ "$(kubectl get node $HOST -o jsonpath=\'{.status.conditions[?(@.type=="Ready")].status}\')" = Unknown ]'
    )
)


def make_fresh(host: str, *, forgotten: bool = True) -> None:
    """A machine that has never been a node; its Node is gone as well, unless it was not *forgotten*. Raises NotInjected."""
    do(host, (FRESH, *((FORGOTTEN,) if forgotten else ())))


def do(host: str, steps: tuple[Step, ...]) -> None:
    """All of *steps*. Raises NotInjected."""
    for step in steps:
        result = in_lab(step, host, WIPE_SECONDS)
        if result.code:
            raise NotInjected(f"on the {step.place}: status {result.code}: {result.output}")
