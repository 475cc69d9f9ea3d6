# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that are to join, or are not to, and what a run is to come to."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.chaos.points import Point
from tests.faults.model import Step, node
from tests.lab._kubectl import Object

from .machine import OTHER_CARD, SILENT, TWIN

ROLE: t.Final = "outward.kubelet.node_join : "
JOIN: t.Final = f"{ROLE}Set what a node needs, and join"
# Only a run that has failed comes to it: the others have no such moment.
FAILED: t.Final = f"{ROLE}Report the error"
KEY: t.Final = "outward-test"


@dataclass(frozen=True)
class Case:
    """One machine; ``says``: what has to be in the report (a regular expression)."""

    id: str
    prepare: tuple[Step, ...] = ()
    forgotten: bool = True  # the Node of before is gone
    outcome: str = "recovered"
    says: str = ""
    variables: dict[str, t.Any] = field(default_factory=dict)
    kills: tuple[Point, ...] = ()  # runs before the last one, that do not come to their end
    bare: bool = False  # kubeadm join, as a person types it
    machines: int = 1  # with a second one, that is a node and works: its name is taken

    def beside(self, others: list[str]) -> Case:
        """The same, with the name of the first of *others* if there is one."""
        return replace(self, variables={**self.variables, "outward_node_name": others[0]}) if others else self

    @property
    def again(self) -> bool:
        """It is run once more, and is to change nothing; a killed one has had its second run."""
        return self.outcome == "recovered" and not self.bare and not self.kills

    @property
    def expected(self) -> dict[str, t.Any]:
        """As a row has it; None: nothing is asked."""
        joined = self.outcome == "recovered"
        return {
            "outcome": None if self.bare or self.kills else self.outcome,
            "status": None if self.bare else 0 if joined else 2,
            "joined": True if self.kills else None,  # by this run, or by one that was killed when all was done
            "works": True if joined else None,
            "again": "healthy" if self.again else None,
            "changed_again": 0 if self.again else None,
            "tokens_left": 0,
            "found_in": [],
            "says": True if self.says else None,
        }


CASES: t.Final = (
    Case("kubeadm join by hand", bare=True),
    Case("fresh machine"),
    Case(
        "labels and taints",
        variables={
            "outward_node_labels": {f"{KEY}/disk": "ssd"},
            "outward_node_taints": [{"key": KEY, "value": "x", "effect": "PreferNoSchedule"}],
        },
        says="taint outward-test=x:PreferNoSchedule|label outward-test/disk=ssd",
    ),
    Case(
        "half-joined",
        (
            node(
                "printf 'apiVersion: v1\\nkind: Config\\nclusters: []\\n' > /etc/kubernetes/kubelet.conf\n"
                "mkdir -p /etc/kubernetes/pki; echo none > /etc/kubernetes/pki/ca.crt\n"
                "echo 'kind: KubeletConfiguration' > /var/lib/kubelet/config.yaml"
            ),
        ),
    ),
    Case("SD card replaced", (SILENT, OTHER_CARD), forgotten=False),
    Case(
        "swap on",
        (node("fallocate -l 64M /swapfile && chmod 600 /swapfile && mkswap /swapfile >/dev/null && swapon /swapfile"),),
        says="swap on /swapfile was switched off",
    ),
    Case("ip_forward off", (node("echo 0 > /proc/sys/net/ipv4/ip_forward"),), says="net.ipv4.ip_forward was set to 1"),
    Case(
        "clock in 1970",
        (node("systemctl disable --now systemd-timesyncd; date -s @3600"),),
        says="systemd-timesyncd.service was started",
    ),
    Case(
        "name of a machine that lives",
        outcome="refused",
        machines=2,
        says="held by another machine that lives",
    ),
    Case(
        "hostname of the image",
        (node("hostnamectl set-hostname raspberrypi"),),
        outcome="refused",
        says="sudo hostnamectl set-hostname",
    ),
    Case(
        "containerd without CRI",
        (
            node(
                "printf 'version = 2\\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\\n' > /etc/containerd/config.toml\n"
                "systemctl restart containerd"
            ),
        ),
        outcome="refused",
        says="take cri out of disabled_plugins",
    ),
    Case(
        "kubelet masked",
        (node("systemctl mask kubelet"),),
        outcome="refused",
        says="is masked",
    ),
    Case("machine-id of another node", (TWIN,), outcome="refused", says="a cloned card"),
    Case(
        "API server that it cannot reach",
        (node("iptables -I OUTPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset"),),
        outcome="refused",
        says="cannot be reached from it",
    ),
    Case(
        "kubelet of another time",
        (
            node(
                "printf '#!/bin/sh\\necho Kubernetes v1.30.4\\n' > /run/kubelet; install -m 755 /run/kubelet /usr/bin/kubelet"
            ),
        ),
        outcome="refused",
        says="does not go with an API server",
    ),
    Case(
        "wrong CA hash",
        outcome="unknown",
        variables={"outward_ca_hash": f"sha256:{'0' * 64}"},
        says="outward_ca_hash",
    ),
)


def tasks(listing: str) -> list[str]:
    """The tasks of the role, in order, out of what ``ansible-playbook --list-tasks`` prints."""
    lines = [line.strip().rpartition("\tTAGS:")[0].strip() for line in listing.splitlines() if "\tTAGS:" in line]
    return [line for line in lines if line.startswith(ROLE)]


def killed(listing: str) -> list[Case]:
    """Runs that are killed after each task, or in the middle of the join, and one more.

    Where the next run comes to the next point by itself, it is killed there: harder, and one machine does for them.
    """
    found = [task for task in dict.fromkeys(tasks(listing)) if task != FAILED]
    if JOIN not in found:
        raise ValueError(f"the role has no task {JOIN}: tests/join/cases.py names it")
    points = [Point(f"killed after {re.sub(' - .*', '', task).removeprefix(ROLE)}", task) for task in found]
    before, later = points[: found.index(JOIN)], points[found.index(JOIN) :]
    during = [Point(f"killed {at} s into the join", JOIN, "during", float(at)) for at in (3, 8, 15, 25)]
    alone = Point("killed alone 12 s into the join", JOIN, "during", 12.0, all=False)
    return [
        Case("killed after each task before the join, one run after the other", kills=tuple(before)),
        Case("killed 3, 8, 15 and 25 s into the join, one run after the other", kills=tuple(during)),
        *(Case(point.id, kills=(point,)) for point in (alone, *later)),
    ]


def untainted(items: Iterable[Object]) -> list[Object]:
    """*items* without the taint that a case asks for: a Node that has it works."""
    return [{**item, "spec": _without(item["spec"])} if item["kind"] == "Node" else item for item in items]


def _without(spec: Object) -> Object:
    return {**spec, "taints": [taint for taint in spec.get("taints", ()) if taint["key"] != KEY]}
