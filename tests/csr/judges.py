# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What answers requests: the playbook as a person types it, and the approver that works while a node is renewed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Station
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.renewal import LOOK, Approver, lent
from tests.faults.lab import STATE
from tests.lab._model import LabError
from tests.matrix.playbook import PATIENCE, ran

from .cases import Case
from .people import People
from .stage import Stage
from .verdict import Told, told

PLAYBOOK: t.Final = "certificates-approve.yml"
RIGHTS: t.Final = STATE / "certificates.kubeconfig"  # those of examples/pi-cluster/rbac/certificates.yml
LENT: t.Final = 600  # seconds
LOOKS: t.Final = 4  # at the requests; an approver looks again and again
BEFORE: t.Final = 7.0  # seconds between a request and the next token, more than _diagnosis.signing.SKEW


@dataclass
class Answered:
    """What was said of each request, all of it as text, and how long the judge took."""

    told: dict[str, Told] = field(default_factory=dict)
    output: str = ""
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def add(self, said: dict[str, Told], output: str, since: float) -> None:
        """Of one more round."""
        self.told |= said
        self.output += f"{output}\n"
        self.seconds += time.monotonic() - since


def answered(case: Case, stage: Stage, people: People) -> Answered:
    """Send the requests of each round, and have them answered. Raises LabError."""
    found = Answered()
    (approve if case.mode == "approve" else recover)(case, stage, people, found)
    return found


def approve(case: Case, stage: Stage, people: People, found: Answered) -> None:
    """By the playbook. Raises LabError."""
    for asks in case.rounds:
        stage.send(asks, people)
        stage.await_kubernetes()
        since = time.monotonic()
        status, output = played(case, stage.host)
        found.add(told(output), output, since)
        found.problems += [f"status {status}"] if status else []


def played(case: Case, host: str) -> tuple[int, str]:
    """certificates-approve.yml with the rights that we ship; its status, and what it said. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="outward-reports-") as name:
        try:
            done = ran(command(case, host, name))
        except subprocess.TimeoutExpired as late:
            raise LabError(f"{PLAYBOOK} did not end in {PATIENCE} s") from late
    return done.returncode, done.stdout


def command(case: Case, host: str, reports: str) -> list[str]:
    """As a person would type it."""
    variables = {"outward_kubeconfig": str(RIGHTS), "outward_report_dir": reports, **case.variables}
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    words = [tool, PLAYBOOK, "-i", str(STATE / "inventory" / "hosts.yml"), "-l", host, "-e", json.dumps(variables)]
    return [*words, *(["--check"] if case.check else [])]


def recover(case: Case, stage: Stage, people: People, found: Answered) -> None:
    """By the approver, beside a token that is lent as it is for a node. Raises LabError."""
    access, problems = Access(kubeconfig=str(RIGHTS)), list[str]()
    first, *others = case.rounds
    try:
        if case.renewed:
            with lent(access, stage.host, LENT, problems) as token:
                stage.send(first, people.beside(token.bearer))
            time.sleep(BEFORE)
        with lent(access, stage.host, LENT, problems) as token:
            station = Station(stage.host, token=token.id, since=token.made)
            for asks in others if case.renewed else case.rounds:
                stage.send(asks, people.beside(token.bearer))
                since = time.monotonic()
                found.add(*watched(Approver(access, station)), since)
    except (KubeError, Silent) as error:
        raise LabError(f"no token could be lent: {error}") from error
    found.problems += problems


def watched(approver: Approver) -> tuple[dict[str, Told], str]:
    """What it has said of each request after some looks at them all, and that for its report."""
    with approver:
        time.sleep(LOOKS * LOOK)
    said = {name: Told("; ".join(why)) for name, why in approver.left.items()}
    return {**said, **{name: Told() for name in approver.approved}}, "\n".join(approver.notes())
