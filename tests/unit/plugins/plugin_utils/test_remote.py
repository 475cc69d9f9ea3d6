# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back from a node is always an answer, also when nothing comes back."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.outward.kubelet.plugins.plugin_utils import _remote
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import OBSERVE, Acting, ask


class Connection:
    """A connection that remembers the options that were set."""

    def __init__(self) -> None:
        self.options: dict[str, t.Any] = {"pipelining": False, "reconnection_retries": 0, "ssh_extra_args": "-4"}
        self._shell = self

    def get_options(self) -> dict[str, t.Any]:
        return self.options

    def is_pipelining_enabled(self, wrap_async: bool) -> bool:
        """Ansible's own wrapper is used then."""
        return False

    def get_option(self, name: str) -> t.Any:
        return self.options[name]

    def set_option(self, name: str, value: t.Any) -> None:
        self.options[name] = value


class Action:
    """An action plugin whose module answers as the test says."""

    def __init__(self, answer: dict[str, t.Any] | Exception) -> None:
        self._answer = answer
        self._connection = Connection()
        self._task = type("Task", (), {"environment": None})()

    def _is_pipelining_enabled(self, style: str) -> bool:
        return False

    def _execute_module(self, **arguments: t.Any) -> dict[str, t.Any]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "unreachable", "failed"),
    [
        ({"evidence": {}}, None, None),
        (AnsibleConnectionFailure("ssh: no\n route"), "ssh: no route", None),
        ({"unreachable": True, "msg": "gone"}, "gone", None),
        ({"failed": True, "msg": "no such profile"}, None, "no such profile"),
        ({"failed": True, "msg": "MODULE FAILURE", "module_stderr": "a\nEOFError"}, None, "MODULE FAILURE: EOFError"),
    ],
)
def test_ask(answer: dict[str, t.Any] | Exception, unreachable: str | None, failed: str | None) -> None:
    got = ask(t.cast(t.Any, Action(answer)), OBSERVE, {}, {})
    assert (got.unreachable, got.failed) == (unreachable, failed)


def test_a_secret_is_not_sent_as_a_file() -> None:
    got = ask(t.cast(t.Any, Action(AssertionError("it was sent"))), OBSERVE, {}, {}, piped=True)
    assert got.failed == "the connection cannot pipe, and a secret is not written into a file on the way"


def test_no_python_on_the_node_says_what_to_do() -> None:
    answer = {"failed": True, "rc": 127, "msg": "The module interpreter '/usr/bin/python3' was not found."}
    got = ask(t.cast(t.Any, Action(answer)), OBSERVE, {}, {})
    assert "install python3 there, or set ansible_python_interpreter" in (got.failed or "")


@pytest.mark.parametrize(("module", "retries"), [(OBSERVE, 1), ("outward.kubelet.kubelet_restart", 0)])
def test_looking_is_tried_again_and_acting_never(module: str, retries: int) -> None:
    action = Action({})
    ask(t.cast(t.Any, action), module, {}, {})
    assert action._connection.options["reconnection_retries"] == retries
    assert action._connection.options["pipelining"] is True
    assert action._connection.options["ssh_extra_args"].startswith("-4 -o ServerAliveInterval=")
    assert action._task.environment == [{"TMPDIR": "/dev/shm"}]


class Starting(Acting):
    """A step whose module answers as the test says; the rest of an action plugin is Ansible's."""

    MODULE = "outward.kubelet.containerd_start"
    STEP = "start-containerd"

    def __init__(self) -> None:
        self.started = datetime(2026, 11, 23, tzinfo=UTC)


class Kept:
    """A lock that was lost before the step, during it, or not at all."""

    def __init__(self, before: str | None, after: str | None) -> None:
        self.lost, self._after = before, after

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *error: object) -> None:
        self.lost = self.lost or self._after


@pytest.mark.parametrize(
    ("before", "after", "result", "lost"),
    [
        (None, None, "done", None),
        (None, "AWX job 12 has it", "done", "AWX job 12 has it"),
        ("AWX job 12 has it", None, "refused", "the lock was lost: AWX job 12 has it"),
    ],
)
def test_a_step_without_its_lock_is_refused_and_one_that_loses_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str | None, result: str, lost: str | None
) -> None:
    given: list[t.Any] = []
    asked: list[t.Any] = []

    def keeping(lock: t.Any) -> Kept:
        given.append(lock)
        return Kept(before, after)

    def execute(**more: t.Any) -> dict[str, t.Any]:
        asked.append(more["module_args"])
        return {"result": "done", "changed": True}

    monkeypatch.setattr(_remote, "keeping", keeping)
    starting: t.Any = Starting()
    lock = {"slot": "s", "holder": "awx-1@exec/pi-04"}
    starting._task = SimpleNamespace(args={"cause": "x", "lock": lock}, check_mode=False, environment=None)
    starting._connection = Connection()
    starting._execute_module = execute
    variables = {"awx_user_name": "anna", "awx_job_id": 1}
    got = starting.run(None, variables)
    assert (got["result"], got.get("lock_lost")) == (result, lost)
    assert given == [lock]
    assert asked == ([] if before else [{"cause": "x", "holder": author(variables)}])


def concluded(answer: dict[str, t.Any] | Exception) -> dict[str, t.Any]:
    return Starting().concluded(ask(t.cast(t.Any, Action(answer)), Starting.MODULE, {}, {}))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (AnsibleConnectionFailure("Connection reset"), "the node was lost during start-containerd: Connection reset"),
        # What ansible-core 2.19 makes of a module that was killed (by the kernel's OOM killer, say).
        (
            {"failed": True, "rc": 137, "msg": "Module result deserialization failed.", "module_stderr": "Killed\n"},
            "start-containerd was cut off on the node: Module result deserialization failed.: Killed",
        ),
    ],
)
def test_what_was_cut_off_is_a_failed_action(answer: dict[str, t.Any] | Exception, reason: str) -> None:
    got = concluded(answer)
    assert (got["changed"], got["result"], got["detail"]) == (True, "failed", reason)
    assert (got["action"]["step"], got["action"]["result"]) == ("start-containerd", "failed")


@pytest.mark.parametrize(
    "answer",
    [
        {"failed": True, "msg": "no such profile", "invocation": {"module_args": {}}},
        {"failed": True, "rc": 127, "msg": "The module interpreter '/usr/bin/python3' was not found."},
    ],
)
def test_what_never_began_fails_the_task(answer: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleActionFail):
        concluded(answer)


def test_what_ended_is_passed_on() -> None:
    assert concluded({"result": "done", "changed": True}) == {"result": "done", "changed": True}
