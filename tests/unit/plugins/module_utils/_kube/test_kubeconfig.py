# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kubeconfig counts, and one sentence for each way in which it cannot be one."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError
from ansible_collections.outward.kubelet.plugins.module_utils._kube.kubeconfig import choose, locate

SERVER = {"server": "https://10.77.0.1:6443"}


def kubeconfig(path: Path, name: str, **changes: t.Any) -> Path:
    document = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": SERVER}],
        "users": [{"name": name, "user": {"token": "hidden"}}],
        **changes,
    }
    path.write_text(json.dumps(document))
    return path


def test_what_is_given_counts_before_the_environment_and_that_before_the_home(tmp_path: Path) -> None:
    given, variable = kubeconfig(tmp_path / "given", "a"), kubeconfig(tmp_path / "variable", "b")
    environ = {"KUBECONFIG": str(variable)}
    assert locate(str(given), environ) == [given]
    assert locate(None, environ) == [variable]
    assert locate("", environ) == [variable]


def test_the_home_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    home = kubeconfig(tmp_path / ".kube" / "config", "a")
    assert locate(None, {}) == [home]


def test_of_a_list_the_files_that_exist_are_merged(tmp_path: Path) -> None:
    first, second = kubeconfig(tmp_path / "1", "a"), kubeconfig(tmp_path / "2", "b")
    found = locate(os.pathsep.join([str(tmp_path / "gone"), str(first), str(second)]), {})
    assert found == [first, second]
    assert choose(found, None) == "a"
    assert choose(found, "b") == "b"


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        KubeError, match=r"no kubeconfig .*/gone on the controller: set outward_kubeconfig .*KUBECONFIG"
    ):
        locate(str(tmp_path / "gone"), {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: [\nusers: }", r"is not YAML \(line 2\)"),
        ("\x00", "is not YAML"),
        ("", "is no kubeconfig"),
        ("- a\n- b\n", "is no kubeconfig"),
        ("apiVersion: v1\nkind: Pod\n", "is no kubeconfig"),
        ("contexts: [{name: a}, {name: b}]\n", r"no current context: .*\(there are a, b\)"),
        ("clusters: []\n", "no current context: .*there is none at all"),
        ("current-context: c\ncontexts: [{name: a}]\n", r"no context c: .*\(there are a\)"),
        ("current-context: a\ncontexts: [{name: a}]\n", "names no server for its context a"),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: x}}]\nclusters: [{name: x}]\n",
            "names no server",
        ),
        ("current-context: a\ncontexts: {a: 1}\n", "no context a"),
    ],
)
def test_what_is_no_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(KubeError, match=message):
        choose([path], None)


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KubeError, match="cannot be read"):
        choose([tmp_path], None)
