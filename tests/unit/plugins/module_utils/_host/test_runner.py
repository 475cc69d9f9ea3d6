# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions that hang, break, lie or never end."""

from __future__ import annotations

import os
import signal
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Unknown, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Stall
from ansible_collections.outward.kubelet.plugins.module_utils._host import child, command, runner
from ansible_collections.outward.kubelet.plugins.module_utils._host.child import Ask, Batch, Question
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.runner import LARGEST_ANSWER, Runner, Task, run
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError


def batch(asks: dict[str, Ask], deadline: float = 5.0) -> Batch:
    """Questions for one process."""
    return Batch(tuple(Question(name, deadline) for name in asks), lambda: asks)


def value(ask: Ask, deadline: float = 5.0) -> t.Any:
    """The answer to one question."""
    return run([Task("one", deadline, ask)], 10.0)["one"].value


def fail(error: BaseException) -> t.NoReturn:
    """Raise, in an expression."""
    raise error


def hang() -> t.NoReturn:
    """As long as a test would ever wait."""
    time.sleep(60)
    raise AssertionError


def test_answers_come_back_as_they_are() -> None:
    answer = (Stall(1.0, 2.0), unknown("why"), {"a": (None, True)}, "é", -1)
    assert value(lambda: answer) == answer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "/x"), "one: No such file or directory: /x"),
        (ParseError("line 3: no"), "one: line 3: no"),
        (ProbeError("systemctl: no answer within 4 s"), "one: systemctl: no answer within 4 s"),
        (KeyError("oops"), "one: a mistake in the probe: KeyError('oops')"),
        (SystemExit(3), "one: a mistake in the probe: SystemExit(3)"),
    ],
)
def test_an_error_becomes_unknown_with_its_words(error: BaseException, words: str) -> None:
    assert value(lambda: fail(error)) == Unknown(words)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: os._exit(0), "one: ended without an answer"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "one: ended without an answer"),
        (lambda: "x" * (LARGEST_ANSWER + 70_000), "one: the answer is too long"),
    ],
)
def test_no_answer_is_unknown(ask: Ask, words: str) -> None:
    assert value(ask) == Unknown(words)


def test_a_question_that_hangs_costs_its_deadline_and_no_other_question() -> None:
    begin = time.monotonic()
    answers = Runner([batch({"first": lambda: 1, "stuck": hang, "last": lambda: 3}, deadline=0.4)], 10.0).run()
    assert time.monotonic() - begin < 2
    assert [(answer.value, answer.timed_out) for answer in answers.values()] == [
        (1, False),
        (Unknown("stuck: no answer within 0 s"), True),
        (3, False),
    ]


def test_a_mistake_costs_no_other_question() -> None:
    answers = Runner([batch({"wrong": lambda: fail(TypeError("x")), "right": lambda: 2})], 10.0).run()
    assert answers["right"].value == 2


def linked(*asks: dict[str, Ask], deadline: float = 5.0) -> Batch:
    """Batches for one process, one after the other."""
    first, *rest = asks
    return batch(first, deadline)._replace(then=linked(*rest, deadline=deadline) if rest else None)


def test_a_process_goes_on_with_the_batch_that_follows() -> None:
    found = Runner([linked({"a": os.getpid, "b": os.getpid}, {"c": os.getpid})], 10.0).run()
    assert list(found) == ["a", "b", "c"]
    assert len({answer.value for answer in found.values()}) == 1


@pytest.mark.parametrize("bad", [hang, lambda: fail(TypeError("x")), lambda: os._exit(0)])
def test_what_becomes_of_one_question_costs_none_that_follow(bad: Ask) -> None:
    """Also as the first and as the last of its batch."""
    asks: list[dict[str, Ask]] = [{"a": bad, "b": lambda: 1}, {"c": lambda: 2, "d": bad}, {"e": lambda: 3}]
    found = Runner([linked(*asks, deadline=0.4)], 10.0).run()
    assert [found[name].value for name in "bce"] == [1, 2, 3]
    assert all(isinstance(found[name].value, Unknown) for name in "ad")


def test_what_follows_and_was_not_asked_is_unknown() -> None:
    found = Runner([linked({"a": hang}, {"b": hang, "c": hang})], 0.3).run()
    assert {name: answer.timed_out for name, answer in found.items()} == {"a": True, "b": False, "c": False}


def test_an_error_of_the_caller_is_none_of_ours() -> None:
    try:
        fail(KeyError("caller"))
    except KeyError:
        answers = Runner([batch({"a": lambda: 1, "b": lambda: 2})], 10.0).run()
    assert [answer.value for answer in answers.values()] == [1, 2]


def test_no_process_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """pid-exhaustion: what cannot be asked is unknown, and nothing is raised or leaked."""
    before, begin = len(list(Path("/proc/self/fd").iterdir())), time.monotonic()
    monkeypatch.setattr(os, "fork", lambda: fail(BlockingIOError(11, "Resource temporarily unavailable")))
    answers = Runner([batch({"a": lambda: 1, "b": lambda: 2}), batch({"c": lambda: 3})], 5.0).run()
    assert [answer.value.reason for answer in answers.values()] == [
        f"{name}: no process could be started: Resource temporarily unavailable" for name in "abc"
    ]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert time.monotonic() - begin < 1


