# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the acting modules accept, and the shape of what they return."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.doc_fragments import _acting, _ledger
from ansible_collections.outward.kubelet.plugins.module_utils._host.call import ARGUMENTS, described, requested
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.steps import KUBELET
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Action, Outcome
from ansible_collections.outward.kubelet.tests.unit.helpers import NOW, healthy_node

GIVEN: dict[str, t.Any] = {
    **{name: option.get("default") for name, option in ARGUMENTS.items()},
    "cause": "kubelet-stopped",
    "fingerprint": "ab12cd34",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "rm -rf /"}, "fingerprint must be"),
        ({"fingerprint": ""}, "fingerprint must be"),
        ({"budget": -1}, "budget must be 0 to 1000"),
        ({"period": 0}, "period must be 1 to 2592000"),
        ({"timeout": 0}, "timeout must be at least 1"),
        ({"ledger": "ledger.jsonl"}, "ledger must be an absolute path"),
    ],
)
def test_a_wrong_parameter_is_named(change: dict[str, t.Any], words: str) -> None:
    with pytest.raises(WrongCall, match=words):
        requested({**GIVEN, **change}, False)


def test_the_documented_options_are_those_that_are_taken() -> None:
    yaml = pytest.importorskip("yaml")
    fragments = (_acting, _ledger)
    options = {
        name: option
        for fragment in fragments
        for name, option in yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"].items()
    }
    documented = {
        name: {key: value for key, value in option.items() if key != "description"} for name, option in options.items()
    }
    assert documented == ARGUMENTS


REFUSED = Outcome("refused", healthy_node(), ("swap is on",), before=healthy_node().kubelet.unit, recent=1)
DONE = replace(
    REFUSED,
    result="done",
    refusals=(),
    action=Action("restart-kubelet", "kubelet-stopped", "start", NOW, NOW, NOW, "done"),
    checks={"healthz_ok": True},
)


@pytest.mark.parametrize(
    ("outcome", "changed"),
    [
        (REFUSED, False),
        (DONE, True),
        (replace(DONE, result="failed"), True),
        (replace(REFUSED, result="permitted"), True),
    ],
)
def test_changed_is_whether_something_was_or_would_be_done(outcome: Outcome, changed: bool) -> None:
    result = described(KUBELET.step, requested(GIVEN, False), outcome)
    assert (result["changed"], result["result"]) == (changed, outcome.result)
    assert result["action"]["step"] == "restart-kubelet"
    assert result["action"]["result"] == outcome.result


def test_the_evidence_and_the_ledger_come_back_as_plain_data() -> None:
    result = described(KUBELET.step, requested(GIVEN, False), DONE)
    assert result["evidence"]["kubelet"]["unit"]["main_pid"] == 700
    assert result["before"] == {
        "active_state": "active",
        "invocation_id": f"{700:032x}",
        "main_pid": 700,
        "started": 60.0,
        "restarts": 0,
    }
    assert result["after"] is None
    assert result["ledger"] == {
        "path": "/var/lib/outward-kubelet/ledger.jsonl",
        "recent": 1,
        "budget": 3,
        "period": 86400,
    }
    assert result["action"]["effective"] == "2026-11-23T15:00:00.000000Z"
