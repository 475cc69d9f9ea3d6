# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.matrix``: break a lab node in every way we know, run the playbook, compare, and write it down."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import queue
import sys
import threading
import time
import typing as t
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.faults.lab import in_lab
from tests.faults.model import Fault, Kind, awaited, controller
from tests.faults.table import FAULTS, FIRST

from .playbook import Run
from .ready import patience
from .results import MARKS, ROOT, Results, Row, commit
from .row import Bench, NotReset, blank, keep_report, locked, nobody, reset, row

# One of each kind of verdict and of repair: what `make test` can afford.
QUICK: t.Final = (
    "kubelet-stopped",
    "kubelet-unit-masked",
    "kubelet-unknown-flag",
    "kubelet-config-missing",
    "kubelet-syncloop-stuck",
    "containerd-down",
    "containerd-config-invalid",
    "kubelet-client-cert-expired",
    "node-object-deleted",
    "apiserver-firewalled",
    "app-crashloop",
    "apiserver-unavailable",
)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.matrix", description=__doc__)
    parser.add_argument("--mode", choices=["diagnose", "recover"], default="recover")
    parser.add_argument(
        "--hosts", default="pi-04", help="comma separated; each is reset while the next one has its row"
    )
    parser.add_argument("--only", help="comma separated faults (default: the first causes)")
    parser.add_argument("--kind", choices=t.get_args(Kind), help="only faults of this kind")
    # Nodes that fall silent within one minute are to us one fault outside them (causes/fleet.py), and rightly so.
    parser.add_argument("--stagger", type=float, default=75.0, help="seconds between two faults on different hosts")
    parser.add_argument("--rounds", type=int, default=1, help="run each fault so often, each in a row of its own")
    # The node controller gives a silent node 50 s (--node-monitor-grace-period since 1.32).
    parser.add_argument("--ready", type=float, default=0.0, help="seconds to wait for Ready to change, where it should")
    parser.add_argument("--everything", action="store_true", help="all faults, the slow ones last")
    parser.add_argument("--quick", action="store_true", help="a dozen rows, and a short soak")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--record", action="store_true", help="keep the evidence in tests/recordings")
    parser.add_argument("--max-unavailable", type=int, help="outward_max_unavailable (default: the number of hosts)")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "matrix.json")
    return parser.parse_args(words)


def chosen(options: argparse.Namespace) -> list[Fault]:
    """The faults that were asked for; raises SystemExit for one that there is not."""
    names = (
        options.only.split(",")
        if options.only
        else QUICK
        if options.quick
        else sorted(FAULTS, key=lambda name: FAULTS[name].deadline)
        if options.everything
        else [name for name in FAULTS if name in FIRST]
    )
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        sys.exit(f"no such fault: {', '.join(unknown)} (python3 -m tests.faults list)")
    faults = [FAULTS[name] for name in names if options.kind in (None, FAULTS[name].kind)]
    return [numbered(fault, number) for number in range(1, options.rounds + 1) for fault in faults]


def numbered(fault: Fault, number: int) -> Fault:
    """The *number*-th run of *fault*; its row stands beside the first one's."""
    return fault if number == 1 else replace(fault, id=f"{fault.id} #{number}", roots=tuple(fault.root_causes))


@functools.cache
def causes() -> dict[str, t.Any]:
    """The product's causes by id."""
    sys.path.insert(0, str(ROOT / ".build"))
    core = "ansible_collections.outward.kubelet.plugins.module_utils._diagnosis"
    importlib.import_module(f"{core}.diagnose")
    known: dict[str, t.Any] = importlib.import_module(f"{core}.registry").CAUSES
    return known


def without_rule(faults: list[Fault]) -> list[Fault]:
    """Those that no rule of ours can name yet: they are entered as not run, and do not count as right."""
    return [fault for fault in faults if not set(fault.root_causes) <= set(causes())]


class Turns:
    """Lets one row in at a time, the next one at least *seconds* after it: rows that are measured side by side on two
    cores starve each other's nodes. What comes before and after a row, its resets, goes on beside the next one.
    """

    def __init__(self, seconds: float, now: t.Callable[[], float], sleep: t.Callable[[float], None]) -> None:
        self._seconds, self._now, self._sleep = seconds, now, sleep
        self._lock = threading.Lock()
        self._next = now()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until it is one's turn, and keep it."""
        with self._lock:
            self._sleep(max(0.0, self._next - self._now()))
            self._next = self._now() + self._seconds
            yield


