# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of everything that asks the API server (must be kept in sync with module_utils/_kube/options.py)."""

from __future__ import annotations


class ModuleDocFragment:
    """How the API server is reached, and as whom: the names and variables of kubernetes.core."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig on the controller; several are separated by colons and merged as C(kubectl) does.
      - If it is not given here, E(K8S_AUTH_KUBECONFIG) counts, then E(KUBECONFIG), then C(~/.kube/config).
      - It is not read when O(host) is given together with O(api_key) or O(client_cert).
    type: str
  context:
    description:
      - Context of the kubeconfig. Without it, the current context.
      - If it is not given here, E(K8S_AUTH_CONTEXT) counts.
    type: str
  host:
    description:
      - URL of the API server. It replaces the one of the kubeconfig.
      - If it is not given here, E(K8S_AUTH_HOST) counts.
    type: str
  api_key:
    description:
      - Bearer token. It replaces the credentials of the kubeconfig.
      - If it is not given here, E(K8S_AUTH_API_KEY) counts.
    type: str
  client_cert:
    description:
      - Path of a client certificate.
      - If it is not given here, E(K8S_AUTH_CERT_FILE) counts.
    type: path
  client_key:
    description:
      - Path of the key of O(client_cert).
      - If it is not given here, E(K8S_AUTH_KEY_FILE) counts.
    type: path
  ca_cert:
    description:
      - Path of the certificates that the API server's certificate is checked with.
      - If it is not given here, E(K8S_AUTH_SSL_CA_CERT) counts.
    type: path
  validate_certs:
    description:
      - Whether to check the API server's certificate. Without it, what the kubeconfig says, which is to check.
      - If it is not given here, E(K8S_AUTH_VERIFY_SSL) counts.
    type: bool
  proxy:
    description:
      - URL of an HTTP proxy on the way to the API server.
      - If it is not given here, E(K8S_AUTH_PROXY) counts.
    type: str
  no_proxy:
    description:
      - Hosts, separated by commas, that are reached without O(proxy).
      - If it is not given here, E(K8S_AUTH_NO_PROXY) counts.
    type: str
requirements:
  - kubernetes >= 35.0.0 (on the controller)
notes:
  - The API server is given 5 seconds to accept a connection and 10 seconds to answer. One that does not answer is a
    result and not an error. What is refused (HTTP 401 and 403) and a kubeconfig that cannot be used are errors.
"""
