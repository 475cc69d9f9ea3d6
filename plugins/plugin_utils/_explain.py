# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The causes that a person asks about; a misspelt one fails the task before anything is touched."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.explain import UnknownCause, chosen
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import Cause

EXPLAIN: t.Final[dict[str, t.Any]] = {"type": "list", "elements": "str"}


def asked(names: list[str] | None) -> list[Cause]:
    """The causes called *names* (``all``: every one); raises AnsibleActionFail naming those that are like it."""
    try:
        return chosen(names or ())
    except UnknownCause as error:
        raise AnsibleActionFail(str(error)) from error
