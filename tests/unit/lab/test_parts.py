# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time server, images and cache: small contracts with programs that are not ours."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path

import pytest

from tests.lab import _build, _cache, _oci, ntp
from tests.lab._model import LabError


def test_the_time_server_echoes_the_request_and_tells_both_times() -> None:
    request = struct.pack("!BBbb11I", 0b00_100_011, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 18)
    reply = struct.unpack("!BBbb11I", ntp.answer(request, 1000.5, 1001.0))
    mode, stratum, originate, received, sent = reply[0], reply[1], reply[9:11], reply[11:13], reply[13:15]
    assert (mode & 0b111, mode >> 6, stratum) == (4, 0, 1)
    assert originate == (17, 18)
    assert received == (1000 + ntp.EPOCH, 2**31)
    assert sent == (1001 + ntp.EPOCH, 0)


def test_a_short_request_is_refused() -> None:
    with pytest.raises(struct.error):
        ntp.answer(b"short", 0, 0)


def test_an_image_is_named_and_all_its_blobs_are_there() -> None:
    image = _oci.Image("lab/pause:1", ["/bin/pause"], {"bin/pause": b"program"}, {"bin/sh": "pause"})
    files = _oci.archive_files([image])
    [entry] = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"] == {"io.containerd.image.name": "lab/pause:1"}
    manifest = json.loads(files[f"blobs/{entry['digest'].replace(':', '/')}"])
    config = json.loads(files[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    [content] = (files[f"blobs/{layer['digest'].replace(':', '/')}"] for layer in manifest["layers"])
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(content)) as layer:
        assert layer.getnames() == ["bin/pause", "bin/sh"]
        assert layer.getmember("bin/pause").mode == 0o755


def test_kubeadm_is_told_which_version_it_is() -> None:
    flags = _build.linker_flags("v1.37.2")
    assert "-X k8s.io/component-base/version.gitVersion=v1.37.2" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=37" in flags


def test_a_cache_entry_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        (target / "file").write_text("content", encoding="ascii")

    first, second = (_cache.entry(tmp_path, "thing", "making", make) for dummy in range(2))
    assert first == second
    assert (first / "file").exists()
    assert len(made) == 1


def test_a_failed_build_leaves_no_entry_and_an_interrupted_one_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".making-thing-killed").mkdir()

    def fail(target: Path) -> None:
        (target / "half").touch()
        raise LabError("no")

    with pytest.raises(LabError):
        _cache.entry(tmp_path, "thing", "making", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".lock-thing"]


def test_a_digest_does_not_let_parts_run_together() -> None:
    assert _cache.digest([b"ab", b"c"]) != _cache.digest([b"a", b"bc"])