def work(faults: Iterable[Fault], host: str, bench: Bench, results: Results, turns: Turns) -> None:
    """Take faults until there are none left; whoever has *host* between two rows finds it clean."""
    clean = False
    for fault in faults:
        with locked(host):
            with turns.turn():
                entry, versions = row(fault, host, bench, clean=clean)
            results.put(entry, versions)
            sys.stderr.write(line(entry) + "\n")
            clean = cleaned(host, bench)


def cleaned(host: str, bench: Bench) -> bool:
    """Reset *host*; when that fails the next row tries again, and says so if it must."""
    try:
        bench.reset(host)
    except NotReset as why:
        sys.stderr.write(f"{why}\n")
        return False
    return True


def line(entry: Row) -> str:
    """One row for a person who watches."""
    mark = MARKS[entry["ok"]]
    seen = entry["seen"] or {}
    what = f"{', '.join(seen.get('root_causes', [])) or '-'} / {seen.get('outcome', '-')}"
    detail = "" if entry["ok"] else f"  {entry['note']}"
    return f"{mark:8} {entry['case']:36} {entry['host']} {entry['seconds'] or 0:6.1f} s  {what}{detail}"


def drain(waiting: queue.SimpleQueue[Fault]) -> Iterable[Fault]:
    """The faults of a queue that several hosts share."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def main() -> int:
    """0 when every row that could be run is right (`make test`: every row)."""
    options = arguments()
    hosts = options.hosts.split(",")
    results, now = Results(options.results, "make matrix"), commit()
    results.keep(FAULTS)
    unruled = without_rule(chosen(options))
    for fault in unruled:
        results.put(blank(fault, "-", options.mode, now) | {"note": "not run: its cause has no rule yet"}, {})
    faults = [f for f in chosen(options) if f not in unruled]
    faults = [f for f in faults if options.again or not results.done(f.id, options.mode, now)]
    everything(faults, hosts, options, results, now)
    if options.quick:
        # What is wrong twice is no accident of a busy machine. The matrix itself has no second try.
        everything([f for f in faults if f.id in missed(results, options)], hosts, options, results, now)
    return 1 if missed(results, options) else 0


# One that is reset beside this row is back within that; without it the last node is guarded, and rightly.
OTHERS: t.Final = awaited(
    controller(
        'for worker in $(workers); do [ $worker = $HOST ] || [ "$(HOST=$worker; condition Ready)" = True ] || exit 1; done'
    )
)


def others_ready(host: str) -> None:
    """Wait until the workers beside *host* are Ready; when they do not get there, the row says what came of it."""
    in_lab(OTHERS, host, 180)


def missed(results: Results, options: argparse.Namespace) -> set[str]:
    """The faults that were asked for and came out wrong; for `make test` also those that could not be run."""
    cases = {fault.id for fault in chosen(options)}
    bad = (False, None) if options.quick else (False,)
    return {r["case"] for r in results.rows if r["ok"] in bad and r["case"] in cases and r["mode"] == options.mode}


def everything(faults: list[Fault], hosts: list[str], options: argparse.Namespace, results: Results, now: str) -> None:
    """All *faults*, one thread a host, and then those that concern the whole cluster."""
    play = Run(
        options.mode, soak_seconds=5 if options.quick else 30, max_unavailable=options.max_unavailable or len(hosts)
    )
    bench = Bench(
        mode=options.mode,
        commit=now,
        record=options.record,
        play=lambda fault, host: replace(play, more=fault.variables)(host),
        reset=reset,
        keep=keep_report,
        versions=lambda: results.versions,
        others=others_ready if len(hosts) > 1 else nobody,
        patience=lambda fault: patience(options.ready, (causes()[name].explains for name in fault.root_causes)),
    )
    waiting: queue.SimpleQueue[Fault] = queue.SimpleQueue()
    for fault in faults:
        if fault.scope == "host":
            waiting.put(fault)
    turns = Turns(options.stagger if len(hosts) > 1 else 0.0, time.monotonic, time.sleep)
    threads = [threading.Thread(target=work, args=(drain(waiting), host, bench, results, turns)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with locked(*hosts[1:]):  # the first one is locked by its own rows
        work([f for f in faults if f.scope == "cluster"], hosts[0], bench, results, turns)


if __name__ == "__main__":
    sys.exit(main())
