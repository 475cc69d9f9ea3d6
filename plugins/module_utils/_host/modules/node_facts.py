# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What node_facts is, without Ansible."""

from __future__ import annotations

import typing as t

from ..._diagnosis.evidence import JSON, to_json
from ..files import sweep
from ..observe import observe
from ..subsets import BY_NAME, CHOICES, chosen

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    "gather_subset": {"type": "list", "elements": "str", "choices": list(CHOICES), "default": ["all"]},
    "profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"], "default": "auto"},
}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    subsets = chosen(parameters["gather_subset"]) - (set(BY_NAME) if check else set())
    if not check:
        sweep()
    evidence = observe(parameters["profile"], subsets, tidy=not check)
    return {"changed": False, "evidence": to_json(evidence)}
