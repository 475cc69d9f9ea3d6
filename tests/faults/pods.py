# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Pod of ours on the node under test: what a fault shows in, or what the fault is."""

from __future__ import annotations

import typing as t

from .model import Step, controller

IMAGE: t.Final = "outward.lab/web:1"
GONE: t.Final = controller("kubectl delete pod $POD --ignore-not-found --grace-period=0 --force")


def pod(container: str = "", *, image: str = IMAGE, spec: str = "", bound: bool = True, more: str = "") -> Step:
    """One Pod called outward-fault-HOST (``$POD``), bound to the node; *container* and *spec* are more JSON members of
    each, *more* is further containers.
    """
    manifest = (
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "\'"$POD"\'"}, "spec": {'
        + ('"nodeName": "\'"$HOST"\'", ' if bound else "")
        + '"terminationGracePeriodSeconds": 1, "tolerations": [{"operator": "Exists"}], '
        f'{spec}"containers": [{{"name": "app", "image": "{image}"{container}}}{more}]}}}}'
    )
    return controller(f"echo '{manifest}' | kubectl apply -f -")


def waits(reason: str) -> Step:
    """The Pod's container waits for *reason* (an extended regular expression)."""
    path = "{.status.containerStatuses[0].state.waiting.reason}"
    return controller(f'kubectl get pod $POD -o "jsonpath={path}" | grep -qE "{reason}"')


def event(text: str) -> Step:
    """An event of this very Pod, not of one before it with its name, says *text* (an extended regular expression)."""
    path = "{.items[*].message}"
    return controller(
        "uid=$(kubectl get pod $POD -o 'jsonpath={.metadata.uid}')\n"
        f"kubectl get events --field-selector involvedObject.uid=$uid -o 'jsonpath={path}' | grep -qE '{text}'"
    )


def terminated(reason: str) -> Step:
    """The Pod's container has ended for *reason* (an extended regular expression), now or the time before."""
    paths = "{.status.containerStatuses[0]['state','lastState'].terminated.reason}"
    return controller(f'kubectl get pod $POD -o "jsonpath={paths}" | grep -qE "{reason}"')
