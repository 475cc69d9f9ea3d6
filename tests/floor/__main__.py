# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.floor``: a recovery beside a person who knows at once what to type, and beside a blind restart."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Node as ApiNode
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import look
from tests.bench.node import ssh
from tests.faults.lab import STATE, NotInjected, enter, in_lab, inject, undo, whole
from tests.faults.model import Fault, Step, node
from tests.faults.shell import NODE
from tests.matrix.playbook import NoReport, Report, Run
from tests.matrix.results import ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, versions_of

from . import table
from .hand import (
    BLIND,
    Asked,
    blind_patience,
    entry,
    first_change,
    kept,
    lives,
    only_restarts,
    recovered,
    restarts,
    symptom_gone,
    typed,
    works,
)

MODE: t.Final = "floor"
ACCESS: t.Final = Access(kubeconfig=str(STATE / "diagnose.kubeconfig"))
# A DiskPressure stays in the API for five minutes after it is over (evictionPressureTransitionPeriod).
PATIENCE: t.Final = 480.0
DIAGNOSE: t.Final = Run("diagnose", soak_seconds=0, max_unavailable=1)
PAUSE: t.Final = 0.5
RENEWAL: t.Final = 10.0  # a quarter of nodeLeaseDurationSeconds (pkg/kubelet/kubelet.go)
# The longest, seconds: node-monitor-grace-period of the controller manager is 50 (1.32 and later), and it looks every 5.
MISSED: t.Final = 90.0
LONG_AGO: t.Final = datetime.fromtimestamp(0, UTC)


class Unseen(Exception):
    """The API shows a node that is well, and only a journal tells otherwise, which remembers what is over."""


def main() -> int:
    """0 when every row could be measured."""
    options = arguments()
    enter("tests.floor")
    results, now = Results(options.results, "python3 -m tests.floor"), commit()
    faults = [f for f in chosen(options.only) if options.again or not results.done(f.id, MODE, now)]
    rows = []
    with locked(options.host):
        for fault in faults:
            row, versions = measured(fault, options.host, blank(fault, options.host, now), blind=options.blind)
            row = row if options.blind else kept(row, results.rows)
            rows.append(row)
            results.put(row, versions)
            sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {fault.id}: {row['seen'] or row['note']}\n")
        reset(options.host)
    table.main(options.results)
    return 0 if all(row["ok"] for row in rows) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.floor", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", help="comma separated faults (default: all that a recovery brings to a proven end)")
    parser.add_argument("--blind", action=argparse.BooleanOptionalAction, default=True, help="also a blind restart")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "floor.json")
    return parser.parse_args()


def chosen(only: str | None) -> list[Fault]:
    """The faults that were asked for; raises SystemExit for one that is not measured here."""
    known = {fault.id: fault for fault in recovered()}
    names = only.split(",") if only else list(known)
    if strange := [name for name in names if name not in known]:
        sys.exit(f"no fault of one cause that is recovered: {', '.join(strange)}")
    return [known[name] for name in names]


def blank(fault: Fault, host: str, now: str) -> Row:
    """A row that has not been measured."""
    return unrun(fault.id, kind=MODE, mode=MODE, host=host, at=now, expected={"outcome": "recovered"})


def measured(fault: Fault, host: str, row: Row, *, blind: bool) -> tuple[Row, dict[str, str]]:
    """All ways in turn, each from a clean node; never raises for a row that could not be measured."""
    try:
        ours, looked, report = by_playbook(fault, host)
        hand, tried, note = by_hands(fault, host, blind=blind)
    except (NotReset, NotInjected, NoReport) as why:
        return {**row, "note": f"could not be run: {why}"}, {}
    except subprocess.CalledProcessError as error:
        return {**row, "note": f"could not be run: ssh ended with {error.returncode}: {error.stderr[-300:]}"}, {}
    note = note if ours is not None else f"node-recover ended in {report['outcome']}"
    return {**row, **entry(ours, hand, tried, looked), "note": note}, versions_of(report)


def by_playbook(fault: Fault, host: str) -> tuple[float | None, float | None, Report]:
    """Seconds of node-recover.yml from its start to its proven end, without a soak (nobody soaks by hand).

    The second are those of them before anything was changed.
    """
    broken(fault, host, known=True)
    began, begin = datetime.now(UTC), time.monotonic()
    try:
        report = Run("recover", soak_seconds=0, max_unavailable=1, more=fault.variables)(host)
        seconds = round(time.monotonic() - begin, 1)
    finally:
        undo_elsewhere(fault, host)
    return (seconds if report["outcome"] == "recovered" else None), first_change(report, began), report