def test_an_import_that_fails_is_the_first_questions_mistake() -> None:
    broken = Batch((Question("a", 1.0), Question("b", 1.0)), lambda: fail(ImportError("gone")))
    answers = Runner([broken], 5.0).run()
    assert [type(answer.value) for answer in answers.values()] == [Unknown, Unknown]
    assert "ImportError" in answers["a"].value.reason


def test_the_budget_ends_everything() -> None:
    begin = time.monotonic()
    answers = run([Task(f"t{number}", 30.0, hang) for number in range(5)], 0.5)
    assert time.monotonic() - begin < 2
    assert [answer.timed_out for answer in answers.values()].count(True) == 3
    assert answers["t4"].value == Unknown("t4: no time was left to ask")
    assert answers["t0"].value == Unknown("t0: no time was left after 0 s")  # its own deadline was far away


def spin(seconds: float) -> str:
    """Want the processor all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "slow"


def test_what_is_slow_gets_time_and_what_hangs_does_not() -> None:
    answers = run([Task("slow", 0.3, lambda: spin(1.0)), Task("stuck", 0.3, hang)], 10.0)
    assert answers["slow"].value == "slow"
    assert answers["stuck"].timed_out
    assert answers["stuck"].seconds < 1.2


def test_a_node_that_is_slow_has_more_time_for_the_whole() -> None:
    slow = [batch({str(number): lambda: spin(0.6)}, deadline=0.3) for number in range(3)]
    assert [answer.value for answer in Runner(slow, 1.0, width=1).run().values()] == ["slow"] * 3


def test_a_node_that_loads_slowly_has_longer_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOADING", 0.1)

    def load() -> dict[str, Ask]:
        time.sleep(0.4)
        return {"systemd": lambda: time.sleep(1.0)}

    answers = Runner([Batch((Question("systemd", 0.5),), load)], 10.0).run()
    assert (answers["systemd"].value, answers["systemd"].timed_out) == (None, False)


def test_what_never_ends_is_ended_by_the_budget() -> None:
    begin = time.monotonic()
    assert run([Task("mad", 0.2, lambda: spin(60.0))], 1.0)["mad"].timed_out
    assert time.monotonic() - begin < 2 * runner.SLOWEST


def test_three_at_a_time(tmp_path: Path) -> None:
    def ask() -> int:
        mark = tmp_path / str(os.getpid())
        mark.touch()
        time.sleep(0.15)
        together = len(list(tmp_path.iterdir()))
        mark.unlink()
        return together

    answers = run([Task(f"t{number}", 5.0, ask) for number in range(8)], 10.0)
    assert 1 <= max(answer.value for answer in answers.values()) <= runner.WIDTH


def test_a_killed_question_takes_its_commands_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def ask() -> None:
        command.run(["sh", "-c", f"echo $$ > {pid}; sleep 60; :"], 50.0)

    run([Task("one", 0.5, ask)], 5.0)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if not Path(f"/proc/{pid.read_text().strip()}").exists():
            return
        time.sleep(0.05)
    state = Path(f"/proc/{pid.read_text().strip()}/stat").read_text().split(")")[1].split()[0]
    assert state == "Z"  # killed, and nobody has collected it here


def test_a_question_holds_nothing_of_ours() -> None:
    """A process stuck in the kernel must not keep Ansible's pipe open."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    paths = [Path(f"/proc/self/fd/{number}") for number in range(20)]
    links = value(lambda: tuple(str(path.readlink()) for path in paths if path.is_symlink()))
    os.close(read)
    os.close(write)
    pipes = [link for link in links if link.startswith("pipe:")]
    assert links[:3] == ("/dev/null",) * 3
    assert len(pipes) == 1
    assert value(lambda: os.getsid(0) == os.getpid()) is True


def test_waiting_costs_nothing() -> None:
    before = time.process_time()
    run([Task("one", 1.0, hang)], 5.0)
    assert time.process_time() - before < 0.2


def test_commands() -> None:
    assert command.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 5.0) == (3, "out\n", "err\n")
    assert "LC_ALL=C\n" in command.run(["env"], 5.0).out
    with pytest.raises(ProbeError, match="sleep: no answer within 0 s"):
        command.run(["sleep", "60"], 0.2)
    with pytest.raises(ProbeError, match="more than"):
        command.run(["sh", "-c", "yes | head -c 9000000"], 5.0)
    with pytest.raises(FileNotFoundError):
        command.run(["/no/such/command"], 5.0)


@pytest.mark.parametrize(
    ("state", "stall", "slow"),
    [("R", "0.00", True), ("S", "50.00", False), ("D", "0.00", False), ("D", "12.50", True), ("T", "12.50", False)],
)
def test_slow_is_what_wants_the_processor_or_its_own_pages(
    monkeypatch: pytest.MonkeyPatch, state: str, stall: str, slow: bool
) -> None:
    files = {
        "/proc/7/task/7/children": "8 ",
        "/proc/7/stat": "7 (python) S 1 7",
        "/proc/8/stat": f"8 (journalctl) {state} 7 7",
        "/proc/pressure/memory": f"some avg10={stall} avg60=0.00 avg300=0.00 total=1\n",
    }
    monkeypatch.setattr(child, "_text", files.__getitem__)
    assert child.busy(7) is slow


def test_a_process_that_is_gone_is_not_slow() -> None:
    assert child.busy(4194305) is False
