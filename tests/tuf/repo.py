# SPDX-License-Identifier: Apache-2.0
"""A TUF repository written by something that shares no code with lib/: the canonical form, key ids and signatures are made here
from the specification (1.0.34), with Python's `cryptography`. Documents are plain dictionaries, so that a test can write down
anything; `publish` signs what is there."""

import copy
import hashlib
import json
import time
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

TOP = ("root", "timestamp", "snapshot", "targets")
DAY = 86400
_rsa_keys = []


def canonical(v):
    """OLPC's canonical JSON: sorted keys, no space, only " and \\ escaped."""
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    if isinstance(v, str):
        return '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(v, list):
        return "[" + ",".join(canonical(x) for x in v) + "]"
    return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v)) + "}"


def when(seconds):
    """Seconds from now, as metadata writes a time."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def pem(public):
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Key:
    def __init__(self, kind="ed25519", scheme=None):
        self.kind = kind
        if kind == "ed25519":
            self.secret = ed25519.Ed25519PrivateKey.generate()
            raw = self.secret.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.object = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": raw.hex()}}
        elif kind.startswith("ecdsa"):
            self.secret = ec.generate_private_key(ec.SECP256R1())
            self.object = {"keytype": kind, "scheme": "ecdsa-sha2-nistp256",
                           "keyval": {"public": pem(self.secret.public_key())}}
        else:
            if not _rsa_keys:
                _rsa_keys.append(rsa.generate_private_key(65537, 2048))
            self.secret = _rsa_keys[0]
            self.object = {"keytype": "rsa", "scheme": scheme or "rsassa-pss-sha256",
                           "keyval": {"public": pem(self.secret.public_key())}}
        self.id = self.made_id()

    def made_id(self):
        return hashlib.sha256(canonical(self.object).encode()).hexdigest()

    def again(self, keyid, **changes):
        """The same key under another id, or written differently."""
        k = copy.copy(self)
        k.object = {**copy.deepcopy(self.object), **changes}
        k.id = keyid or k.made_id()
        return k

    def sign(self, data):
        if self.kind == "ed25519":
            return self.secret.sign(data).hex()
        if self.kind.startswith("ecdsa"):
            return self.secret.sign(data, ec.ECDSA(hashes.SHA256())).hex()
        if self.object["scheme"] == "rsa-pkcs1v15-sha256":
            return self.secret.sign(data, padding.PKCS1v15(), hashes.SHA256()).hex()
        salt = padding.PSS.MAX_LENGTH if self.kind == "rsa-max-salt" else 32
        return self.secret.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256()).hex()


class Repo:
    """root 1, timestamp 1, snapshot 1 and targets 1, one key for each, published."""

    def __init__(self, consistent=True, hashes_listed=False):
        self.files = {}      # path -> bytes, or (status, bytes), or a function that returns one of both
        self.requests = []   # paths, as they come
        self.hashes_listed = hashes_listed
        self.consistent = consistent
        self.signers = {role: [Key()] for role in TOP}
        self.current = {}    # role -> bytes
        common = {"spec_version": "1.0.34", "version": 0, "expires": when(30 * DAY)}
        self.docs = {
            "root": {"_type": "root", **common, "consistent_snapshot": consistent, "keys": {}, "roles": {}},
            "timestamp": {"_type": "timestamp", **common, "meta": {}},
            "snapshot": {"_type": "snapshot", **common, "meta": {}},
            "targets": {"_type": "targets", **common, "targets": {}},
        }
        for role in TOP:
            self.set_keys(role, self.signers[role])
        self.publish("targets", "snapshot", "timestamp", "root")
        self.anchor = self.current["root"]

    # ---- keys

    def set_keys(self, role, keys, threshold=1, signers=None):
        """Whose signatures the root asks for, and who signs from now on."""
        root = self.docs["root"]
        root["roles"][role] = {"keyids": [k.id for k in keys], "threshold": threshold}
        root["keys"].update({k.id: k.object for k in keys})
        used = {i for r in root["roles"].values() for i in r["keyids"]}
        root["keys"] = {i: k for i, k in root["keys"].items() if i in used}
        self.signers[role] = list(keys if signers is None else signers)

    def rotate(self, role):
        self.set_keys(role, [Key()])

    # ---- documents

    def envelope(self, role, signers=None):
        data = canonical(self.docs[role]).encode()
        sigs = [{"keyid": k.id, "sig": k.sign(data)} for k in (self.signers[role] if signers is None else signers)]
        return {"signatures": sigs, "signed": self.docs[role]}

    def name(self, role, version=None):
        versioned = role == "root" or (self.consistent and role != "timestamp")
        n = version or self.docs[role]["version"]
        return "metadata/" + (f"{n}." if versioned else "") + quote(role, "") + ".json"

    def put(self, role, envelope, name=None):
        """Served as it is; listed by whoever lists it."""
        data = envelope if isinstance(envelope, bytes) else json.dumps(envelope, indent=1).encode()
        self.current[role] = data
        self.files[name or self.name(role)] = data
        entry = {"version": self.docs[role]["version"]}
        if self.hashes_listed:
            entry.update(length=len(data), hashes={"sha256": hashlib.sha256(data).hexdigest()})
        if role == "snapshot":
            self.docs["timestamp"]["meta"]["snapshot.json"] = entry
        elif role not in ("root", "timestamp"):
            self.docs["snapshot"]["meta"][role + ".json"] = entry

    def publish(self, *roles, bump=True, signers=None):
        for role in roles:
            if bump:
                self.docs[role]["version"] += 1
            self.put(role, self.envelope(role, signers))

    def publish_all(self):
        self.publish(*[r for r in self.docs if r not in TOP], "targets", "snapshot", "timestamp")

    # ---- targets

    def delegate(self, parent, role, paths=("*",), terminating=False, keys=None, threshold=1, **members):
        """A role of its own key, last in the parent's list."""
        keys = keys or [Key()]
        d = self.docs[parent].setdefault("delegations", {"keys": {}, "roles": []})
        d["keys"].update({k.id: k.object for k in keys})
        entry = {"name": role, "keyids": [k.id for k in keys], "threshold": threshold, "terminating": terminating}
        if paths is not None:
            entry["paths"] = list(paths)
        d["roles"].append({**entry, **members})
        if role not in self.docs:
            self.docs[role] = {"_type": "targets", "spec_version": "1.0.34", "version": 0, "expires": when(30 * DAY),
                               "targets": {}}
            self.signers[role] = list(keys)
        return keys

    def add(self, role, path, data, algorithms=("sha256",), **members):
        listed = {a: hashlib.new(a, data).hexdigest() for a in algorithms}
        self.docs[role]["targets"][path] = {"length": len(data), "hashes": listed, **members}
        for h in listed.values():
            self.serve(path, data, h)

    def serve(self, path, data, digest=None):
        folder, slash, base = path.rpartition("/")
        name = f"{folder}{slash}{digest}.{base}" if self.consistent and digest else path
        self.files["targets/" + quote(name, "/%:@!$&'()*+,;=")] = data

    # ---- what was asked for

    def metadata_requests(self):
        return [p[len("metadata/"):] for p in self.requests if p.startswith("metadata/")]

    def target_requests(self):
        return [p[len("targets/"):] for p in self.requests if p.startswith("targets/")]