def by_hands(fault: Fault, host: str, *, blind: bool) -> tuple[float | None, dict[str, t.Any] | None, str]:
    """The seconds of somebody who knows, what a blind restart did (None: not tried), and why there are no seconds."""
    hand, note = None, ""
    try:
        hand = by_hand(fault, host, typed(fault), PATIENCE)
    except Unseen:
        note = "the API shows nothing of this fault: nobody at a keyboard sees when it is over"
    tried = blind_restart(fault, host, blind_patience(hand)) if blind and not only_restarts(fault) else None
    return hand, tried, note


def by_hand(fault: Fault, host: str, script: str, patience: float, *, blind: bool = False) -> float | None:
    """Seconds from typing *script* until the node works; None: not within *patience* seconds. Raises :class:`Unseen`.

    A kubelet that it starts anew and that posts Ready is the end of it. *blind*: it may not cure. Then a diagnosis has the
    last word on what looks cured, and the node is not left until the API shows that it is broken.
    """
    broken(fault, host, told=not blind)
    gone = symptom_gone(fault)
    try:
        with connect(ACCESS) as api:
            before = seen(api, host)
            worked = well(before, host)
            if worked and gone is None and not restarts(script):
                raise Unseen
            posts = restarts(script) or not worked
            begin, asked = time.monotonic(), Asked(datetime.now(UTC), posts, before)
            ssh(host, whole(NODE, script))
            seconds = until(lambda: well_again(api, fault, host, asked) and no_more(gone, host), begin, patience)
        return None if blind and seconds is not None and comes_back(fault, host) else seconds
    finally:
        undo_elsewhere(fault, host)


def comes_back(fault: Fault, host: str) -> bool:
    """A diagnosis names it still, or again within the time that it may take to take hold: a new kubelet has said nothing yet."""
    return until(lambda: found(fault, host), time.monotonic(), fault.deadline, RENEWAL) is not None


def found(fault: Fault, host: str) -> bool:
    """A diagnosis names it."""
    return bool(set(fault.root_causes) & set(DIAGNOSE(host)["diagnosis"]["root_causes"]))


def until(good: t.Callable[[], bool], begin: float, patience: float, pause: float = PAUSE) -> float | None:
    """Seconds since *begin* (by the monotonic clock) when it is *good*; None: not within *patience*."""
    while time.monotonic() - begin < patience:
        if good():
            return round(time.monotonic() - begin, 1)
        time.sleep(pause)
    return None


def no_more(gone: Step | None, host: str) -> bool:
    """The symptom is not there any more."""
    return gone is None or in_lab(gone, host, 30).code == 0


def blind_restart(fault: Fault, host: str, patience: float) -> dict[str, t.Any]:
    """Whether `systemctl restart kubelet` alone cured it within *patience* seconds, and after how many."""
    seconds = by_hand(fault, host, BLIND, patience, blind=True)
    return {"cured": seconds is not None, "seconds": seconds}


def broken(fault: Fault, host: str, *, known: bool = False, told: bool = True) -> None:
    """*fault* on a clean node, for a while. Raises NotReset, NotInjected and NoReport.

    A kubelet renews its Lease every ten seconds, counted from its start in the reset: without the while, each way would
    meet the same moment of these ten in every row, and be lucky or not in all of them.

    *told*: of a kubelet that does not answer nobody is told before the API's controller misses its Lease; and one that is
    started while the API still has it as Ready looks for what it may post anew only every ten seconds
    (fastStatusUpdateOnce, pkg/kubelet/kubelet_node_status.go), which is luck as well. *known*: it was diagnosed before in
    this boot, as a schedule does; a reset has taken what was compiled there then.
    """
    reset(host)
    if known:
        DIAGNOSE(host)
    inject(fault, host)
    if not told or answers(host):
        time.sleep(random.uniform(0, RENEWAL))
        return
    with connect(ACCESS) as api:
        until(lambda: not ready(seen(api, host)), time.monotonic(), MISSED)


def undo_elsewhere(fault: Fault, host: str) -> None:
    """A reset gives back the node and its Pods, and nothing else of the cluster."""
    if fault.scope == "cluster":
        undo(fault, host)


def well(node: ApiNode | None, host: str) -> bool:
    """The kubelet answers and the API has it as Ready: then it need not post Ready anew to be well afterwards."""
    return ready(node) and answers(host)


def ready(node: ApiNode | None) -> bool:
    """The API has it as Ready, since whenever."""
    return lives(node, Asked(LONG_AGO, posts=False), datetime.now(UTC))


def answers(host: str) -> bool:
    """The kubelet answers on its node."""
    return in_lab(node("healthz"), host, 30).code == 0


def well_again(api: t.Any, fault: Fault, host: str, asked: Asked) -> bool:
    """The API shows that it works."""
    return works(seen(api, host), asked, datetime.now(UTC), fault.root_causes[0])


def seen(api: t.Any, host: str) -> ApiNode | None:
    """What the API has of it; an API server that does not answer shows nothing."""
    try:
        return look(api, host).node
    except Undecided:
        return None


if __name__ == "__main__":
    sys.exit(main())
