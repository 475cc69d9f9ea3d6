# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The labels and taints that the inventory gives a Node: whether they can be meant, and what is missing. Pure.

What the inventory does not name is left: others give labels and taints too.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from .evidence import JSON

Taint = dict[str, str]
EFFECTS: t.Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
# A qualified name and a label's value (apimachinery/pkg/util/validation).
_PART: t.Final = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_DNS: t.Final = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
KEY: t.Final = re.compile(rf"(?:{_DNS}/)?{_PART}")
VALUE: t.Final = re.compile(rf"(?:{_PART})?")


def labels(given: Mapping[str, t.Any] | None) -> dict[str, str]:
    """As the API has them; raises ``ValueError`` that says which one cannot be one."""
    found = {str(key): _text(value) for key, value in (given or {}).items()}
    for key, value in found.items():
        if not KEY.fullmatch(key) or not VALUE.fullmatch(value):
            raise ValueError(f"{key}={value} is no label")
    return found


def taints(given: Sequence[Mapping[str, t.Any]] | None) -> tuple[Taint, ...]:
    """``key``, ``value`` (may be left out) and ``effect`` of each; raises ``ValueError`` for what cannot be one."""
    found = tuple({name: _text(value) for name, value in each.items()} for each in given or ())
    for each in found:
        words = ", ".join(f"{name}: {value}" for name, value in each.items())
        if set(each) - {"key", "value", "effect"} or each.get("effect") not in EFFECTS:
            raise ValueError(f"{{{words}}} is no taint: it has key, value and effect ({', '.join(EFFECTS)})")
        if not KEY.fullmatch(each.get("key", "")) or not VALUE.fullmatch(each.get("value", "")):
            raise ValueError(f"{{{words}}} is no taint: its key or its value cannot be one")
    return found


def _text(value: t.Any) -> str:
    """YAML makes a boolean of `true`; a label's value is text."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def missing(item: JSON, wanted: Mapping[str, str], repelling: Sequence[Taint]) -> tuple[JSON, tuple[str, ...]]:
    """(the merge patch of the Node *item*, None: nothing is missing; what it gives it, in words)."""
    has = item["metadata"].get("labels") or {}
    new = {key: value for key, value in wanted.items() if has.get(key) != value}
    there = (item.get("spec") or {}).get("taints") or []
    lacking = [taint for taint in repelling if not any(_same(taint, other) for other in there)]
    told = (
        *(f"label {key}={value}" for key, value in new.items()),
        *(f"taint {x['key']}={x.get('value', '')}:{x['effect']}" for x in lacking),
    )
    if not told:
        return None, ()
    replaced = {(x["key"], x["effect"]) for x in lacking}
    kept = [other for other in there if (other["key"], other["effect"]) not in replaced]
    patch: JSON = {"metadata": {"resourceVersion": item["metadata"]["resourceVersion"], "labels": new}}
    return ({**patch, "spec": {"taints": [*kept, *lacking]}} if lacking else patch), told


def _same(taint: Taint, other: JSON) -> bool:
    """Of a taint that the control plane has set, when it was added is its own affair."""
    return all(taint.get(name, "") == (other.get(name) or "") for name in ("key", "value", "effect"))
