# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a repair: gate, check mode, ledger, change, proof, and taking it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Endpoint, NodeEvidence, Unit
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import peek
from tests.unit.helpers import healthy_node
from tests.unit.helpers_host import START
from tests.unit.helpers_repair import Fake, Patient, repair, request

CAUSE = "br-netfilter-missing"
PATHS = [f"/proc/sys/net/bridge/bridge-nf-call-{kind}" for kind in ("iptables", "ip6tables")]
SETTING = "/etc/sysctl.d/99-zz-outward-bridge.conf"
OFF = {"net.bridge.bridge-nf-call-iptables": "0"}
BROKEN, CURED = healthy_node(kernel__sysctls=OFF), healthy_node()


def tools(tmp_path: Path) -> Fake:
    (tmp_path / "sys/module/br_netfilter").mkdir(parents=True)
    return Fake(tmp_path, files=dict.fromkeys(PATHS, "0\n"))


def results(tmp_path: Path) -> list[str | None]:
    return [entry.result for entry in peek(str(tmp_path / "ledger.jsonl")).entries]


def test_a_repair_is_done_proven_and_written_down(tmp_path: Path) -> None:
    desk = tools(tmp_path)
    outcome = repair(Patient(BROKEN, [CURED]), desk, request(tmp_path, CAUSE))
    assert (outcome.result, outcome.refusals, outcome.undone) == ("done", (), ())
    assert outcome.checks == {"repair_holds": True, "pods_kept": True}
    assert [desk.read(path) for path in PATHS] == ["1\n", "1\n"]
    assert "net.bridge.bridge-nf-call-iptables = 1\n" in (desk.read(SETTING) or "")
    assert outcome.action is not None
    assert (outcome.action.step, outcome.action.verb) == ("enable-bridge-netfilter", "repair")
    assert results(tmp_path) == ["done"]


def test_what_is_not_shown_is_taken_back(tmp_path: Path) -> None:
    desk, host = tools(tmp_path), Patient(BROKEN, [BROKEN])
    outcome = repair(host, desk, request(tmp_path, CAUSE))
    assert (outcome.result, results(tmp_path)) == ("failed", ["failed"])
    assert [desk.read(path) for path in PATHS] == ["0\n", "0\n"]
    assert desk.read(SETTING) is None
    assert len(outcome.undone) == len(outcome.ops)
    assert outcome.detail.startswith("not shown: repair_holds; taken back: ")
    assert host.clock >= 1000 + 120


def test_a_change_that_fails_half_way_takes_the_first_half_back(tmp_path: Path) -> None:
    desk = tools(tmp_path)
    Path(desk.path("/etc")).write_text("a file where a directory should be")
    outcome = repair(Patient(BROKEN, [BROKEN]), desk, request(tmp_path, CAUSE))
    assert outcome.result == "failed"
    assert "Not a directory" in outcome.detail
    assert not [words for words in outcome.undone if words.startswith("could not")]
    assert [desk.read(path) for path in PATHS] == ["0\n", "0\n"]
    half = Fake(
        tmp_path / "half", files={"/proc/swaps": "Filename\n/a file\n/b file\n"}, said={"swapoff /b": ProbeError("no")}
    )
    swap = healthy_node(pressure__swap_devices=("/a", "/b"))
    failed = repair(Patient(swap, [swap]), half, request(tmp_path, "kubelet-swap-on"))
    assert half.commands == ["swapoff /a", "swapoff /b", "swapon /a", "swapon /b"]
    assert (failed.result, failed.checks) == ("failed", {})
    assert failed.detail.startswith("switches the swap /b off: no; taken back: ")


def test_what_could_not_be_taken_back_is_said(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said={"swapon": ProbeError("swapon: no memory")})
    swap = healthy_node(pressure__swap_devices=("/a",))
    outcome = repair(Patient(swap, [swap]), desk, request(tmp_path, "kubelet-swap-on"))
    assert outcome.undone == ("could not take back (switches the swap /a off): swapon: no memory",)


