# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What node_repair is, without Ansible."""

from __future__ import annotations

import os
import time
import typing as t

from ..._diagnosis.evidence import JSON
from ..._diagnosis.registry import CAUSES, Cause
from ..._diagnosis.repair import REPAIRS
from ..._diagnosis.steps import REPAIRING
from ..._parse.redact import redact
from ..call import ARGUMENTS as COMMON
from ..call import described, requested
from ..errors import WrongCall
from ..node import ThisNode
from ..profile import resolve
from ..repair.run import Repaired, Repairing
from ..repair.tools import Op, Tools

KNOWN: t.Final = REPAIRING  # importing it is what fills REPAIRS
ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    "step": {"type": "str", "required": True, "choices": list(REPAIRS)},
    "server": {"type": "str", "default": ""},
    **COMMON,
}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    step, request = parameters["step"], requested(parameters, check)
    cause = known(request.cause)
    if cause is None or cause.repair != step:
        raise WrongCall(f"{step} is no repair of {request.cause}")
    profile = resolve(parameters["profile"])
    backup = f"{os.path.dirname(request.ledger)}/backup/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{step}"
    run = Repairing(REPAIRS[step], ThisNode(profile), Tools(profile, backup, server=parameters["server"]), request)
    outcome = run.carry_out()
    return told(described(step, request, outcome), outcome, backup)


def known(cause: str) -> t.Optional[Cause]:
    """The cause of this id; to load all rules takes a small node seconds, so the one that is asked may be there before."""
    if cause in CAUSES:
        return CAUSES[cause]
    from ..._diagnosis.diagnose import named

    return named(cause)


def told(result: JSON, outcome: Repaired, backup: str) -> JSON:
    """With what was or would be changed, what was taken back, and where the copies are."""
    changes = [op.words for op in outcome.ops]
    if outcome.result == "permitted":
        result["notes"] = [*result["notes"], *(f"would do: {words}" for words in changes)]
    done = {"changes": [*changes, *outcome.said], "undone": list(outcome.undone)}
    done["backup"] = [backup] if os.path.isdir(backup) else []
    without = {name: value for name, value in result.items() if name not in ("before", "after")}
    found = {"owners": list(outcome.owners), "diff": [shown(op) for op in outcome.ops]}
    return {**without, "action": {**result["action"], **done}, **found}


def shown(op: Op) -> JSON:
    """One change as ``--diff`` prints it, without a secret."""
    place, before, after = op.shown
    return {"before_header": place, "after_header": place, "before": redact(before), "after": redact(after)}
