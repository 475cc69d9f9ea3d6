# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the person who runs us allows, as options of every action plugin that plans."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import CHOSEN
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.windows import Window, window
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec

STEPS: t.Final[dict[str, t.Any]] = {
    "type": "dict",
    "options": {
        name: {"type": "list", "elements": "str", "choices": list(CHOSEN), "default": []} for name in ("allow", "deny")
    },
}
POLICY: t.Final[Spec] = {
    "automate": {"type": "str", "choices": ["none", "safe", "guarded"], "default": "guarded"},
    "max_unavailable": {"type": "int", "default": 1},
    "control_plane": {"type": "bool", "default": False},
    "hands_off": {"type": "str", "default": ""},
    "maintenance": {"type": "list", "elements": "str", "default": []},
    "reason": {"type": "str", "default": ""},
    "certificates": {"type": "bool", "default": False},
    "steps": STEPS,
}
# What YAML and Ansible make of a switch: as a reason it would say nothing, and `false` would say the contrary.
SWITCHES: t.Final = frozenset({"true", "false", "yes", "no", "on", "off", "0", "1", "none"})


def policy(options: Mapping[str, t.Any], locked: bool = False) -> Policy:
    """Out of checked arguments; raises AnsibleActionFail for a window or a reason that cannot be one."""
    return Policy(
        automate=options["automate"],
        max_unavailable=options["max_unavailable"],
        control_plane=options["control_plane"],
        hands_off=reason("hands_off", options["hands_off"]),
        maintenance=windows("maintenance", options["maintenance"]),
        reason=options["reason"].strip(),
        certificates=options["certificates"],
        locked=locked,
        **chosen(options["steps"]),
    )


def chosen(steps: Mapping[str, Sequence[str]] | None) -> dict[str, frozenset[str]]:
    """Out of ``steps``; raises AnsibleActionFail for a step that is both allowed and forbidden."""
    allowed, forbidden = (frozenset((steps or {}).get(name) or ()) for name in ("allow", "deny"))
    if allowed & forbidden:
        raise AnsibleActionFail(f"outward_steps both allows and denies {', '.join(sorted(allowed & forbidden))}")
    return {"allowed": allowed, "forbidden": forbidden}


def windows(name: str, texts: Sequence[str] | None) -> tuple[Window, ...]:
    """The maintenance windows of the option or variable *name*."""
    try:
        return tuple(window(text) for text in texts or () if text.strip())
    except ValueError as error:
        raise AnsibleActionFail(f"{name}: {error}") from error


def reason(name: str, text: str | None) -> str:
    """A reason in words; empty for none."""
    words = " ".join((text or "").split())
    if words.lower() in SWITCHES:
        raise AnsibleActionFail(
            f"{name} is {words}: it is a reason in words, like 'Anna changes its disk'; leave it out for none"
        )
    return words
