# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemctl's words, unit files and environment files."""

from __future__ import annotations

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Setting
from ansible_collections.outward.kubelet.plugins.module_utils._parse import systemd
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

# systemd 257 (Debian 13): a running kubelet, and a unit that is not installed.
SHOW = """\
MainPID=1154
Result=success
NRestarts=2
ExecMainStartTimestampMonotonic=63519222
ExecMainCode=0
ExecMainStatus=0
Id=kubelet.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
InactiveEnterTimestampMonotonic=61019222
InvocationID=9a3de1f6fc514b9ca9a3a53e2b4cb7a5

Id=chrony.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
InactiveEnterTimestampMonotonic=0
InvocationID=
"""

# The unit and the drop-in of the kubeadm and kubelet packages of pkgs.k8s.io.
UNIT = """\
[Unit]
Description=kubelet: The Kubernetes Node Agent
Wants=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
DROP_IN = r"""
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS \
  $KUBELET_EXTRA_ARGS
"""
ENVIRONMENT = {
    "/var/lib/kubelet/kubeadm-flags.env": 'KUBELET_KUBEADM_ARGS="--node-ip=10.77.0.14 --pod-infra-container-image=pause:3.10"\n',
    "/etc/default/kubelet": "# nothing\nKUBELET_EXTRA_ARGS=--v 2 --fail-swap-on=false\nOTHER=--not-used\n",
}
D, F = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "/usr/lib/systemd/system/kubelet.service"


def test_a_running_unit() -> None:
    unit = systemd.unit(systemd.show(SHOW)[0], "kubelet.service", "S")
    assert (unit.load_state, unit.unit_file_state, unit.active_state, unit.sub_state) == (
        "loaded",
        "enabled",
        "active",
        "running",
    )
    assert (unit.restarts, unit.main_pid, unit.process_state) == (2, 1154, "S")
    assert (unit.started, unit.inactive_since) == (63.519222, 61.019222)
    assert unit.invocation_id == "9a3de1f6fc514b9ca9a3a53e2b4cb7a5"


def test_a_unit_that_is_not_installed() -> None:
    unit = systemd.unit(systemd.show(SHOW)[1], "chrony.service", None)
    assert (unit.load_state, unit.main_pid, unit.started, unit.invocation_id) == ("not-found", 0, None, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [("LoadState=loaded\n", "ActiveState"), (SHOW.replace("=1154", "=x"), "MainPID"), ("", "LoadState")],
)
def test_what_is_missing_is_named(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        systemd.unit(systemd.show(text)[0], "kubelet.service", None)


def test_flags_with_their_files() -> None:
    lines = [*systemd.directives(UNIT, F), *systemd.directives(DROP_IN, D)]
    assert systemd.environment_files(lines) == list(ENVIRONMENT)
    kubeadm, default = ENVIRONMENT
    assert systemd.command_flags(lines, ENVIRONMENT) == (
        Setting("--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf", D),
        Setting("--kubeconfig=/etc/kubernetes/kubelet.conf", D),
        Setting("--config=/var/lib/kubelet/config.yaml", D),
        Setting("--node-ip=10.77.0.14", kubeadm),
        Setting("--pod-infra-container-image=pause:3.10", kubeadm),
        Setting("--v=2", default),
        Setting("--fail-swap-on=false", default),
    )


def test_a_later_drop_in_resets() -> None:
    lines = [
        *systemd.directives(DROP_IN, D),
        *systemd.directives("[Service]\nEnvironmentFile=\nExecStart=\nExecStart=/usr/bin/kubelet --foo\n", "x"),
    ]
    assert systemd.environment_files(lines) == []
    assert systemd.command_flags(lines, {}) == (Setting("--foo", "x"),)


def test_flags_stand_nowhere() -> None:
    assert systemd.command_flags([], {}) == ()
    assert systemd.command_flags(systemd.directives("[Unit]\nExecStart=/bin/true --x\n", "x"), {}) == ()


def test_open_quotes_are_an_error() -> None:
    with pytest.raises(ParseError, match="quotes"):
        systemd.command_flags(systemd.directives('[Service]\nExecStart=/usr/bin/kubelet "--a\n', "x"), {})
