# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the acting modules take, and what they give back: the same for each of them."""

from __future__ import annotations

import re
import typing as t

from .._diagnosis.evidence import JSON, to_json
from .._diagnosis.ledger import LONGEST_PERIOD, Policy
from .._diagnosis.node import Unit
from .errors import WrongCall
from .ledger import PATH
from .node import ThisNode
from .profile import resolve
from .restart import Run
from .task import Outcome, Request, Task

LONGEST_REASON, LONGEST_HOLDER = 500, 200  # characters
# Must be kept in sync with the doc fragment _ledger.
LEDGER_ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    "reason": {"type": "str", "default": ""},
    "holder": {"type": "str", "default": ""},
    "budget": {"type": "int", "default": 3},
    "period": {"type": "int", "default": 86400},
    "ledger": {"type": "str", "default": PATH},
}
# Must be kept in sync with the doc fragment _acting.
ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    "cause": {"type": "str", "required": True},
    "fingerprint": {"type": "str", "required": True},
    "profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"], "default": "auto"},
    "timeout": {"type": "int", "default": 120},
    **LEDGER_ARGUMENTS,
    "lock": {"type": "dict"},  # for the action plugin, which keeps it on the controller
}


def carry_out(task: Task, parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """One step on this node, and what came of it; raises :class:`WrongCall`."""
    request = requested(parameters, check)
    node = ThisNode(resolve(parameters["profile"]))
    return described(task.step, request, Run(task, node, request).carry_out())


def requested(parameters: t.Mapping[str, t.Any], check: bool) -> Request:
    """The request in a module's parameters; raises :class:`WrongCall` that says which one is wrong."""
    if not re.fullmatch(r"[0-9a-f]{4,128}", parameters["fingerprint"]):
        raise WrongCall("fingerprint must be 4 to 128 hexadecimal digits, as node_diagnosis returns it")
    if parameters["timeout"] < 1:
        raise WrongCall("timeout must be at least 1")
    policy, reason, holder = kept(parameters)
    return Request(
        cause=line("cause", parameters["cause"], LONGEST_HOLDER),
        fingerprint=parameters["fingerprint"],
        holder=holder,
        reason=reason,
        policy=policy,
        ledger=parameters["ledger"],
        timeout=float(parameters["timeout"]),
        enable=bool(parameters.get("enable")),
        check=check,
    )


def kept(parameters: t.Mapping[str, t.Any]) -> tuple[Policy, str, str]:
    """Policy, reason and holder of :data:`LEDGER_ARGUMENTS`; raises :class:`WrongCall` that says which one is wrong."""
    for name, least, most in (("budget", 0, 1000), ("period", 1, LONGEST_PERIOD)):
        if not least <= parameters[name] <= most:
            raise WrongCall(f"{name} must be {least} to {most}")
    if not parameters["ledger"].startswith("/"):
        raise WrongCall("ledger must be an absolute path")
    policy = Policy(parameters["budget"], float(parameters["period"]))
    return (
        policy,
        line("reason", parameters["reason"], LONGEST_REASON),
        line("holder", parameters["holder"], LONGEST_HOLDER),
    )


def line(name: str, text: str, longest: int) -> str:
    """A person's words as the ledger keeps them: one line; raises :class:`WrongCall` when they are too long for it."""
    words = " ".join(text.split())
    if len(words) > longest:
        raise WrongCall(f"{name} has {len(words)} characters: it must have at most {longest}")
    return words


def described(step: str, request: Request, outcome: Outcome) -> JSON:
    """An outcome as a module returns it; ``changed`` in check mode says that it would."""
    action = to_json(vars(outcome.action)) if outcome.action else {"step": step, "cause": request.cause}
    return {
        "changed": outcome.result in ("done", "failed", "permitted"),
        "cause": request.cause,
        "result": outcome.result,
        "refusals": list(outcome.refusals),
        "notes": list(outcome.notes),
        "action": {**action, "result": outcome.result},
        "before": _identity(outcome.before),
        "after": _identity(outcome.after),
        "checks": dict(outcome.checks),
        "detail": outcome.detail,
        "ledger": {
            "path": request.ledger,
            "recent": outcome.recent,
            "budget": request.policy.budget,
            "period": int(request.policy.period),
        },
        "evidence": to_json(outcome.evidence),
    }


def _identity(unit: t.Optional[Unit]) -> t.Optional[JSON]:
    """What tells one invocation of a unit from another; unknown fields stay unknown."""
    if unit is None:
        return None
    fields = to_json(unit)
    return {name: fields[name] for name in ("active_state", "invocation_id", "main_pid", "started", "restarts")}
