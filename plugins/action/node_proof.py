# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the API shows that an action worked, soak, look at both once more, and say what was proven."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json, parse_time
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import (
    OF_THE_NODE,
    Action,
    Moment,
    Proof,
    in_the_way,
    left,
    prove,
    survived,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import patience
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import evidence_now, glance
from ansible_collections.outward.kubelet.plugins.plugin_utils._lock import keeping
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import OBSERVE, ask

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "incident": {"type": "dict", "required": True},
    "acted": {"type": "list", "elements": "dict", "required": True},
    "timeout": {"type": "int", "default": 180},
    "soak_seconds": {"type": "int", "default": 30},
    "lock": {"type": "dict"},
}
PAUSE: t.Final = 0.5  # between two looks at the API, seconds: three calls about one Node
# For how long another root is seen to be in the way before it is taken to stay, seconds: systemd starts a kubelet that
# failed for what is mended now within 10 s (RestartSec of kubeadm's unit), and a slow node needs as long to look.
STAYS: t.Final = 60


class ActionModule(ActionBase):
    """Runs on the controller; after the soak one more run of node_facts on the node, and one more look at the API."""

    _supports_check_mode = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``proof`` (``proven`` and ``checks``, as the report has it)."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        done = [acted for acted in options["acted"] if acted.get("result") == "done"]
        if not done:
            return {"changed": False, "skipped": True, "msg": "nothing was done, so there is nothing to prove"}
        with keeping(options["lock"]) as kept:
            proof = self._prove(options, done, task_vars or {})
        shown = {"proven": proof.proven, "checks": proof.checks, "in_the_way": list(proof.in_the_way)}
        lost = {"lock_lost": kept.lost} if kept.lost else {}
        return {"changed": False, "proof": shown, **lost}

    def _prove(self, options: dict[str, t.Any], done: list[dict[str, t.Any]], variables: dict[str, t.Any]) -> Proof:
        evidence = options["incident"]["evidence"]
        actions = tuple(_action(acted) for acted in done)
        before = Moment(from_json(NodeEvidence, evidence["node"]), from_json(ClusterEvidence, evidence["cluster"]))
        node = from_json(NodeEvidence, done[-1]["evidence"])
        local = {name: ok for acted in done for name, ok in acted["checks"].items()}
        node, shown = self._wait(options, actions, before, node, variables)
        proof = Proof({**local, **shown.checks}, shown.in_the_way)
        if proof.proven and options["soak_seconds"]:
            time.sleep(options["soak_seconds"])
            calm = self._look(options, ["kubelet"], variables)
            later = Moment(calm, glance(options, before.cluster.name, before.cluster.fleet))
            proof = survived(proof, node, later)
        return proof

    def _wait(
        self,
        options: dict[str, t.Any],
        actions: tuple[Action, ...],
        before: Moment,
        node: NodeEvidence,
        variables: dict[str, t.Any],
    ) -> tuple[NodeEvidence, Proof]:
        """Ask the API until it shows everything; ask the node again only for what it could not tell the first time.

        What three small calls about one Node cannot tell of the cause (its signing requests) is listed, as for a diagnosis.
        Another root, for which nothing was done, may be in the way: the whole node is looked at for it each time, and when
        it stays, the wait ends early.
        """
        others = left(options["incident"]["diagnosis"]["root_causes"], [action.step for action in actions])
        deadline = time.monotonic() + max(options["timeout"], patience(action.step for action in actions))
        name, fleet = before.cluster.name, before.cluster.fleet
        seen_since, unclear = None, False
        while True:
            cluster = evidence_now(options, name) if unclear else glance(options, name, fleet)
            moment = Moment(node, cluster)
            proof = prove(actions, before, moment)
            waits = in_the_way(others, proof, moment)
            now = time.monotonic()
            seen_since = (seen_since or now) if waits else None
            if proof.proven or now > deadline or (seen_since and now > seen_since + STAYS):
                return node, Proof(proof.checks, waits)
            time.sleep(PAUSE)
            unclear = proof.checks.get("cause_gone", True) is None
            if others or None in proof.checks.values() or OF_THE_NODE & set(proof.missing):
                node = self._look(options, ["all"], variables)

    def _look(self, options: dict[str, t.Any], subsets: list[str], variables: dict[str, t.Any]) -> NodeEvidence:
        profile = options["incident"]["evidence"]["node"]["profile"]["name"]
        answer = ask(self, OBSERVE, {"profile": profile, "gather_subset": subsets}, variables)
        problem = answer.unreachable or answer.failed
        return (
            unreachable_node(datetime.now(UTC), problem)
            if problem
            else from_json(NodeEvidence, answer.result["evidence"])
        )


def _action(acted: dict[str, t.Any]) -> Action:
    """What was done, out of the result of the module that did it."""
    effective = acted["action"].get("effective")
    return Action(acted["action"]["step"], acted["cause"], parse_time(effective) if effective else None)
