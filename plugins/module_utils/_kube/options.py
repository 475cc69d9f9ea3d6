# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The options that say how the API server is reached, for modules and action plugins alike."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping

from ansible.module_utils.common.parameters import env_fallback

Spec = dict[str, dict[str, t.Any]]


def _option(kind: str, variable: str, **more: t.Any) -> dict[str, t.Any]:
    return {"type": kind, "fallback": (env_fallback, [variable]), **more}


# Names and variables are those of kubernetes.core; documented in doc_fragments/_kube_auth.py.
AUTH_SPEC: t.Final[Spec] = {
    "kubeconfig": _option("str", "K8S_AUTH_KUBECONFIG"),
    "context": _option("str", "K8S_AUTH_CONTEXT"),
    "host": _option("str", "K8S_AUTH_HOST"),
    "api_key": _option("str", "K8S_AUTH_API_KEY", no_log=True),
    "client_cert": _option("path", "K8S_AUTH_CERT_FILE"),
    "client_key": _option("path", "K8S_AUTH_KEY_FILE", no_log=False),
    "ca_cert": _option("path", "K8S_AUTH_SSL_CA_CERT"),
    "validate_certs": _option("bool", "K8S_AUTH_VERIFY_SSL"),
    "proxy": _option("str", "K8S_AUTH_PROXY"),
    "no_proxy": _option("str", "K8S_AUTH_NO_PROXY"),
}


@dataclasses.dataclass(frozen=True)
class Access:
    """How to reach the API server, and as whom; None or empty: as the kubeconfig says."""

    kubeconfig: str | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = dataclasses.field(default=None, repr=False)
    client_cert: str | None = None
    client_key: str | None = None
    ca_cert: str | None = None
    validate_certs: bool | None = None
    proxy: str | None = None
    no_proxy: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, t.Any]) -> Access:
        """From checked arguments; what is not in :data:`AUTH_SPEC` is passed over, and an empty text is no value."""
        return cls(**{name: options.get(name) if options.get(name) != "" else None for name in AUTH_SPEC})

    @property
    def complete(self) -> bool:
        """No kubeconfig is needed beside it."""
        return bool(self.host and (self.api_key or self.client_cert) and not self.kubeconfig and not self.context)
