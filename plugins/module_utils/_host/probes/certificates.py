# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the kubelet proves itself with, and what it trusts. Keys are compared, never told."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ..._diagnosis.evidence import unknown
from ..._diagnosis.node import Certificate, Certificates, File, Kubeconfig, Profile
from ..._parse import kubeconfig, x509
from ..._parse.errors import ParseError
from ..command import run
from ..errors import ProbeError, words
from ..files import attempt, describe, names, read, read_or_none
from .kubelet import config, unit_lines

_OPENSSL_SECONDS: t.Final = 3.0
_LONGEST_CHAIN: t.Final = 4


def ask(profile: Profile) -> Certificates:
    """All of it; what cannot be read is unknown, field by field."""
    file = describe(profile.kubeconfig)
    access, problem = _access(file)
    client_path = access.client_certificate if access else None
    if client_path is None:
        embedded = access is not None and access.client_data is not None
        client_path = profile.kubeconfig if embedded else f"{profile.pki_dir}/kubelet-client-current.pem"
    authority = attempt(_authority, access, profile)
    client, client_problem = _client(client_path, access, authority)
    client_ca_file, client_ca = _client_ca(attempt(_client_ca_path, profile))
    return Certificates(
        kubeconfig=Kubeconfig(
            file=file,
            problem=problem,
            server=access.server if access else None,
            client_certificate=access.client_certificate if access else None,
            client_key=access.client_key if access else None,
        ),
        bootstrap_kubeconfig=describe(profile.bootstrap_kubeconfig),
        client_file=describe(client_path),
        client=client,
        client_problem=client_problem,
        serving=attempt(_serving, profile, authority),
        ca=_ca(authority, access, profile),
        client_ca_file=client_ca_file,
        client_files=tuple(name for name in names(profile.pki_dir) if name.startswith("kubelet-client-")),
        client_ca=client_ca,
    )


def _access(file: File) -> tuple[kubeconfig.Access | None, t.Any]:
    """The current context, and why there is none (None: there is, or no file)."""
    if not file.exists:
        return None, None
    try:
        return kubeconfig.access(read(file.path)), None
    except kubeconfig.Unusable as error:
        return None, str(error)
    except (OSError, ParseError) as error:
        return None, unknown(f"{file.path} cannot be judged: {words(error)}")


def _authority(access: kubeconfig.Access | None, profile: Profile) -> list[x509.X509] | None:
    """The certificates that the kubeconfig trusts; None: it names none that is there."""
    text = authority_text(access, profile)
    return x509.certificates(text) if text is not None else None


def authority_text(access: kubeconfig.Access | None, profile: Profile) -> str | None:
    """PEM of the cluster's CA: of the kubeconfig, else of the distribution's file."""
    if access is not None and access.ca_data is not None:
        return access.ca_data.decode("ascii", "replace")
    return read_or_none(access.ca_file if access is not None and access.ca_file else profile.ca_file)


def _ca(authority: t.Any, access: kubeconfig.Access | None, profile: Profile) -> t.Any:
    if not isinstance(authority, list):
        return authority
    embedded = access is not None and access.ca_data is not None
    path = profile.kubeconfig if embedded else (access.ca_file if access else None) or profile.ca_file
    return _evidence(path, authority[0], None, None)


def _client(path: str, access: kubeconfig.Access | None, authority: t.Any) -> tuple[t.Any, t.Any]:
    """(the certificate, why none can be read)."""
    embedded = access.client_data if access is not None else None
    try:
        text = embedded.decode("ascii", "replace") if embedded is not None else read_or_none(path)
        if text is None:
            return None, None
        found = x509.certificates(text)
    except ParseError as error:
        return None, str(error)
    except OSError as error:
        return unknown(words(error)), unknown(words(error))
    matches = attempt(_key_matches, found[0], text, access)
    signed = attempt(_signed, found, authority) if isinstance(authority, list) else authority
    return _evidence(path, found[0], matches, signed), None


