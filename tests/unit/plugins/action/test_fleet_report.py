# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report and a summary: no host can drop out, and a full disk keeps nobody from the verdict."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action import fleet_report, node_report
from ansible_collections.outward.kubelet.plugins.action.fleet_report import ends
from tests.unit.plugins.action.test_node_lock import DONE, diagnosis

Result = dict[str, t.Any]


def run(plugin: t.Any, variables: Result, **args: t.Any) -> tuple[Result, str]:
    """The task's result, and what it said."""
    said: list[str] = []
    task: t.Any = SimpleNamespace(args=args, check_mode=False, diff=False, async_val=0, action="x")
    nothing: t.Any = SimpleNamespace(check_mode=False, _shell=SimpleNamespace(tmpdir=None))
    action = plugin.ActionModule(task, nothing, nothing, None, nothing, None)
    action._display = SimpleNamespace(display=said.append)
    return action.run(task_vars=variables), "\n".join(said)


def node(directory: Path, **args: t.Any) -> tuple[Result, str]:
    variables = {"inventory_hostname": "host-4"}
    return run(node_report, variables, report_dir=str(directory), incident=diagnosis()["incident"], **args)


def fleet(directory: Path, registered: Result) -> tuple[Result, str]:
    variables = {"ansible_play_hosts_all": ["host-4"], "hostvars": {"host-4": {"node_recovery_result": registered}}}
    return run(fleet_report, variables, report_dir=str(directory))


def full(directory: Path) -> Path:
    """A place where no report can be written, whoever asks."""
    directory.write_text("")
    return directory / "reports"


def test_a_host_without_a_report_is_there_and_failed() -> None:
    variables = {
        "ansible_play_hosts_all": ["pi-05", "pi-04"],
        "hostvars": {"pi-04": {"node_recovery_result": {"outcome": "healthy"}}, "pi-05": {}, "other": {}},
    }
    assert [report["outcome"] for report in ends(variables)] == ["healthy", "failed"]


def test_a_run_that_is_about_to_act_writes_it_down_first(tmp_path: Path) -> None:
    node(tmp_path, state="underway", lock={"slot": "outward-kubelet-0", "access": {"host": "x"}})
    written = json.loads((tmp_path / "host-4.json").read_text())
    assert (written["finished"], written["outcome"], written["lock"]) == (
        None,
        "unknown",
        {"slot": "outward-kubelet-0"},
    )
    with pytest.raises(AnsibleActionFail, match="set outward_report_dir"):
        node(full(tmp_path / "full"), state="underway")


@pytest.mark.parametrize("acts", [False, True])
def test_the_next_run_names_the_one_that_was_interrupted_once(tmp_path: Path, acts: bool) -> None:
    node(tmp_path, state="underway")
    old = json.loads((tmp_path / "host-4.json").read_text())
    (tmp_path / "host-4.json").write_text(json.dumps({**old, "started": "2026-11-23T14:00:00Z"}))
    if acts:
        node(tmp_path, state="underway")
    words = "the run of 2026-11-23T14:00:00Z was interrupted; it was about to do restart-kubelet"
    assert " ".join(node(tmp_path)[1].split()).count(words) == 1
    assert words not in " ".join(node(tmp_path)[1].split())


def test_a_report_that_cannot_be_written_is_said_and_fails_the_run_in_the_end(tmp_path: Path) -> None:
    where = full(tmp_path / "full")
    registered, said = node(where, acted=[DONE], proof={"proven": True, "checks": {}})
    assert (registered["outcome"], registered["report"], registered.get("failed")) == ("recovered", "", None)
    assert said.startswith("host-4: recovered, and proven")
    assert "this is not in a report: cannot write" in said
    ended, table = fleet(where, registered)
    assert (ended["failed"], ended["hosts"], ended["bad"]) == (True, {"host-4": "recovered"}, [])
    assert "host-4  recovered  kubelet-stopped  restart-kubelet (done)" in table
    # There is room again: what was not written then is not written now either.
    assert fleet(tmp_path, registered)[0]["failed"]


def test_what_was_written_is_a_success(tmp_path: Path) -> None:
    ended, table = fleet(tmp_path, node(tmp_path)[0])
    assert "failed" not in ended
    assert json.loads((tmp_path / "summary.json").read_text()) == {"hosts": ended["hosts"]}
    assert f"reports: {tmp_path}/<host>.json" in table
