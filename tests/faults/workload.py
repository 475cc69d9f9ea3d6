# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks like a fault of the node and is none."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node
from .pods import GONE, pod, waits

# A registry that is there and has nothing: containerd speaks plain HTTP to localhost.
REGISTRY: t.Final = node(
    "mkdir -p /run/outward-registry\n"
    "systemd-run --unit=outward-registry python3 -m http.server --bind 127.0.0.1 --directory /run/outward-registry 5000"
)

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="app-crashloop",
        inject=(pod(', "command": ["/bin/busybox", "sh", "-c", "exit 3"]'),),
        holds=waits("CrashLoopBackOff"),
        undo=(GONE,),
        outcome="not-a-node-fault",
        kind="look-alike",
        deadline=120,
    ),
    Fault(
        id="imagepull-bad-tag",
        inject=(REGISTRY, pod(image="localhost:5000/app:nope")),
        holds=waits("ErrImagePull|ImagePullBackOff"),
        undo=(GONE, node("systemctl stop outward-registry")),
        outcome="not-a-node-fault",
        kind="look-alike",
        deadline=120,
    ),
    Fault(
        id="node-cordoned",
        inject=(controller('kubectl cordon "$HOST"'),),
        holds=controller('kubectl get node "$HOST" -o jsonpath={.spec.unschedulable} | grep -q true'),
        undo=(controller('kubectl uncordon "$HOST"'),),
        outcome="not-a-node-fault",
        kind="look-alike",
    ),
)