def _key_matches(certificate: x509.X509, text: str, access: kubeconfig.Access | None) -> bool | None:
    """The key is in the file of the certificate (kubelet's rotation), in one of its own, or in the kubeconfig."""
    if access is not None and access.client_data is not None:
        return None  # the key is in the kubeconfig too; it is not read
    if access is not None and access.client_key and access.client_key != access.client_certificate:
        text = read_or_none(access.client_key) or ""
    return x509.belongs(x509.public_half(text), certificate) if "PRIVATE KEY" in text else None


def _signed(chain: t.Sequence[x509.X509], authority: t.Sequence[x509.X509]) -> bool:
    """Whether the first certificate leads to one of the CA's, over those behind it; dates are not looked at."""
    child = chain[0]
    for dummy in range(_LONGEST_CHAIN):
        answers = [(issuer, _one_signature(child, issuer)) for issuer in authority]
        if any(signed for dummy, signed in answers):
            return True
        between = [issuer for issuer in chain[1:] if issuer is not child and _one_signature(child, issuer)]
        if not between:
            return False
        child = between[0]
    return False


def _one_signature(child: x509.X509, issuer: x509.X509) -> bool:
    answer = x509.signed_by(child, issuer)
    return _openssl_says(child, issuer) if answer is None else answer


def _openssl_says(child: x509.X509, issuer: x509.X509) -> bool:
    """`openssl verify` for signatures that are not RSA's. Certificates are public; they lie in memory only."""
    import tempfile  # costs more than all else here, and is hardly ever needed

    with tempfile.NamedTemporaryFile(dir="/dev/shm") as one, tempfile.NamedTemporaryFile(dir="/dev/shm") as other:
        for file, found in ((one, issuer), (other, child)):
            file.write(x509.to_pem(found.encoded))
            file.flush()
        command = ["openssl", "verify", "-partial_chain", "-no_check_time", "-CAfile", one.name, other.name]
        answer = run(command, _OPENSSL_SECONDS)
    if answer.status == 0:
        return True
    if "error " in answer.err:
        return False
    raise ProbeError(f"openssl: {words(ProbeError(answer.err))}")


def _serving(profile: Profile, authority: t.Any) -> Certificate | None:
    """The one of rotation, which a CA has signed, else the self-signed one."""
    for name in ("kubelet-server-current.pem", "kubelet.crt", "serving-kubelet.crt"):
        path = f"{profile.pki_dir}/{name}"
        text = read_or_none(path)
        if text is not None:
            matches = None
            if "PRIVATE KEY" not in text and os.path.exists(path[:-4] + ".key"):
                text += read(path[:-4] + ".key")
            if "PRIVATE KEY" in text:
                matches = attempt(lambda pem: x509.belongs(x509.public_half(pem), x509.certificates(pem)[0]), text)
            chain = x509.certificates(text)
            asked = name.endswith("-current.pem") and isinstance(authority, list)
            return _evidence(path, chain[0], matches, attempt(_signed, chain, authority) if asked else None)
    return None


def _client_ca_path(profile: Profile) -> t.Any:
    """clientCAFile of the kubelet's configuration; None: not configured."""
    return config(profile, unit_lines(profile.unit)).get("client_ca_file")


def _client_ca(path: t.Any) -> tuple[t.Any, t.Any]:
    """The file, and the first certificate in it."""
    return (attempt(describe, path), attempt(_first, path)) if isinstance(path, str) else (path, path)


def _first(path: str) -> Certificate | None:
    text = read_or_none(path)
    return None if text is None else _evidence(path, x509.certificates(text)[0], None, None)


def _evidence(path: str, found: x509.X509, matches: t.Any, signed: t.Any) -> Certificate:
    return Certificate(
        path=path,
        common_name=found.common_name,
        organizations=found.organizations,
        issuer=found.issuer_text,
        serial=found.serial,
        not_before=found.not_before,
        not_after=found.not_after,
        key_matches=matches,
        signed_by_ca=signed,
        usages=found.usages,
        fingerprint=hashlib.sha256(found.encoded).hexdigest(),
    )