def test_check_mode_shows_every_change_and_makes_none(tmp_path: Path) -> None:
    desk = tools(tmp_path)
    outcome = repair(Patient(BROKEN, []), desk, request(tmp_path, CAUSE, check=True))
    assert (outcome.result, outcome.action, results(tmp_path)) == ("permitted", None, [])
    assert [op.words for op in outcome.ops][-1] == f"writes {SETTING}"
    assert outcome.ops[-1].shown.after.endswith("iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\n")
    assert [desk.read(path) for path in PATHS] == ["0\n", "0\n"]
    assert desk.read(SETTING) is None


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (CURED, "br-netfilter-missing is not there any more"),
        (healthy_node(kernel=unknown("no answer within 3 s")), "cannot tell: no answer within 3 s"),
        (
            healthy_node(kernel__sysctls=OFF, kernel__upkeep=("apt-get (pid 7)",)),
            "at work on the node: apt-get (pid 7)",
        ),
    ],
)
def test_the_gate_on_the_node_has_the_last_word(node: NodeEvidence, words: str, tmp_path: Path) -> None:
    desk = tools(tmp_path)
    outcome = repair(Patient(node, [node]), desk, request(tmp_path, CAUSE))
    assert (outcome.result, results(tmp_path)) == ("refused", [])
    assert outcome.refusals[0].startswith(words)
    assert [desk.read(path) for path in PATHS] == ["0\n", "0\n"]


def test_the_ledger_refuses_it_a_second_time(tmp_path: Path) -> None:
    repair(Patient(BROKEN, [CURED]), tools(tmp_path), request(tmp_path, CAUSE))
    for path in PATHS:
        (tmp_path / path[1:]).write_text("0\n")
    again = repair(Patient(BROKEN, [CURED]), Fake(tmp_path), request(tmp_path, CAUSE))
    assert again.result == "refused"
    assert "the root cause is still there" in again.refusals[0]


class Lossy(Patient):
    """A Pod ends with the repair."""

    def pods(self) -> frozenset[str]:
        return frozenset({"a", "b"} if self.looks <= 1 else {"a"})


def test_a_pod_that_is_lost_is_a_failure(tmp_path: Path) -> None:
    outcome = repair(Lossy(BROKEN, [CURED]), tools(tmp_path), request(tmp_path, CAUSE))
    assert (outcome.result, outcome.checks["pods_kept"]) == ("failed", False)


LOOPS = healthy_node(
    kubelet__unit__sub_state="auto-restart",
    kubelet__unit__active_state="activating",
    kubelet__unit__main_pid=0,
    pressure__swap_devices=("/a",),
)


ENDED = amended(
    LOOPS,
    kubelet=amended(
        LOOPS.kubelet,
        unit=amended(LOOPS.kubelet.unit, active_state="deactivating", sub_state="stop-sigterm", result="exit-code"),
    ),
)


@pytest.mark.parametrize(
    ("before", "state", "done"),
    [
        (LOOPS, "auto-restart\n", ["--no-block restart"]),
        (LOOPS, "failed\n", []),  # systemd gave up: to start it is a step of its own
        (LOOPS, "running\n", []),  # by the time that it is asked
        (healthy_node(pressure__swap_devices=("/a",)), "auto-restart\n", []),  # it did not loop when it was looked at
    ],
)
def test_a_kubelet_that_waits_for_its_next_turn_is_started_once(
    before: NodeEvidence, state: str, done: list[str], tmp_path: Path
) -> None:
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said={"systemctl --no-ask-password show": state})
    outcome = repair(Patient(before, [before, before, healthy_node()]), desk, request(tmp_path, "kubelet-swap-on"))
    assert outcome.result == "done"
    assert desk.commands == ["swapoff /a", *(f"systemctl {words} kubelet.service" for words in done)]
    started = "--no-block restart" in done
    assert outcome.said == ("kubelet.service was started at once: it waited for its next turn",) * started


@pytest.mark.parametrize(
    ("events", "result", "done"),
    [
        ("populated 0\nfrozen 0\n", "exit-code", True),
        ("populated 0\nfrozen 0\n", "success", False),
        ("populated 1\nfrozen 0\n", "exit-code", False),
        ("", "exit-code", False),
    ],
)
def test_systemd_looks_again_for_an_end_that_it_has_not_seen(
    events: str, result: str, done: bool, tmp_path: Path
) -> None:
    """A process that is left may be one that cannot end; what somebody has stopped meanwhile stays stopped."""
    show = "systemctl --no-ask-password show -P"
    said: dict[str, str | ProbeError] = {
        f"{show} SubState": "stop-sigterm\n",
        f"{show} Result": f"{result}\n",
        f"{show} ControlGroup": "/a/kubelet.service\n",
    }
    files = {"/proc/swaps": "/a file\n", "/sys/fs/cgroup/a/kubelet.service/cgroup.events": events}
    desk = Fake(tmp_path, files=files, said=said)
    outcome = repair(Patient(ENDED, [ENDED, healthy_node()]), desk, request(tmp_path, "kubelet-swap-on"))
    words = ["daemon-reload", "--no-block restart kubelet.service"] if done else []
    assert desk.commands == ["swapoff /a", *(f"systemctl {each}" for each in words)]
    assert any("systemd had not seen it" in each for each in outcome.said) is done


