# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.undo``: repair a broken node, say that it did not help, and see that all is as it was before."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from tests.certificates.secrets import Loud
from tests.chaos import outside
from tests.chaos.play import Ended, Started
from tests.faults.lab import NotInjected, inject, undo
from tests.lab._access import grant
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths, parse_host
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, versions_of

from . import steps, tree
from .places import TREES, Fingerprint, differences, fingerprint, places
from .steps import Try
from .verdict import Seen, mistakes, told

MODE: t.Final = "undo"
SOAK: t.Final = 5
LOOKER: t.Final = Path(__file__).with_name("looker.py")
KEEP: t.Final = ROOT / ".build" / "undo-reports"
# systemd starts containerd again 5 s after it ended, and a runtime that restarts has its sockets a little later.
SETTLED: t.Final = 45.0


def look(lab: Lab, host: str) -> Fingerprint:
    """The node, place by place. Raises LabError."""
    program = f"python3 - {' '.join(TREES)} <<'LOOK'\n{LOOKER.read_text()}LOOK\n"
    return fingerprint(lab.guest(parse_host(host)).run(program, timeout=120))


def row(each: Try, lab: Lab, host: str) -> tuple[Row, dict[str, str]]:
    """One row, and the versions that were seen. Never raises for a row that could not be run."""
    kept = steps.KEPT.get(each.step)
    expected = {"outcome": "failed", "different": kept.places if kept else [], "stays": kept.why if kept else "nothing"}
    entry = unrun(each.name, kind=each.step, mode=MODE, host=host, at=commit(), expected=expected)
    try:
        reset(host)
        with tempfile.TemporaryDirectory(prefix="outward-undo-") as place, contextlib.ExitStack() as stack:
            if each.fault.scope == "cluster":
                stack.callback(undo, each.fault, host)
            inject(each.fault, host)
            return measured(each, Stage(lab, host, Path(place)), entry)
    except (NotReset, NotInjected, LabError) as why:
        return {**entry, "note": f"could not be run: {why}"}, {}


@dataclass(frozen=True)
class Stage:
    """One node of the lab, and a directory for its report."""

    lab: Lab
    host: str
    place: Path

    def play(self, each: Try) -> Ended:
        """The shipped playbook, out of the copy of the collection."""
        access = "recover" if each.playbook == steps.RECOVER else "certificates"
        run = Loud("recover", SOAK, 1, each.fault.variables, access=access, playbook=each.playbook)
        path = {"ANSIBLE_COLLECTIONS_PATH": str(tree.COLLECTIONS), "PYTHONPATH": ""}
        return Started(run, self.host, self.place, path).wait()


def measured(each: Try, stage: Stage, entry: Row) -> tuple[Row, dict[str, str]]:
    """Look, recover in vain, look again."""
    lab, host = stage.lab, stage.host
    before, ours, tokens = look(lab, host), outside.look(lab, host), secrets(lab)
    start = time.monotonic()
    ended = stage.play(each)
    seconds = round(time.monotonic() - start, 1)
    keep(each.name, ended)
    seen = settled(Seen(each.step, ended, before, before, where(each.step, ended), ()), lab, host, ours)
    seen = replace(seen, left=(*seen.left, *(f"token {name}" for name in secrets(lab) - tokens)))
    wrong = mistakes(seen, steps.KEPT.get(each.step))
    versions = versions_of(ended.report) if ended.report else {}
    return {**entry, "seen": told(seen), "ok": not wrong, "seconds": seconds, "note": "; ".join(wrong)}, versions


def secrets(lab: Lab) -> frozenset[str]:
    """Bootstrap tokens are among them. Raises LabError."""
    return frozenset(lab.kubectl("get", "secrets", "-n", "kube-system", "-o", "name").split())


def where(step: str, ended: Ended) -> tuple[str, ...]:
    """The places that the step works at, on this node: by the very evidence that it was planned with."""
    evidence = ((ended.report or {}).get("evidence") or {}).get("node")
    if step not in REPAIRS:  # its files lie where all is looked at
        return ()
    try:
        return places(REPAIRS[step].changes(from_json(NodeEvidence, evidence))) if evidence else ()
    except Undecided:
        return ()


def settled(seen: Seen, lab: Lab, host: str, ours: outside.View) -> Seen:
    """*seen* with the node as it is when all that ends by itself has had its time."""
    end = time.monotonic() + SETTLED
    while True:
        after = look(lab, host)
        left = outside.leftovers(ours, outside.look(lab, host), outside.node(lab, host), held(lab))
        found = Seen(seen.step, seen.ended, seen.before, after, seen.wanted, tuple(left))
        if time.monotonic() > end or not (left or differences(seen.before, after, seen.wanted)):
            return found
        time.sleep(3)


def held(lab: Lab) -> list[str]:
    """Who holds a slot of the lock and has not handed it over with its reason, to expire by itself."""
    live = [item for item in outside.leases(lab) if not handed_over(item)]
    return outside.holders(live, datetime.now(UTC))


def handed_over(item: dict[str, t.Any]) -> bool:
    """The Lease says for what it is kept from others until it expires, which is a minute after it was let go of."""
    notes = item["metadata"].get("annotations") or {}
    return item["spec"].get("leaseDurationSeconds", 0) <= 60 and any(
        "was not proven" in text for text in notes.values()
    )


def keep(case: str, ended: Ended) -> None:
    """The whole report and the run's words, for a person who wonders about a row (not committed)."""
    KEEP.mkdir(parents=True, exist_ok=True)
    base = KEEP / re.sub(r"[^\w.-]+", "_", case)
    base.with_suffix(".json").write_text(json.dumps(ended.report, indent=1))
    base.with_suffix(".txt").write_text(ended.output)


def line(entry: Row) -> str:
    """One row for a person who watches."""
    return f"{MARKS[entry['ok']]:8} {entry['case']:64} {entry['seconds'] or 0:6.1f} s  {entry['note']}".rstrip()


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.undo", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "undo.json")
    options = parser.parse_args()
    chosen = [each for each in steps.rows() if re.search(options.only, each.name)]
    if options.list:
        print("\n".join(each.name for each in chosen))
        return 0
    tree.build()
    results, lab = Results(options.results, "make undo"), open_lab(default_paths(os.environ, Path.home()))
    grant(lab, ("certificates",))
    for each in chosen:
        if options.again or not results.done(each.name, MODE, commit()):
            with locked(options.host):
                entry, versions = row(each, lab, options.host)
                results.put(entry, versions)
                print(line(entry), flush=True)
    with locked(options.host):
        reset(options.host)
    wanted = {each.name for each in chosen}
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
