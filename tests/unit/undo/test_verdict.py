# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a row of tests/undo right, and each thing that makes it wrong."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import change as kinds
from tests.chaos.play import Ended
from tests.undo import steps
from tests.undo.places import Fingerprint, differences, fingerprint, places, unwatched
from tests.undo.verdict import Kept, Seen, mistakes, told

STEP, FILE = "enable-ip-forward", "/etc/sysctl.d/x.conf"
WANTED = ("sysctl net.ipv4.ip_forward", f"file {FILE}")
BEFORE = Fingerprint({"sysctl net.ipv4.ip_forward": "0", "file /etc/fstab": "644 0:0 ab"}, frozenset({"c1", "c2"}))
KEPT = Kept("stays", "module overlay", "it is in use")


def report(**action: t.Any) -> dict[str, t.Any]:
    done = {
        "step": STEP,
        "result": "failed",
        "detail": "not shown: forced_to_fail; taken back: sets a; taken back: writes b",
        "changes": ["sets a", "writes b"],
        "undone": ["taken back: sets a", "taken back: writes b"],
        "backup": [],
    }
    return {"outcome": "failed", "actions": [done | action], "plan": []}


def seen(**more: t.Any) -> Seen:
    return replace(Seen(STEP, Ended(2, "", report(), 40.0), BEFORE, BEFORE, WANTED, ()), **more)


def node(**changed: str) -> Fingerprint:
    return replace(BEFORE, places={**BEFORE.places, **changed})


def test_a_step_that_is_taken_back_is_right() -> None:
    assert mistakes(seen(), None) == []
    assert told(seen())["proof_without_us"] == "it held"
    assert told(seen())["containers"] == "2 of 2 run on"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (seen(ended=Ended(0, "", {**report(), "outcome": "recovered"}, 1.0)), "exit status 0, outcome recovered"),
        (seen(ended=Ended(2, "", report(result="done"), 1.0)), "actions: [('enable-ip-forward', 'done')]"),
        (
            seen(ended=Ended(2, "", report(detail="writes b: EROFS"), 1.0)),
            "it failed before the proof: writes b: EROFS",
        ),
        (seen(ended=Ended(2, "", report(undone=["taken back: sets a"]), 1.0)), "nothing is said of: writes b"),
        (
            seen(
                ended=Ended(2, "", report(undone=["taken back: sets a", "could not take back (writes b): EROFS"]), 1.0)
            ),
            "could not take back (writes b): EROFS",
        ),
        (seen(after=node(**{"sysctl net.ipv4.ip_forward": "1"})), "sysctl net.ipv4.ip_forward: 0, then 1"),
        (seen(after=node(**{f"file {FILE}.outward": "600 0:0 cd"})), f"file {FILE}.outward: nothing, then 600 0:0 cd"),
        (seen(after=replace(BEFORE, containers=frozenset({"c2", "c3"}))), "1 of 2 containers do not run on"),
        (seen(left=("lock of pi-04",)), "left: lock of pi-04"),
        (seen(wanted=("file /opt/x",)), "nobody looks at /opt/x"),
    ],
)
def test_each_thing_that_is_not_as_it_was(wrong: Seen, words: str) -> None:
    assert mistakes(wrong, None) == [words]


def test_a_step_that_was_not_taken_says_why() -> None:
    plan = [{"step": STEP, "permitted": False, "why": "the lock is another's"}]
    ended = Ended(2, "", {"outcome": "refused", "actions": [], "plan": plan}, 9.0)
    (wrong,) = mistakes(seen(ended=ended), None)
    assert wrong.startswith("the step was not taken: ")
    assert "enable-ip-forward: the lock is another's" in wrong


def test_what_stays_by_its_nature_has_to_be_said_and_nothing_else_may_stay() -> None:
    loaded = node(**{"module overlay": "loaded"})
    wanted = (*WANTED, "module overlay")
    undone = ["taken back: sets a", "taken back in part (writes b): it stays"]
    said = Ended(2, "", report(undone=undone), 1.0)
    assert mistakes(seen(ended=said, after=loaded, wanted=wanted), KEPT) == []
    assert mistakes(seen(ended=said, after=loaded, wanted=wanted), None) == [
        undone[1],
        "module overlay: nothing, then loaded",
    ]


