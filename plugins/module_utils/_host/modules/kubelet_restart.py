# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What kubelet_restart is, without Ansible."""

from __future__ import annotations

import typing as t

from ..._diagnosis.evidence import JSON
from ..call import ARGUMENTS as COMMON
from ..call import carry_out
from ..steps import KUBELET

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {**COMMON, "enable": {"type": "bool", "default": False}}


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    return carry_out(KUBELET, parameters, check)
