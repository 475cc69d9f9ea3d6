# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether nothing was done, and the right words were said. Pure."""

from __future__ import annotations

import re

from tests.chaos.outside import OURS, View, touched
from tests.chaos.play import Ended
from tests.lab._kubectl import Object

from .cases import Case


def mistakes(case: Case, ended: Ended, before: View, after: View, item: Object) -> list[str]:
    """Everything that is not as it should be; *item* is the Node afterwards."""
    report = ended.report
    if report is None:
        return [f"no report: {ended.output.strip()[-300:]}"]
    wrong = [f"it did {action['step']}" for action in report["actions"]]
    wrong += touched(before, after)
    if bool(item["spec"].get("unschedulable")) != case.cordoned or set(OURS) & set(
        item["metadata"].get("annotations", {})
    ):
        wrong.append("the Node's cordon is not as it was")
    if report["outcome"] not in case.outcomes:
        wrong.append(f"outcome: expected {' or '.join(case.outcomes)}, saw {report['outcome']}")
    if ended.status != (0 if report["outcome"] == "healthy" else 2):
        wrong.append(f"exit status {ended.status}")
    if not re.search(case.words, said(ended)):
        wrong.append(f"it does not say {case.words!r}")
    return wrong


def said(ended: Ended) -> str:
    """All that was on the screen, in one line."""
    return " ".join(ended.output.split())


def quoted(case: Case, ended: Ended) -> str:
    """The words, and a little of what stands around them."""
    match = re.search(rf".{{0,60}}(?:{case.words}).{{0,120}}", said(ended))
    return match.group(0).strip() if match else ""
