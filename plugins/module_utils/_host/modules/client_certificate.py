# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What client_certificate is, without Ansible."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable

from ..._diagnosis import renewal
from ..._diagnosis.evidence import JSON, Undecided, amended, unknown
from ..._diagnosis.gate import Refusal
from ..._diagnosis.node import ApiPath, NodeEvidence, Profile
from ..._parse import x509
from ..._parse.errors import ParseError
from ..call import ARGUMENTS as COMMON
from ..call import described, requested
from ..errors import WrongCall
from ..ledger import LedgerUnusable, opened
from ..node import ThisNode
from ..observe import SHOWING_RENEWAL
from ..profile import resolve
from ..renewal import Handed, Renewal
from ..restart import Run
from ..steps import KUBELET
from ..task import Host, Task

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    **COMMON,
    "cause": {"type": "str", "default": ""},
    "fingerprint": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["renewed", "kept", "restored"], "default": "renewed"},
    "node_name": {"type": "str", "default": ""},
    "server": {"type": "str", "default": ""},
    "authority": {"type": "str", "default": ""},
    "token": {"type": "str", "default": "", "no_log": True},
}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    place = resolve(parameters["profile"])
    if parameters["state"] == "renewed":
        return _renewed(place, parameters, check)
    change = Renewal(place, Handed("", "", ""))
    left = change.left
    if not left or check:
        return {"changed": left, "notes": []}
    if parameters["state"] == "restored":
        problem = _restored(place, change, parameters)
    else:
        try:
            problem = dropped(change, parameters["ledger"])
        except LedgerUnusable as busy:
            return {"changed": False, "notes": [f"what was there before is kept: {busy}"]}
    return {"changed": True, "notes": [problem] if problem else []}


def dropped(change: Renewal, ledger: str) -> t.Optional[str]:
    """A node that works may be in the hands of another run, which still needs it. Raises LedgerUnusable."""
    with opened(ledger):
        return change.drop()


def _renewed(place: Profile, parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    handed = _handed(parameters, check)
    request, node = requested(parameters, check), ThisNode(place)
    task = renewing(Renewal(place, handed), parameters["node_name"], lambda: node.reach(handed.access()))
    return described(task.step, request, Run(task, node, request).carry_out())


def renewing(change: Renewal, node: str, reach: Callable[[], ApiPath]) -> Task:
    """A kubelet that is started with a bootstrap token for *node*; *reach*: the API server as the token's kubeconfig says."""

    def refuse(host: Host, evidence: NodeEvidence) -> tuple[Refusal, ...]:
        try:
            api = reach()
        except Undecided as doubt:
            api = unknown(str(doubt))
        return renewal.refusals(amended(evidence, network=amended(evidence.network, api=api)))

    return Task(
        step="renew-client-certificate",
        unit=KUBELET.unit,
        journal=KUBELET.journal,
        refuse=refuse,
        came_up=lambda host: change.arrived() and KUBELET.came_up(host),
        questions={
            **KUBELET.questions,
            "certificate_renewed": lambda trial: renewal.usable(trial.after.certificates, node),
            "certificate_accepted": lambda trial: renewal.accepted(trial.after),
            "pods_kept": lambda trial: trial.kept,
        },
        showing=SHOWING_RENEWAL,
        change=change,
    )


def _restored(place: Profile, change: Renewal, parameters: t.Mapping[str, t.Any]) -> t.Optional[str]:
    """The kubelet runs with what was there before."""
    problem = change.undo()
    restarted = ThisNode(place).systemctl("restart", place.unit, seconds=float(parameters["timeout"]))
    return problem or restarted


def _handed(parameters: t.Mapping[str, t.Any], check: bool) -> Handed:
    """Raises :class:`WrongCall` that says which one is wrong, and never what it is."""
    handed = Handed(parameters["server"], parameters["authority"], parameters["token"])
    if not parameters["node_name"]:
        raise WrongCall("node_name is missing")
    if not re.fullmatch(r"https://[^\s/@?#]{1,300}/?", handed.server):
        raise WrongCall("server must be a URL like https://10.77.0.1:6443")
    if not check and not re.fullmatch(r"[a-z0-9]{6}[.][a-z0-9]{16}", handed.token):
        raise WrongCall("token is no bootstrap token")
    try:
        x509.certificates(handed.authority)
    except ParseError as error:
        raise WrongCall(f"authority is no certificate: {error}") from error
    return handed
