# SPDX-License-Identifier: Apache-2.0
"""python-tuf beside us: reads a repository, and writes one of the same shape.

    peer.py read URL ROOT WORK TARGET...       refresh and download; prints each target's SHA-256
    peer.py write DIR KEY FILE CUSTOM          a repository with one bundle, every role signed with KEY (PEM), snapshot with a
                                               P-256 key besides
"""
import datetime
import hashlib
import json
import os
import shutil
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer import Signature, Signer, SSlibKey
from securesystemslib.signer._utils import compute_default_keyid
from tuf.api.metadata import (DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets,
                              Timestamp)
from tuf.ngclient import Updater


class PemSigner(Signer):
    """What securesystemslib's own CryptoSigner does; that one wants a newer 'cryptography' than Debian 12 has."""

    def __init__(self, key):
        self.key = key
        public = key.public_key()
        if isinstance(key, ed25519.Ed25519PrivateKey):
            kind = ("ed25519", "ed25519")
            text = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        else:
            kind = ("ecdsa", "ecdsa-sha2-nistp256")
            text = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        keyval = {"public": text}
        self._public_key = SSlibKey(compute_default_keyid(*kind, keyval), *kind, keyval)

    @property
    def public_key(self):
        return self._public_key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri, public_key, secrets_handler=None):
        raise NotImplementedError

    def sign(self, payload):
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            sig = self.key.sign(payload)
        else:
            sig = self.key.sign(payload, ec.ECDSA(hashes.SHA256()))
        return Signature(self.public_key.keyid, sig.hex())


def read(url, root, work, *targets):
    for sub in ("metadata", "targets"):
        os.makedirs(os.path.join(work, sub))
    shutil.copy(root, os.path.join(work, "metadata", "root.json"))
    updater = Updater(os.path.join(work, "metadata"), url + "/metadata/", os.path.join(work, "targets"), url + "/targets/")
    updater.refresh()
    for target in targets:
        info = updater.get_targetinfo(target)
        if info is None:
            sys.exit(f"{target}: not listed")
        with open(updater.download_target(info), "rb") as f:
            print(hashlib.sha256(f.read()).hexdigest(), target, json.dumps(info.custom, sort_keys=True))


def write(folder, key_file, bundle, custom):
    with open(key_file, "rb") as f:
        signer = PemSigner(serialization.load_pem_private_key(f.read(), None))
    second = PemSigner(ec.generate_private_key(ec.SECP256R1()))
    custom = json.loads(custom)
    name = f"bundles/{custom['bundle']}-{custom['version']}.tar.zst"
    for sub in ("metadata", "targets/bundles", "targets/rollouts"):
        os.makedirs(os.path.join(folder, sub))
    expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)
    common = {"version": 1, "expires": expires}

    def save(file_name, signed, *signers):
        metadata = Metadata(signed)
        for one in signers:
            metadata.sign(one, append=True)
        data = metadata.to_bytes()
        with open(os.path.join(folder, "metadata", file_name), "wb") as f:
            f.write(data)
        return MetaFile(1, len(data), {"sha256": hashlib.sha256(data).hexdigest()})

    keyid = signer.public_key.keyid
    root = Root(**common, consistent_snapshot=True)
    for role in ("root", "targets", "snapshot", "timestamp"):
        root.add_key(signer.public_key, role)
    root.add_key(second.public_key, "snapshot")
    root.roles["snapshot"].threshold = 2
    save("1.root.json", root, signer)

    roles = {role: DelegatedRole(role, [keyid], 1, True, [f"{role}/*"]) for role in ("bundles", "rollouts")}
    entry = TargetFile.from_file(name, bundle, ["sha256"])
    entry.unrecognized_fields["custom"] = custom
    shutil.copy(bundle, os.path.join(folder, "targets/bundles", f"{entry.hashes['sha256']}.{os.path.basename(name)}"))
    targets = Targets(**common, delegations=Delegations({keyid: signer.public_key}, roles))
    meta = {"targets.json": save("1.targets.json", targets, signer),
            "bundles.json": save("1.bundles.json", Targets(**common, targets={name: entry}), signer),
            "rollouts.json": save("1.rollouts.json", Targets(**common), signer)}
    # Of the delegated roles length and hashes are left out: they are optional.
    meta["rollouts.json"] = MetaFile(1)
    snapshot = save("1.snapshot.json", Snapshot(**common, meta=meta), signer, second)
    save("timestamp.json", Timestamp(**common, snapshot_meta=snapshot), signer)
    print(keyid)


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
