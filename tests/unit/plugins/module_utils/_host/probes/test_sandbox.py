# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our side of a trial: what is sent in which order, how answers are read, one at a time, and that it ends.

What answers here is a script and no runtime: that a real one does as we expect is shown on the lab.
"""

from __future__ import annotations

import os
import socket
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import sandbox
from ansible_collections.outward.kubelet.plugins.module_utils._parse import hpack, http2
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded, latest
from tests.unit.plugins.module_utils._host.probes.test_cri import Answers, answer, frames_of

OURS = embedded(1, embedded(1, b"abc"))
MADE: Answers = {
    "RunPodSandbox": embedded(1, b"abc"),
    "ListPodSandbox": OURS,
    "StopPodSandbox": b"",
    "RemovePodSandbox": b"",
}


@contextmanager
def script(path: Path, answers: Answers) -> Iterator[list[tuple[str, bytes]]]:
    """Answers every connection, and keeps (method, message) of each call; a method that is not there, never."""
    calls: list[tuple[str, bytes]] = []

    def serve(connection: socket.socket) -> None:
        method = ""
        connection.recv(24)
        for frame in frames_of(connection):
            if frame.kind == http2.HEADERS:
                method = dict(hpack.decode(frame.payload))[":path"].rpartition("/")[2]
            elif frame.kind == http2.DATA:
                calls.append((method, frame.payload[5:]))
            if frame.kind == http2.DATA and method in answers:
                connection.sendall(answer(frame.stream, answers[method]))

    def accept() -> None:
        for dummy in range(2):
            connection = listener.accept()[0]
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        yield calls


def test_a_sandbox_is_made_stopped_and_removed(tmp_path: Path) -> None:
    with script(tmp_path / "s", MADE) as calls:
        trial = sandbox.attempt(str(tmp_path / "s"), "/kubepods/besteffort", 5.0)
    assert (trial.outcome, trial.detail, trial.left) == ("ok", "", ())
    assert [method for method, dummy in calls] == list(MADE)
    assert [message for dummy, message in calls[2:]] == [b"\x0a\x03abc"] * 2
    config = t.cast(bytes, latest(calls[0][1])[1])
    assert b"outward-probe" in config
    assert b"/kubepods/besteffort" in config


@pytest.mark.parametrize("failing", ["StopPodSandbox", "RemovePodSandbox", "ListPodSandbox"])
def test_what_could_not_be_removed_is_said(tmp_path: Path, failing: str) -> None:
    with script(tmp_path / "s", {**MADE, failing: 2}):
        trial = sandbox.attempt(str(tmp_path / "s"), "", 5.0)
    assert trial.outcome == "ok"
    assert len(trial.left) == 1
    assert "because I say so" in trial.left[0]


def test_a_refusal_is_cleaned_up_after_too(tmp_path: Path) -> None:
    with script(tmp_path / "s", {**MADE, "RunPodSandbox": 2}) as calls:
        trial = sandbox.attempt(str(tmp_path / "s"), "", 5.0)
    assert (trial.outcome, trial.detail) == ("other", "because I say so")
    assert calls[-1][0] == "RemovePodSandbox"


def test_no_answer_ends_in_time_and_is_cleaned_up_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "UNDO_SECONDS", 0.0)
    with script(tmp_path / "s", {name: body for name, body in MADE.items() if name != "RunPodSandbox"}) as calls:
        trial = sandbox.attempt(str(tmp_path / "s"), "", 0.3)
    assert (trial.outcome, trial.left) == ("timeout", ())
    assert calls[-1][0] == "RemovePodSandbox"


def test_no_runtime_is_no_trial(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="No such file"):
        sandbox.attempt(str(tmp_path / "s"), "", 1.0)


def test_one_at_a_time(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with sandbox._alone(path), pytest.raises(ProbeError, match="another trial"), sandbox._alone(path):
        pass


def test_the_parent_is_where_the_kubelet_made_its_tree_last(tmp_path: Path) -> None:
    assert sandbox._parent((str(tmp_path),)) == ""
    (tmp_path / "kubepods.slice").mkdir()
    assert sandbox._parent((str(tmp_path),)) == "/kubepods.slice/kubepods-besteffort.slice"
    (tmp_path / "kubepods").mkdir()
    os.utime(tmp_path / "kubepods.slice", (1, 1))
    assert sandbox._parent((str(tmp_path), "/nowhere")) == "/kubepods/besteffort"


# fixtures.yml (origin: containerd and its issues), as RunPodSandbox answers them.
SAID = {
    'failed to setup network for sandbox "x": plugin type="flannel" failed (add): failed to find plugin "flannel" in path '
    "[/opt/cni/bin]": "cni",
    'plugin type="flannel" failed (add): failed to setup network: no IP addresses available in range set': "cni",
    'failed to get sandbox image "gcr.io/google_containers/pause:3.0": failed to pull image "gcr.io/pause:3.0"': "image",
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: unable to retrieve OCI "
    'runtime error: exec: "runc": executable file not found in $PATH': "oci",
    'failed to create containerd task: runtime "io.containerd.runc.v1" binary not installed "containerd-shim-runc-v1": '
    "file does not exist: unknown": "oci",
    'OCI runtime create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups': "oci",
    "failed to create containerd container: write /var/lib/containerd/x: no space left on device": "storage",
    "rpc error: context deadline exceeded": "timeout",
    'failed to setup network for sandbox "x": plugin type="calico" failed (add): error getting Pod: pods "outward-probe" '
    "not found": "foreign",
    "something new": "other",
}


@pytest.mark.parametrize(("said", "outcome"), SAID.items())
def test_classes_of_failure(said: str, outcome: str) -> None:
    assert sandbox.classify("error", said)[0] == outcome


def test_a_deadline_is_one_whatever_the_words() -> None:
    assert sandbox.classify("timeout", "failed to setup network: slow")[0] == "timeout"


def test_what_is_said_is_bounded_redacted_and_the_same_each_time() -> None:
    name, netns = "a" * 64, "cni-79489296-af0d-416c-bb94-853f1db09575"
    said = f'failed to setup network for sandbox "{name}": /var/run/netns/{netns}\n  token=abcdefgh ' + "so on " * 1000
    dummy, text = sandbox.classify("error", said)
    assert text.startswith('failed to setup network for sandbox "ID": /var/run/netns/cni-ID token=<redacted>')
    assert len(text) == 400
