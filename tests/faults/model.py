# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault is: how it is brought about on a real node, how one sees that it is there, and what to expect."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

Kind = t.Literal["single", "compound", "look-alike", "quiet"]
Place = t.Literal["node", "controller"]
Seen = t.Literal[
    "healthy", "recovered", "refused", "needs-operator", "external", "not-a-node-fault", "unknown", "failed"
]


@dataclass(frozen=True)
class Step:
    """Shell lines: as root on the node, or on the controller inside the lab's network (helpers: shell.py)."""

    place: Place
    script: str


def node(script: str) -> Step:
    """Lines for the node."""
    return Step("node", script)


def controller(script: str) -> Step:
    """Lines for the controller; ``$HOST`` is the node's name."""
    return Step("controller", script)


def awaited(step: Step) -> Step:
    """Wait up to a minute until *step* succeeds; the runner itself polls only what a fault ends in."""
    return Step(step.place, f"for try in $(seq 60); do if ({step.script}); then exit 0; fi; sleep 1; done; exit 1")


def program(file: str, arguments: str = "", properties: str = "") -> str:
    """Lines that put a program of this directory onto the node and run it as the unit outward-NAME."""
    path = Path(__file__).with_name(file)
    return (
        f"cat > /run/outward-{file} <<'PROGRAM'\n{path.read_text()}PROGRAM\n"
        f"systemd-run --unit=outward-{path.stem} {properties} python3 /run/outward-{file} {arguments}"
    )


@dataclass(frozen=True)
class Fault:
    """One way to break a node (or the cluster) for real."""

    id: str  # the cause as catalogue.yml calls it, or a name of ours for a variant of it
    inject: tuple[Step, ...]
    holds: Step  # succeeds only when the fault has taken hold; polled
    undo: tuple[Step, ...]
    outcome: Seen  # of node-recover; node-diagnose always ends in "diagnosed"
    roots: tuple[str, ...] = ()  # expected root_causes; none given: the id itself (nothing if quiet)
    actions: tuple[str, ...] = ()  # steps that node-recover is to take, and no others
    allow: tuple[str, ...] = ()  # steps that the person who types node-recover allows by name (outward_steps)
    kind: Kind = "single"
    scope: t.Literal["host", "cluster"] = "host"  # cluster: no other host may be under test meanwhile
    deadline: float = 60  # seconds until it holds, on an emulated CPU
    note: str = ""

    @property
    def variables(self) -> dict[str, t.Any]:
        """What that person would give the playbook."""
        return {"outward_steps": {"allow": list(self.allow)}} if self.allow else {}

    @property
    def root_causes(self) -> list[str]:
        """What the diagnosis is to say, sorted: nothing for a node that must stay quiet."""
        return sorted(self.roots or (() if self.kind == "quiet" else (self.id,)))
