# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.chaos``: interrupt a recovery at every task, run once more, and see what it came to and what is left."""

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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.lab import NotInjected, in_lab, inject, undo
from tests.faults.table import FAULTS
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths, parse_host
from tests.lab._settled import condition, renew_time
from tests.lab._shell import wait_for
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, versions_of

from . import events, outside, play
from .points import Point, points
from .verdict import mistakes, seen

CALLBACK: t.Final = Path(__file__).parent / "callback"
MARKER: t.Final = "OUTWARD_CHAOS_ROW"
# For what a killed run has begun on the node (120 s), a Lease (60 s), and a boot on an emulated processor.
GONE_SECONDS: t.Final = 200.0
SETTLE_SECONDS: t.Final = 420.0
FRESH: t.Final = 20.0  # seconds: a kubelet renews its Lease every ten


@dataclass(frozen=True)
class Stage:
    """One node of the lab, and a directory for one row."""

    lab: Lab
    host: str
    place: Path

    @property
    def reports(self) -> Path:
        """Where the runs report."""
        return self.place / "reports"

    @property
    def scratch(self) -> Path:
        """TMPDIR of the runs."""
        return self.place / "tmp"

    def environment(self, point: Point | None) -> dict[str, str]:
        """Of a run that is struck at *point*, or of an ordinary one."""
        known = {"TMPDIR": str(self.scratch), MARKER: str(self.place)}
        if point is None or point.moment == "before-all":
            return known
        event = [sys.executable, "-m", "tests.chaos.events", str(point.event), self.host, str(self.reports)]
        strike = {
            "task": point.task,
            "moment": point.moment,
            "seconds": point.seconds,
            "all": point.all,
            "command": event if point.event else None,
            "root": str(ROOT),
            "mark": str(self.place / "struck"),
        }
        enabled = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK), "ANSIBLE_CALLBACKS_ENABLED": "outward_chaos"}
        return {**known, **enabled, "OUTWARD_CHAOS": json.dumps(strike)}

    def run(self, point: Point | None) -> play.Ended:
        """node-recover.yml, struck or not."""
        return play.Player(environment=self.environment(point))(self.host, self.reports)


def row(point: Point, lab: Lab, host: str) -> tuple[Row, dict[str, str]]:
    """One row, and the versions that were seen. Never raises for a row that could not be run."""
    expected = {"outcome": "healthy, recovered, or refused with a reason", "left": [], "told": point.told}
    entry = unrun(point.id, kind=point.kind, mode="chaos", host=host, at=commit(), expected=expected)
    with tempfile.TemporaryDirectory(prefix="outward-chaos-") as name:
        stage = Stage(lab, host, Path(name))
        stage.scratch.mkdir()
        try:
            with set_up(stage, point) as before:
                return measured(stage, point, before, entry)
        except (NotReset, NotInjected, LabError, NotStruck) as why:
            return {**entry, "note": f"could not be run: {why}"}, {}


class NotStruck(Exception):
    """The moment did not come."""


@contextlib.contextmanager
def set_up(stage: Stage, point: Point) -> Iterator[outside.View]:
    """A clean node, then a broken one; what was there before. Afterwards nothing of the event is left."""
    reset(stage.host)
    before = outside.look(stage.lab, stage.host)
    with contextlib.ExitStack() as stack:
        if point.event == "report-dir-full":
            stack.enter_context(events.small(stage.reports))
        else:
            stage.reports.mkdir()
        if point.event:
            stack.callback(events.undo, point.event, stage.host, stage.reports)
        fault = FAULTS[point.fault]
        if point.restores:
            stack.callback(undo, fault, stage.host)
        inject(fault, stage.host)
        for step in point.prepare:
            result = in_lab(step, stage.host, 60)
            if result.code:
                raise NotInjected(f"to prepare: {result.output}")
        yield before