def test_of_what_was_made_anew_there_is_a_copy() -> None:
    place, kept = "file /var/lib/kubelet/cpu_manager_state", steps.KEPT["set-aside-cpu-state"]
    undone = ["taken back: sets a", "taken back in part (writes b): x was made anew meanwhile, which stays"]
    there = replace(seen(ended=Ended(2, "", report(undone=undone), 1.0), wanted=(place,)), before=node(**{place: "ab"}))
    copy = "file /var/lib/outward-kubelet/backup/20261129T120000Z-x/var/lib/kubelet/cpu_manager_state"
    good = replace(there, after=node(**{place: "cd", copy: "ab"}))
    assert mistakes(good, kept) == []
    other = replace(there, after=node(**{place: "cd", copy: "ef"}))
    assert mistakes(other, kept) == [f"no copy of what was {place}"]


def test_of_a_link_there_is_no_copy() -> None:
    place, kept = "link cni0", steps.KEPT["clear-bridge-address"]
    stays = "taken back in part (writes b): 10.244.5.1/24 was given to cni0 meanwhile, for Pods, and stays"
    ended = Ended(2, "", report(undone=["taken back: sets a", stays]), 1.0)
    found = replace(seen(ended=ended, wanted=(place,)), before=node(**{place: "10.99.0.1/24"}))
    assert mistakes(replace(found, after=node(**{place: "10.244.5.1/24 10.99.0.1/24"})), kept) == []


def test_what_changes_by_itself_counts_only_where_the_step_works() -> None:
    after = node(**{"module dummy": "loaded", "file /var/lib/kubelet/cpu_manager_state": "600 0:0 ef"})
    assert differences(BEFORE, after, WANTED) == {}
    assert list(differences(BEFORE, after, ["module dummy"])) == ["module dummy"]


def test_the_places_of_a_step_come_from_its_changes() -> None:
    changes = (
        kinds.Content("/etc/a", "x"),
        kinds.Unit("start", ("b.service",)),
        kinds.Module("c"),
        kinds.Hostname("pi-04"),
        kinds.Mounted("/data", "d.service"),
        kinds.Reservations("/var/lib/cni/networks"),
        kinds.Space("/", 1, ("logs",)),
    )
    assert places(changes) == (
        "file /etc/a",
        "enabled b.service",
        "active b.service",
        "module c",
        "hostname",
        "file /etc/hostname",
        "mount /data",
        "active d.service",
        "file /var/lib/cni/networks",
    )
    assert unwatched(places(changes)) == []
    assert unwatched(["file /opt/x", "module c"]) == ["/opt/x"]


def test_every_kind_of_change_has_its_places() -> None:
    """A file is what has a path; for all else there is an entry."""
    for kind in t.get_args(kinds.Change):
        assert "path" in kind._fields or kind in (
            kinds.Unit,
            kinds.Disabled,
            kinds.Hostname,
            kinds.Mounted,
            kinds.Sysctl,
            kinds.Module,
            kinds.SwapOff,
            kinds.Addresses,
            kinds.Mtu,
            kinds.ServiceChains,
            kinds.Reservations,
            kinds.Remembered,
            kinds.Plugin,
            kinds.Leftover,
        )


def test_every_repair_has_a_row_and_the_first_of_each_comes_first() -> None:
    assert steps.without() == []
    names = [each.step for each in steps.rows()]
    assert len(set(names[: len(set(names))])) == len(set(names))
    assert set(steps.KEPT) <= set(names)
    masked = next(each for each in steps.rows() if each.step == "unmask-kubelet")
    assert masked.fault.variables == {"outward_steps": {"allow": ["unmask-kubelet"]}}
    renewed = [each for each in steps.rows() if each.step == steps.RENEW]
    assert {each.playbook for each in renewed} == {steps.CERTIFICATES}


def test_a_step_that_is_no_repair_says_it_in_a_note() -> None:
    action = {"step": STEP, "result": "failed", "detail": "not shown: forced_to_fail"}
    quiet = {"outcome": "failed", "actions": [action], "plan": [], "notes": []}
    said = {**quiet, "notes": ["what was there before was put back"]}
    back = seen(ended=Ended(2, "", said, 1.0))
    assert (back.undone, mistakes(back, None)) == (said["notes"], [])
    assert mistakes(seen(ended=Ended(2, "", quiet, 1.0)), None) == [
        "it does not say that what was there before was put back"
    ]


def test_a_fingerprint_is_what_the_node_printed() -> None:
    found = fingerprint('{"places": {"hostname": "pi-04"}, "containers": ["a"]}')
    assert (found.places, found.containers) == ({"hostname": "pi-04"}, frozenset({"a"}))
