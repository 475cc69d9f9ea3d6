# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node_cordon and node_drain as tasks: arguments in, results out, against the small cluster."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action import node_cordon, node_drain
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cordon import BY, WHY
from ansible_collections.outward.kubelet.plugins.modules import node_cordon as cordon_module
from ansible_collections.outward.kubelet.plugins.modules import node_drain as drain_module
from ansible_collections.outward.kubelet.plugins.plugin_utils._node_api import COMMON
from tests.unit.api_server import serving
from tests.unit.small_cluster import NODE, PODS, SmallCluster, empty_dir, held, pod

Result = dict[str, t.Any]
ANNA = f"anna@{socket.gethostname()}, AWX job 12"
NOW_AND_THEN = ("cordoned", "ours", "by", "why")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallCluster]:
    with serving() as api:
        small = SmallCluster(api)
        monkeypatch.setattr("time.sleep", small.wait)
        monkeypatch.setattr("time.monotonic", lambda: small.time)
        yield small


def run(plugin: t.Any, cluster: SmallCluster, *, check: bool = False, diff: bool = False, **args: t.Any) -> Result:
    """The task's result for the host pi-04."""
    args = {"host": cluster.api.url, "api_key": "secret-token", **args}
    task: t.Any = SimpleNamespace(args=args, check_mode=check, diff=diff, async_val=0, action="x")
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))
    action: ActionBase = plugin.ActionModule(task, nothing, nothing, None, nothing, None)
    return action.run(task_vars={"inventory_hostname": "pi-04", "awx_job_id": 12, "awx_user_name": "anna"})


def test_a_cordon_as_a_step_of_a_report(cluster: SmallCluster) -> None:
    done = run(node_cordon, cluster, reason="node-unreachable", diff=True)
    assert {key: done[key] for key in NOW_AND_THEN} == dict(
        zip(NOW_AND_THEN, (True, True, ANNA, "node-unreachable"), strict=True)
    )
    assert (done["changed"], done["result"], done["refusals"]) == (True, "done", [])
    assert (done["action"]["step"], done["action"]["result"]) == ("cordon-node", "done")
    assert done["diff"]["after"]["annotations"][WHY] == "node-unreachable"
    again = run(node_cordon, cluster)
    assert (again["changed"], again["result"], again["by"]) == (False, "unchanged", ANNA)
    assert "secret-token" not in str(done)


def test_uncordon(cluster: SmallCluster) -> None:
    run(node_cordon, cluster)
    assert cluster.node["metadata"]["annotations"][BY]
    done = run(node_cordon, cluster, state="uncordoned")
    assert (done["cordoned"], done["action"]["step"], cluster.node["spec"]) == (False, "uncordon-node", {})


def test_check_mode_of_a_cordon(cluster: SmallCluster) -> None:
    done = run(node_cordon, cluster, check=True, diff=True)
    assert (done["changed"], done["cordoned"], done["diff"]["after"]["unschedulable"]) == (True, False, True)
    assert cluster.patches == []


def test_a_silent_api_server_is_a_failed_step_with_its_name(cluster: SmallCluster) -> None:
    cluster.api.refusals[NODE] = (503, "")
    done = run(node_cordon, cluster)
    assert (done["failed"], done["result"], done["action"]["step"]) == (True, "failed", "cordon-node")
    assert done["msg"].startswith("pi-04: the API server does not answer: it answers 503")


def test_a_missing_right_fails_the_task(cluster: SmallCluster) -> None:
    cluster.api.react = lambda method, path, body: (403, {"message": 'User "jane" cannot patch resource "nodes"'})
    with pytest.raises(AnsibleActionFail, match=r"the user jane .* may not patch nodes"):
        run(node_cordon, cluster)


def test_a_drain(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("cache", spec=empty_dir())]
    done = run(node_drain, cluster, delete_emptydir_data=True)
    assert (done["drained"], done.get("failed"), "diff" in done) == (True, None, False)
    assert {entry["pod"] for entry in done["evicted"]} == {"default/cache", "default/web-1"}


def test_a_drain_that_fails_says_what_is_left(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1")]
    cluster.answers["web-1"] = [held()] * 99
    done = run(node_drain, cluster, timeout=9)
    assert done["failed"]
    assert done["msg"].startswith(
        "pi-04 is not drained: after 9 s Pods are left: 1 (default/web-1: The disruption budget"
    )
    assert done["msg"].endswith("it is cordoned by us")


def test_a_drain_of_nobody_s_pods_is_refused(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("alone", owner="")]
    with pytest.raises(AnsibleActionFail, match=r"nothing was touched: default/alone: .*delete_bare_pods"):
        run(node_drain, cluster)


def test_a_silent_api_server_before_a_drain(cluster: SmallCluster) -> None:
    cluster.api.refusals[PODS] = (503, "")
    assert run(node_drain, cluster)["failed"]


@pytest.mark.parametrize("args", [{"timeout": 0}, {"grace_period": -1}])
def test_bad_input_is_refused_first(cluster: SmallCluster, args: Result) -> None:
    with pytest.raises(AnsibleActionFail, match="it must be at least"):
        run(node_drain, cluster, **args)
    assert cluster.api.asked == []


@pytest.mark.parametrize(("plugin", "module"), [(node_cordon, cordon_module), (node_drain, drain_module)])
def test_what_is_documented_is_what_there_is(plugin: t.Any, module: t.Any) -> None:
    own = plugin.ActionModule.ARGUMENTS
    assert all(f"  {name}:\n" in module.DOCUMENTATION for name in own)
    assert {"node_name", "reason"} <= set(COMMON)