def measured(stage: Stage, point: Point, before: outside.View, entry: Row) -> tuple[Row, dict[str, str]]:
    """Interrupt, take the event back, run once more, and look at what is left."""
    start = time.monotonic()
    if point.moment == "before-all":
        events.begin(str(point.event), stage.host, stage.reports)
    first = stage.run(point)
    if point.moment != "before-all" and not (stage.place / "struck").exists():
        raise NotStruck(f"the task never came: status {first.status}: {first.output.strip()[-400:]}")
    if point.event:
        events.undo(point.event, stage.host, stage.reports)
    if point.restores:
        undo(FAULTS[point.fault], stage.host)
    settle(stage, ready=point.restores)
    second = stage.run(None)
    works = not_working(stage) if (second.report or {}).get("outcome") in ("healthy", "recovered") else ""
    left = still_there(stage, before)
    wrong = mistakes(point, first, second, works, left)
    found = {"first": seen(first), "second": seen(second), "left": left}
    timing = {"seconds": round(time.monotonic() - start, 1), "note": "; ".join(wrong)}
    versions = versions_of(second.report) if second.report else {}
    return {**entry, **timing, "seen": found, "ok": not wrong}, versions


def settle(stage: Stage, ready: bool) -> None:
    """The API server and the node's ssh answer, and no other node is in doubt; with *ready* this one neither."""

    def well(name: str) -> bool:
        fresh = renew_time(stage.lab.kubectl.lease(name)) > time.time() - FRESH
        return fresh and condition(outside.node(stage.lab, name), "Ready") == "True"

    def settled() -> bool:
        try:
            names = [item["metadata"]["name"] for item in stage.lab.kubectl.list("nodes")]
            others = [name for name in names if name != stage.host or ready]
            return stage.lab.guest(parse_host(stage.host)).answers() and all(well(name) for name in others)
        except LabError:
            return False

    wait_for("the lab has settled", settled, SETTLE_SECONDS, pause=2)


def not_working(stage: Stage) -> str:
    """What keeps the node from working, by the kubelet's unit and the API; empty when nothing does."""
    if outside.look(stage.lab, stage.host).kubelet.state != "active":
        return "the kubelet does not run"
    item = outside.node(stage.lab, stage.host)
    return "" if condition(item, "Ready") == "True" else f"Ready is {condition(item, 'Ready')}"


def still_there(stage: Stage, before: outside.View) -> list[str]:
    """What is left when all that ends by itself has had its time."""
    left: list[str] = []

    def clean() -> bool:
        try:
            held = outside.holders(outside.leases(stage.lab), datetime.now(UTC))
            item = outside.node(stage.lab, stage.host)
            there = outside.leftovers(before, outside.look(stage.lab, stage.host), item, held)
        except LabError as why:  # who could not look has seen nothing
            there = [f"what nobody could see: {why}"]
        left[:] = there + on_controller(stage)
        return not left

    with contextlib.suppress(LabError):
        wait_for("nothing is left", clean, GONE_SECONDS, pause=5)
    return left


def on_controller(stage: Stage) -> list[str]:
    """Processes and files of the runs; the shared connection of ssh is the lab's own."""
    left = [f"process on the controller: {line}" for line in ours(stage.place)]
    left += [f"file on the controller: {path.name}" for path in stage.scratch.glob(".outward*")]
    wanted = {f"{stage.host}.json", "summary.json", events.FILL}
    return left + [
        f"file beside the reports: {path.name}" for path in stage.reports.iterdir() if path.name not in wanted
    ]


def ours(place: Path) -> Iterator[str]:
    """Command lines of processes that were started with our marker."""
    mark = f"{MARKER}={place}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if mark in (process / "environ").read_bytes() and "[mux]" not in command and command:
                yield command[:120]


def line(entry: Row) -> str:
    """One row for a person who watches."""
    mark = MARKS[entry["ok"]]
    got = entry["seen"] or {"first": {"outcome": "-"}, "second": {"outcome": "-"}}
    what = f"{got['first']['outcome']}, then {got['second']['outcome']}"
    return f"{mark:8} {entry['case']:72} {entry['seconds'] or 0:6.1f} s  {what}  {entry['note']}".rstrip()


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "chaos.json")
    options = parser.parse_args()
    chosen = [point for point in points(play.tasks(options.host)) if re.search(options.only, point.id)]
    if options.list:
        print("\n".join(point.id for point in chosen))
        return 0
    results, lab = Results(options.results, "make chaos"), open_lab(default_paths(os.environ, Path.home()))
    for point in chosen:
        if options.again or not results.done(point.id, "chaos", commit()):
            with locked(options.host):
                entry, versions = row(point, lab, options.host)
                results.put(entry, versions)
                print(line(entry), flush=True)
    with locked(options.host):
        reset(options.host)
    wanted = {point.id for point in chosen}
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
