# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs as kubeadm and k3s write them."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse import kubeconfig
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

CA = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
JOINED = f"""\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {CA}
    server: https://10.77.0.1:6443
  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
preferences: {{}}
users:
- name: default-auth
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
"""


def test_after_a_join() -> None:
    found = kubeconfig.access(JOINED)
    assert found.server == "https://10.77.0.1:6443"
    assert (found.ca_data, found.ca_file) == (b"-----BEGIN CERTIFICATE-----", None)
    assert found.client_certificate == found.client_key == "/var/lib/kubelet/pki/kubelet-client-current.pem"
    assert found.client_data is None


def test_embedded_certificate() -> None:
    text = JOINED.replace(
        "client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem", f"client-certificate-data: {CA}"
    )
    assert kubeconfig.access(text).client_data == b"-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\0\0", "not YAML"),
        ("- a\n", "no mapping"),
        ("apiVersion: v1\n", "no context"),
        (JOINED.replace("current-context: default-context", "current-context: other"), "no context"),
        (JOINED.replace("    user: default-auth\n", "    user: other\n"), "no user"),
        (JOINED.replace("  name: default-cluster", "  name: other"), "no cluster"),
        (JOINED.replace("https://10.77.0.1:6443", '""'), "no server"),
        (JOINED.replace(CA, "abc"), "no base64"),
    ],
)
def test_what_no_client_can_use(text: str, words: str) -> None:
    with pytest.raises(kubeconfig.Unusable, match=words):
        kubeconfig.access(text)


def test_a_truncated_file_is_never_half_understood() -> None:
    for length in range(len(JOINED) - 160):
        with pytest.raises((kubeconfig.Unusable, ParseError)):
            kubeconfig.access(JOINED[:length])