def test_a_kubelet_that_cannot_be_started_again_is_still_waited_for(tmp_path: Path) -> None:
    said = {
        "systemctl --no-ask-password show": "auto-restart\n",
        "systemctl --no-ask-password --no-block": ProbeError("no"),
    }
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said=said)
    outcome = repair(Patient(LOOPS, [healthy_node()]), desk, request(tmp_path, "kubelet-swap-on"))
    assert (outcome.result, outcome.said) == ("done", ("could not start kubelet.service at once: no",))


class Turning(Fake):
    """A kubelet of the configuration before runs when it is first asked, and ends then."""

    def ask(self, *command: str) -> str:
        told = super().ask(*command)
        if " show " in " ".join(command):
            self.said["systemctl --no-ask-password show"] = "auto-restart\n"
        return told


def test_the_turn_that_the_repair_met_may_end_after_it(tmp_path: Path) -> None:
    said: dict[str, str | ProbeError] = {"systemctl --no-ask-password show": "running\n"}
    desk = Turning(tmp_path, files={"/proc/swaps": "/a file\n"}, said=said)
    outcome = repair(Patient(LOOPS, [LOOPS, healthy_node()]), desk, request(tmp_path, "kubelet-swap-on"))
    assert outcome.result == "done"
    assert desk.commands == ["swapoff /a", "systemctl --no-block restart kubelet.service"]


class Starting(Patient):
    """Its kubelet answers when it was asked for it so often."""

    turns = 4

    def healthz(self) -> Endpoint:
        self.turns -= 1
        return healthy_node(**({} if self.turns < 0 else REFUSED)).kubelet.healthz


REFUSED = {"kubelet__healthz__outcome": "refused"}


@pytest.mark.parametrize(("turns", "looks", "seconds"), [(4, 2, 2.0), (10**6, 3, 30.5)])
def test_a_kubelet_that_starts_is_not_looked_at_until_it_answers(
    turns: int, looks: int, seconds: float, tmp_path: Path
) -> None:
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said={"systemctl --no-ask-password show": "running\n"})
    host = Starting(LOOPS, [LOOPS, healthy_node()] if looks > 2 else [healthy_node()])
    host.turns = turns
    outcome = repair(host, desk, request(tmp_path, "kubelet-swap-on"))
    assert (outcome.result, host.looks, host.clock - START) == ("done", looks, seconds)


class Restarted(Patient):
    """systemd has started its kubelet so many seconds after the change, before anybody asked."""

    after = 0.0

    def unit(self, name: str) -> Unit:
        return amended(LOOPS.kubelet.unit, restarts=3, started=START + self.after)

    def healthz(self) -> Endpoint:
        return healthy_node().kubelet.healthz


@pytest.mark.parametrize(("after", "said", "forgotten"), [(0.5, "", 1), (-0.5, "", 0), (0.5, "auto-restart\n", 0)])
def test_the_crashes_before_a_start_on_what_was_changed_are_over(
    after: float, said: str, forgotten: int, tmp_path: Path
) -> None:
    """What ran before may still end, and what waited was started with a count of its own."""
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said={"systemctl --no-ask-password show": said})
    host = Restarted(LOOPS, [healthy_node()])
    host.after = after
    outcome = repair(host, desk, request(tmp_path, "kubelet-swap-on"))
    assert outcome.result == "done"
    assert desk.commands.count("systemctl reset-failed kubelet.service") == forgotten
    assert any("count of restarts begins anew" in words for words in outcome.said) == bool(forgotten)


def test_a_crash_after_the_count_began_anew_is_not_forgotten(tmp_path: Path) -> None:
    """The second look finds a kubelet that systemd had to start once more."""
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"}, said={"systemctl --no-ask-password show": ""})
    host = Restarted(LOOPS, [LOOPS, healthy_node()])
    host.after = 0.5
    outcome = repair(host, desk, request(tmp_path, "kubelet-swap-on"))
    assert (outcome.result, host.looks) == ("done", 3)
    assert desk.commands.count("systemctl reset-failed kubelet.service") == 1


def test_a_kubelet_that_systemd_gave_up_is_not_waited_for(tmp_path: Path) -> None:
    ended = {"kubelet__unit__sub_state": "failed", "kubelet__unit__active_state": "failed"}
    gave_up = healthy_node(**ended, kubelet__unit__restarts=5, pressure__swap_devices=("/a",))
    desk = Fake(tmp_path, files={"/proc/swaps": "/a file\n"})
    host = Starting(gave_up, [healthy_node(**ended, kubelet__unit__restarts=5)])
    host.turns = 10**6
    outcome = repair(host, desk, request(tmp_path, "kubelet-swap-on"))
    assert (outcome.result, host.clock) == ("done", START)
