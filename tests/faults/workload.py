# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks like a fault of the node and is none."""

from __future__ import annotations

import typing as t

from .model import Fault, Step, controller, node, program
from .pods import GONE, pod, terminated, waits

# A registry that is there and has nothing: containerd speaks plain HTTP to localhost.
REGISTRY: t.Final = node(program("registry.py", "404"))


def look_alike(id: str, inject: Step, holds: Step) -> Fault:
    """A Pod of ours that does not work, on a node that does."""
    return Fault(
        id=id,
        inject=(inject,),
        holds=holds,
        undo=(GONE,),
        outcome="not-a-node-fault",
        kind="look-alike",
        deadline=120,
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
    look_alike(
        "app-oomkilled",
        pod(
            ', "resources": {"limits": {"memory": "16Mi"}}, "command": ["/bin/busybox", "sh", "-c", '
            '"x=0123456789abcdef; while true; do x=$x$x; done"]'
        ),
        terminated("OOMKilled"),
    ),
    Fault(
        id="imagepull-auth-or-ratelimit",
        inject=(node(program("registry.py", "401")), pod(image="localhost:5000/app:1")),
        holds=waits("ErrImagePull|ImagePullBackOff"),
        undo=(GONE, node("systemctl stop outward-registry")),
        outcome="not-a-node-fault",
        kind="look-alike",
        deadline=120,
    ),
    look_alike(
        "probe-failure-app",
        pod(
            ', "livenessProbe": {"exec": {"command": ["/bin/busybox", "false"]}, "periodSeconds": 2, "failureThreshold": 1}'
        ),
        controller("kubectl get pod $POD -o 'jsonpath={.status.containerStatuses[0].restartCount}' | grep -q '[1-9]'"),
    ),
    look_alike(
        "pod-unschedulable",
        pod(
            ', "resources": {"requests": {"cpu": "1000"}}',
            spec='"nodeSelector": {"kubernetes.io/hostname": "\'"$HOST"\'"}, ',
            bound=False,
        ),
        controller("kubectl get pod $POD -o 'jsonpath={.status.conditions[*].reason}' | grep -q Unschedulable"),
    ),
    look_alike(
        "config-error",
        pod(', "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "a"}}}]'),
        waits("CreateContainerConfigError"),
    ),
    look_alike(
        "image-exec-format",
        # A file that may be executed and is no program: the Pod's own name.
        pod(
            ', "command": ["/v/x"], "volumeMounts": [{"name": "v", "mountPath": "/v"}]',
            spec='"volumes": [{"name": "v", "downwardAPI": {"defaultMode": 493, "items": '
            '[{"path": "x", "fieldRef": {"fieldPath": "metadata.name"}}]}}], ',
        ),
        waits("CrashLoopBackOff|RunContainerError"),
    ),
    Fault(
        id="pod-finalizer-stuck",
        inject=(
            pod(),
            controller(
                "kubectl wait --for=condition=Ready pod/$POD --timeout=60s\n"
                'kubectl patch pod $POD --type=merge -p \'{"metadata": {"finalizers": ["outward.test/never"]}}\'\n'
                # A finalizer that takes a moment is no fault.
                "kubectl delete pod $POD --wait=false; sleep 40"
            ),
        ),
        holds=controller(
            "kubectl get pod $POD -o 'jsonpath={.metadata.deletionTimestamp}' | grep -q . && "
            "kubectl get pod $POD -o 'jsonpath={.status.phase}' | grep -qE 'Succeeded|Failed'"
        ),
        undo=(
            controller('kubectl patch pod $POD --type=merge -p \'{"metadata": {"finalizers": null}}\''),
            GONE,
        ),
        outcome="not-a-node-fault",
        kind="look-alike",
        deadline=120,
    ),
    look_alike(
        "runtimeclass-or-security",
        pod(spec='"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}, '),
        controller("kubectl get pod $POD -o 'jsonpath={.status.reason}' | grep -q SysctlForbidden"),
    ),
)
