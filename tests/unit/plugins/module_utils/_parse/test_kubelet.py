# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The effective configuration of a kubelet."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Setting
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.thresholds import EVICTION_HARD
from ansible_collections.outward.kubelet.plugins.module_utils._parse import kubelet
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
DEFAULTS = EVICTION_HARD


def settings(text: str, *flags: str, drop_ins: t.Sequence[str] = ()) -> kubelet.Settings:
    """Of a file with HEAD and *text*."""
    extra = [kubelet.document(HEAD + each) for each in drop_ins]
    return kubelet.settings(kubelet.document(HEAD + text), extra, [Setting(flag, "f") for flag in flags])


def test_defaults_of_the_release() -> None:
    found = settings("")
    assert found.fail_swap_on is True
    assert (found.cgroup_driver, found.rotate_certificates, found.server_tls_bootstrap) == ("cgroupfs", False, False)
    assert (found.client_ca_file, found.static_pod_path) == (None, None)
    assert found.cri_socket == "/run/containerd/containerd.sock"
    assert found.eviction_hard == DEFAULTS


def test_what_kubeadm_writes() -> None:
    found = settings(
        "authentication:\n  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\ncgroupDriver: systemd\n"
        "containerRuntimeEndpoint: unix:///run/crio/crio.sock\nrotateCertificates: true\nserverTLSBootstrap: true\n"
        "staticPodPath: /etc/kubernetes/manifests\nfailSwapOn: false\n"
    )
    assert found.client_ca_file == "/etc/kubernetes/pki/ca.crt"
    assert found[:2] == (False, "systemd")
    assert (found.rotate_certificates, found.server_tls_bootstrap) == (True, True)
    assert (found.static_pod_path, found.cri_socket) == ("/etc/kubernetes/manifests", "/run/crio/crio.sock")


@pytest.mark.parametrize(
    ("text", "flags", "drop_ins", "effective"),
    [
        ("evictionHard:\n  memory.available: 200Mi\n", (), (), {"memory.available": "200Mi"}),
        ("evictionHard: {}\n", (), (), {}),
        (
            "mergeDefaultEvictionSettings: true\nevictionHard:\n  memory.available: 200Mi\n",
            (),
            (),
            {**DEFAULTS, "memory.available": "200Mi"},
        ),
        (
            "",
            ("--eviction-hard=memory.available<1Gi,nodefs.available<5%",),
            (),
            {"memory.available": "1Gi", "nodefs.available": "5%"},
        ),
        (
            "evictionHard:\n  imagefs.available: 0%\n  nodefs.available: 100%\n  pid.available: 5\n",
            (),
            (),
            {"pid.available": "5"},
        ),
        # A drop-in is merged key by key into what the file has, defaults included (server.go loads them first).
        ("", (), ("evictionHard:\n  memory.available: 300Mi\n",), {**DEFAULTS, "memory.available": "300Mi"}),
    ],
    ids=["one key drops the others", "none", "merged", "flag", "switched off", "drop-in"],
)
def test_eviction_thresholds(
    text: str, flags: tuple[str, ...], drop_ins: tuple[str, ...], effective: dict[str, str]
) -> None:
    assert settings(text, *flags, drop_ins=drop_ins).eviction_hard == effective


def test_drop_ins_and_then_flags_win() -> None:
    found = settings(
        "cgroupDriver: cgroupfs\nstaticPodPath: /a\n",
        "--fail-swap-on=false",
        "--container-runtime-endpoint=unix:///x.sock",
        drop_ins=["cgroupDriver: systemd\n", "staticPodPath: null\n"],
    )
    assert (found.cgroup_driver, found.static_pod_path) == ("systemd", None)
    assert (found.fail_swap_on, found.cri_socket) == (False, "/x.sock")


def test_a_flag_without_a_value_is_true() -> None:
    assert settings("failSwapOn: false\n", "--fail-swap-on").fail_swap_on is True
    with pytest.raises(ParseError, match="--fail-swap-on"):
        settings("", "--fail-swap-on=perhaps")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("\0\0\0\0", "not YAML"),
        ("just words\n", "no mapping"),
        (HEAD.replace("KubeletConfiguration", "KubeletConfig"), "kind is KubeletConfig"),
        (HEAD.replace("v1beta1", "v1"), "apiVersion is"),
        ("kind: KubeletConfiguration\n", "apiVersion is missing"),
        (HEAD + "maxPods: many\n", "maxPods is no number"),
        (HEAD + "evictionHard: 5%\n", "evictionHard is no mapping"),
        (HEAD + "failSwapOn: 'false'\n", "failSwapOn is no boolean"),
        (HEAD + "clusterDNS: 10.96.0.10\n", "clusterDNS is no list"),
    ],
)
def test_what_a_kubelet_certainly_refuses(text: str, words: str) -> None:
    with pytest.raises(kubelet.Unusable, match=words):
        kubelet.document(text)


def test_what_this_reader_cannot_tell_is_no_verdict() -> None:
    with pytest.raises(ParseError):
        kubelet.document(HEAD + "a: &b c\n")
