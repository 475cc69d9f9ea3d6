# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What serving_certificate is, without Ansible."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Iterator

from ..._diagnosis import gate
from ..._diagnosis.evidence import JSON
from ..._diagnosis.gate import Refusal
from ..._diagnosis.node import Certificate, NodeEvidence
from ..._diagnosis.steps import SERVE
from ..call import ARGUMENTS as COMMON
from ..call import described, requested
from ..errors import WrongCall
from ..node import ThisNode
from ..observe import SHOWING_RENEWAL
from ..profile import resolve
from ..restart import Run
from ..serving import CURRENT, Serving, presented
from ..steps import KUBELET
from ..task import Host, Task, Trial

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    **COMMON,
    "node_name": {"type": "str", "default": ""},
    "switch": {"type": "bool", "default": False},
}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    if not parameters["node_name"]:
        raise WrongCall("node_name is missing")
    place = resolve(parameters["profile"])
    request, host = requested(parameters, check), ThisNode(place)
    task = serving(Serving(place, parameters["switch"]), parameters["node_name"], presented)
    return described(task.step, request, Run(task, host, request).carry_out())


def serving(change: Serving, node: str, shown: Callable[[], t.Optional[bytes]]) -> Task:
    """A kubelet that serves with a new certificate of the cluster; *shown*: what it presents, asked over the network."""
    before: list[str] = []

    def refuse(host: Host, evidence: NodeEvidence) -> tuple[Refusal, ...]:
        there = vars(evidence.certificates).get("serving")
        before[:] = [vars(there)["fingerprint"]] if isinstance(there, Certificate) else []
        return (*gate.refusals(evidence), *gate.ask(evidence, (kubeadm,)))

    def fresh(trial: Trial) -> bool:
        there = trial.after.certificates.serving
        return _issued(there, node) and there is not None and there.fingerprint not in before

    def in_use(trial: Trial) -> bool:
        there, found = trial.after.certificates.serving, shown()
        return there is not None and found is not None and hashlib.sha256(found).hexdigest() == there.fingerprint

    return Task(
        step=SERVE,
        unit=KUBELET.unit,
        journal=KUBELET.journal,
        refuse=refuse,
        came_up=lambda host: change.arrived() and KUBELET.came_up(host),
        questions={
            **KUBELET.questions,
            "serving_certificate_issued": fresh,
            "serving_certificate_presented": in_use,
            "pods_kept": lambda trial: trial.kept,
        },
        showing=SHOWING_RENEWAL,
        change=change,
    )


def kubeadm(node: NodeEvidence) -> Iterator[str]:
    """the kubelet's configuration is kubeadm's."""
    if node.profile.name != "kubeadm":
        yield f"a node of the profile {node.profile.name} is given its serving certificate in its own way"


def _issued(found: t.Optional[Certificate], node: str) -> bool:
    """It is the node's, with its key, by the CA that the kubeconfig trusts."""
    return (
        found is not None
        and found.path.endswith(CURRENT)
        and found.common_name == f"system:node:{node}"
        and found.key_matches is True
        and found.signed_by_ca is True
    )
