# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What node_ledger is, without Ansible."""

from __future__ import annotations

import typing as t

from ..._diagnosis.evidence import JSON
from ..._diagnosis.ledger import Ledger, Pardon, Policy
from ..._diagnosis.ledger_view import NoSuchEntry, chosen, described, standings, table
from ..call import LEDGER_ARGUMENTS, kept
from ..errors import WrongCall
from ..ledger import LedgerUnusable, now, opened, read

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {**LEDGER_ARGUMENTS, "forgive": {"type": "str", "default": ""}}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    try:
        return _shown(parameters, check)
    except (NoSuchEntry, LedgerUnusable) as problem:
        raise WrongCall(str(problem)) from problem


def _shown(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The ledger as it is after what was asked for (with *check*: as it is), and what was or would be forgiven."""
    policy, reason, holder = kept(parameters)
    path, wanted = parameters["ledger"], parameters["forgive"].strip()
    if wanted and not reason:
        raise WrongCall("to forgive needs a reason, which is kept beside the entry")
    ledger = read(path)
    forgiven: list[str] = []
    if wanted:
        forgiven = [entry.id for entry in chosen(ledger, wanted, now(), policy)]
    if forgiven and not check:
        forgiven = _forgive(path, wanted, policy, Pardon(reason, holder, now()))
        ledger = read(path)
    return {"changed": bool(forgiven), "forgiven": forgiven, **_view(ledger, path, policy)}


def _forgive(path: str, wanted: str, policy: Policy, pardon: Pardon) -> list[str]:
    """Chosen anew under the lock: another run may have acted since."""
    with opened(path) as book:
        entries = chosen(book.ledger, wanted, pardon.at, policy)
        book.forgive(entries, pardon)
    return [entry.id for entry in entries]


def _view(ledger: Ledger, path: str, policy: Policy) -> JSON:
    moment = now()
    found = standings(ledger, moment, policy)
    return {
        "ledger": {"path": path, "torn": ledger.torn, "budget": policy.budget, "period": int(policy.period)},
        "entries": [described(standing, moment) for standing in found],
        "table": table(found, moment),
    }
