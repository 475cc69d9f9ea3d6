# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes whose certificates are only looked at: what certificates-check.yml is to say of each, and its exit status."""

from __future__ import annotations

import json
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.play import Started
from tests.faults.model import Fault, node
from tests.faults.table import FAULTS

from .secrets import Loud, NotSearched

PLAYBOOK: t.Final = "certificates-check.yml"
MODE: t.Final = "check"
HEALTHY: t.Final = Fault("healthy", (), node("true"), (), "healthy", kind="quiet")
WHAT: t.Final = ("kubeconfig", "client", "serving", "cluster-ca", "client-ca")


@dataclass(frozen=True)
class Check:
    """One node; ``states``: of what is not ok. ``first``: what fails first, on top of the table."""

    id: str
    fault: Fault
    status: int = 0
    states: dict[str, str] = field(default_factory=dict)
    first: str = ""
    variables: dict[str, t.Any] = field(default_factory=dict)

    @property
    def expected(self) -> dict[str, t.Any]:
        """As a row has it."""
        states = {**dict.fromkeys(WHAT, "ok"), **self.states}
        return {"status": self.status, "states": states, "first": self.first or None}


CHECKS: t.Final = (
    Check("check: healthy", HEALTHY),
    Check(
        "check: good for less than was asked",
        HEALTHY,
        status=2,
        states=dict.fromkeys(WHAT[1:], "soon"),
        variables={"outward_certificate_days": 4000},
    ),
    Check(
        "check: expired",
        FAULTS["kubelet-client-cert-expired"],
        status=2,
        states={"client": "failed"},
        first="client",
    ),
    Check(
        "check: a clock that is not to be trusted",
        FAULTS["clock-skew-future"],
        status=2,
        states=dict.fromkeys(WHAT[1:], "unknown"),
    ),
)


def looked(check: Check, host: str) -> tuple[dict[str, t.Any], str, float]:
    """What is to be seen after one run, its own words, and how long it took. Raises NotSearched."""
    run = Loud("diagnose", 0, 1, check.variables, playbook=PLAYBOOK)
    with tempfile.TemporaryDirectory(prefix="outward-reports-") as name:
        ended = Started(run, host, Path(name), {}).wait()
        path = Path(name) / "certificates.json"
        if not path.exists():
            raise NotSearched(f"there is no table: {ended.output.strip()[-1000:]}")
        rows = json.loads(path.read_text())["certificates"]
    return seen(ended.status, rows), ended.output.strip()[-600:], ended.seconds


def seen(status: int | None, rows: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """As ``Check.expected`` has it."""
    states = {row["what"]: row["state"] for row in rows}
    return {"status": status, "states": states, "first": rows[0]["what"]}
