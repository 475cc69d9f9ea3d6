# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as evidence, and evidence on its way through a pipe."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Unknown
from ansible_collections.outward.kubelet.plugins.module_utils._host import files, wire
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError, words
from ansible_collections.outward.kubelet.plugins.module_utils._host.files import sweep
from ansible_collections.outward.kubelet.tests.unit.helpers import healthy_node


def test_a_file_a_link_and_nothing(tmp_path: Path) -> None:
    target = tmp_path / "kubelet-client-2026.pem"
    target.write_text("x" * 10)
    os.utime(target, (1_795_450_000, 1_795_450_000))
    link, dangling = tmp_path / "current.pem", tmp_path / "gone.pem"
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "nothing")
    found = files.describe(str(link))
    assert (found.exists, found.size, found.link_target) == (True, 10, str(target))
    assert found.modified == datetime(2026, 11, 23, 16, 6, 40, tzinfo=UTC)
    lost = files.describe(str(dangling))
    assert (lost.exists, lost.size, lost.modified, lost.link_target) == (False, 0, None, str(tmp_path / "nothing"))
    assert files.describe(str(target / "below")).exists is False


def test_a_table_of_connections_may_be_longer_than_a_file(tmp_path: Path) -> None:
    """Those that ended stay in it for a minute: 4200 were there (counted by hand) while our own unit tests ran."""
    table = "   7: 0100007F:BC4E 0100007F:D180 06 00000000:00000000 03:000014B2 00000000     0        0 0 3 0\n" * 6000
    (tmp_path / "tcp").write_text(table)
    assert files.tcp_tables(lambda path: f"{tmp_path}/{Path(path).name}") == (table, "")
    (tmp_path / "tcp").unlink()
    with pytest.raises(FileNotFoundError):
        files.tcp_tables(lambda path: f"{tmp_path}/{Path(path).name}")


def test_reads_are_bounded_and_never_wait(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (files.LIMIT + 1))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"a\xffb")
    with pytest.raises(OSError, match="larger than"):
        files.read(str(tmp_path / "large"))
    with pytest.raises(OSError, match="not a regular file"):
        files.read(str(tmp_path / "pipe"))
    with pytest.raises(OSError, match="not a regular file"):
        files.read(str(tmp_path))
    assert files.read(str(tmp_path / "binary")) == "a\udcffb"
    assert files.read_or_none(str(tmp_path / "nothing")) is None
    assert files.names(str(tmp_path)) == ["binary", "large", "pipe"]
    assert files.names(str(tmp_path / "nothing")) == []


def test_one_field_that_fails_is_unknown() -> None:
    assert files.attempt(files.read, "/no/such/file") == Unknown("No such file or directory: /no/such/file")
    assert files.attempt(int, "3") == 3
    with pytest.raises(ValueError, match="invalid literal"):
        files.attempt(int, "x")


def test_words_are_one_short_line() -> None:
    assert words(ProbeError("a\n  b")) == "a b"
    assert words(ProbeError()) == "ProbeError"
    assert len(words(ProbeError("x" * 9999))) == 300


def test_evidence_survives_the_pipe() -> None:
    node = healthy_node(kubelet__version=Unknown("not asked"))
    data = wire.encode(node)
    assert b"\n" not in data
    assert wire.decode(data) == node
    with pytest.raises(ValueError, match=r"Unterminated|delimiter|Expecting"):
        wire.decode(data[:-1])


def test_what_a_killed_run_left_in_memory_goes_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "sent"
    for name, age in (("ansible-tmp-1", 4000), ("ansible-tmp-2", 60), ("somebody-else", 4000)):
        (place / name).mkdir(parents=True)
        (place / name / "module.py").write_text("x")
        os.utime(place / name, (time.time() - age,) * 2)
    sweep(str(place))
    assert sorted(path.name for path in place.iterdir()) == ["ansible-tmp-2", "somebody-else"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other" / "ansible-tmp-1").mkdir(parents=True)
    os.utime(tmp_path / "other" / "ansible-tmp-1", (0, 0))
    (tmp_path / "sent").symlink_to(tmp_path / "other")
    sweep(str(tmp_path / "sent"))
    sweep(str(tmp_path / "nothing"))
    assert (tmp_path / "other" / "ansible-tmp-1").is_dir()
