# SPDX-License-Identifier: Apache-2.0
"""Section 4.2: keys, signatures, thresholds."""

import base64
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import case
from repo import Key

KINDS = {
    "Ed25519": ("ed25519", None),
    "ECDSA on P-256": ("ecdsa", None),
    "ECDSA, as older repositories name it": ("ecdsa-sha2-nistp256", None),
    "RSA-PSS": ("rsa", None),
    "RSA-PSS with the longest salt": ("rsa-max-salt", None),
    "RSA PKCS#1 1.5": ("rsa", "rsa-pkcs1v15-sha256"),
}


def kind(keytype, scheme):
    def run(repo, c):
        c.ok(c.init())
        key = Key(keytype, scheme)
        repo.set_keys("root", [*repo.signers["root"], key], 2)
        repo.publish("root")
        c.ok(c.refresh())
        c.versions(root=2)
        # Right in form, and of something else.
        repo.docs["root"]["version"] = 3
        bad = repo.envelope("root")
        bad["signatures"][1]["sig"] = key.sign(b"something else")
        repo.put("root", bad)
        c.refused(c.refresh(), "bad-signature")
        c.versions(root=2)
    return run


for _name, _args in KINDS.items():
    case(f"4.2: {_name}: a right signature counts, a wrong one does not")(kind(*_args))


def everywhere(keytype, scheme):
    def run(repo, c):
        for role in ("timestamp", "snapshot", "targets"):
            repo.set_keys(role, [Key(keytype, scheme)])
        repo.delegate("targets", "a", keys=[Key(keytype, scheme)])
        repo.add("a", "x", b"x")
        repo.publish("root")
        repo.publish_all()
        c.ok(c.init())
        c.ok(c.download("x"))
    return run


for _name in ("ECDSA on P-256", "RSA-PSS"):
    case(f"4.2: {_name} for every role")(everywhere(*KINDS[_name]))


@case("4.2: a key's other members do no harm, in the form that is signed they stay")
def _(repo, c):
    c.started()
    key = Key().again(None, **{"extra-field": {"a": 1, "b": 2}, "keyid_hash_algorithms": ["md5"]})
    repo.docs["root"]["custom-field"] = "value \\ with \" and é"
    repo.set_keys("root", [*repo.signers["root"], key], 2)
    repo.docs["root"]["roles"]["root"]["another-field"] = "value"
    repo.publish("root")
    c.ok(c.refresh())
    c.versions(root=2)


@case("4.2: a key id is whatever the root says it is")
def _(repo, c):
    repo.set_keys("timestamp", [Key().again("the timestamp's key")])
    repo.publish("root", "timestamp")
    c.ok(c.init())
    c.ok(c.refresh())


@case("4.2: a kind of key that is not known cannot sign, and harms nobody")
def _(repo, c):
    strange = Key().again(None, keytype="ed9000", scheme="ed9000")
    repo.set_keys("timestamp", [strange, *repo.signers["timestamp"]])
    repo.publish("root", "timestamp")
    c.ok(c.init())
    c.ok(c.refresh())
    repo.set_keys("timestamp", [strange])
    repo.publish("root", "timestamp")
    c.refused(c.refresh(), "unknown-key")
    c.versions(root=3, timestamp=None)


def damaged(public):
    def run(repo, c):
        key = Key("ecdsa") if public and "PUBLIC" in public else Key()
        broken = key.again(None, keyval={"public": public})
        repo.set_keys("timestamp", [broken, *repo.signers["timestamp"]])
        repo.publish("root", "timestamp")
        c.ok(c.init())
        c.ok(c.refresh())
    return run


for _what, _public in (("not hex", "zz" * 32), ("too short", "00" * 31),
                       ("no PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")):
    case(f"4.2: a damaged key ({_what}) cannot sign, and harms nobody")(damaged(_public))


@case("4.2: a key of another curve, named as P-256, cannot sign")
def _(repo, c):
    key = Key("ecdsa")
    key.secret = ec.generate_private_key(ec.SECP256K1())
    key.object["keyval"]["public"] = key.secret.public_key().public_bytes(serialization.Encoding.PEM,
                                                                        serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    key.id = key.made_id()
    repo.set_keys("timestamp", [key])
    repo.publish("root", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "unknown-key")


# ---- thresholds

@case("4.2: fewer signatures than the threshold")
def _(repo, c):
    keys = [Key() for _ in range(3)]
    repo.set_keys("snapshot", keys, 3)
    repo.publish("root")
    repo.publish_all()
    c.started()
    repo.signers["snapshot"] = keys[:2]
    repo.publish_all()
    c.refused(c.refresh(), "threshold-not-met")
    c.versions(snapshot=2, timestamp=3)


@case("4.2: a threshold above the number of keys can never be met")
def _(repo, c):
    c.ok(c.init())
    keys = [Key() for _ in range(5)]
    repo.set_keys("snapshot", keys, 6)
    repo.publish("root", "snapshot", "timestamp")
    c.refused(c.refresh(), "threshold-not-met")
    c.versions(root=2, snapshot=None)


@case("4.2: keys that the root has and the role does not list are strangers")
def _(repo, c):
    keys = [Key(), Key()]
    repo.set_keys("snapshot", keys, 2)
    repo.docs["root"]["roles"]["snapshot"]["keyids"] = [keys[0].id]
    repo.publish("root", "snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "threshold-not-met")


@case("4.2: one key under ten ids is one key")
def _(repo, c):
    key = Key()
    many = [key.again(f"{n:064x}") for n in range(10)]
    repo.set_keys("snapshot", many, 2)
    repo.publish("root", "snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "threshold-not-met")
    c.versions(root=2, snapshot=None)


@case("4.2: one key under two ids and another key are two keys")
def _(repo, c):
    key = Key()
    repo.set_keys("snapshot", [key, key.again("0" * 64), Key()], 2)
    repo.publish("root", "snapshot", "timestamp")
    c.ok(c.init())
    c.ok(c.refresh())


@case("4.2: one ECDSA key, its point written in two ways, is one key")
def _(repo, c):
    key = Key("ecdsa")
    point = key.secret.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    der = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    text = "-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der).decode() + "-----END PUBLIC KEY-----\n"
    compressed = key.again(None, keyval={"public": text})
    repo.set_keys("snapshot", [compressed])
    repo.publish("root", "snapshot", "timestamp")
    c.started()
    repo.set_keys("snapshot", [key, compressed], 2)
    repo.publish("root", "snapshot", "timestamp")
    c.refused(c.refresh(), "threshold-not-met")


@case("4.2: one RSA key with two schemes is one key")
def _(repo, c):
    repo.set_keys("snapshot", [Key("rsa"), Key("rsa", "rsa-pkcs1v15-sha256")], 2)
    repo.publish("root", "snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "threshold-not-met")


@case("4.2: one key under two ids, for the root itself")
def _(repo, c):
    c.ok(c.init())
    key = repo.signers["root"][0]
    repo.set_keys("root", [key, key.again("f" * 64)], 2)
    repo.publish("root")
    c.refused(c.refresh(), "threshold-not-met")
    c.versions(root=1)


@case("4.2: a role that lists one key id twice is refused")
def _(repo, c):
    c.ok(c.init())
    repo.docs["root"]["roles"]["snapshot"]["keyids"] *= 2
    repo.publish("root")
    c.refused(c.refresh(), "malformed")
    c.versions(root=1)


@case("4.2: a threshold of 0 is refused")
def _(repo, c):
    c.ok(c.init())
    repo.docs["root"]["roles"]["snapshot"]["threshold"] = 0
    repo.publish("root")
    c.refused(c.refresh(), "malformed")


# ---- signatures

def signatures(change, reason):
    def run(repo, c):
        c.ok(c.init())
        envelope = json.loads(repo.current["snapshot"])
        change(envelope["signatures"])
        repo.put("snapshot", envelope)
        if reason:
            c.refused(c.refresh(), reason)
            c.versions(snapshot=None)
        else:
            c.ok(c.refresh())
    return run


def twice(sigs):
    sigs.append(dict(sigs[0]))


def empty_one(sigs):
    sigs.insert(0, {"keyid": Key().id, "sig": ""})


def capitals(sigs):
    sigs[0]["sig"] = sigs[0]["sig"].upper()


def many(sigs):
    sigs += [{"keyid": f"{n:064x}", "sig": "00"} for n in range(64)]


case("4.2.1: two signatures with one key id are refused, even when one would do")(signatures(twice, "malformed"))
case("4.2.1: nobody has signed")(signatures(list.clear, "unknown-key"))
case("4.2.1: the signature of a stranger, empty, does no harm")(signatures(empty_one, None))
case("4.2.1: a signature in capitals")(signatures(capitals, None))
case("4.2.1: a signature cut in half")(signatures(lambda s: s[0].update(sig=s[0]["sig"][:64]), "bad-signature"))
case("4.2.1: a signature with an odd number of digits")(signatures(lambda s: s[0].update(sig=s[0]["sig"][:-1]), "bad-signature"))
case("4.2.1: a signature that is not hex")(signatures(lambda s: s[0].update(sig="no hex at all!"), "bad-signature"))
case("4.2.1: a signature of 1025 bytes")(signatures(lambda s: s[0].update(sig="00" * 1025), "bad-signature"))
case("4.2.1: a signature that is a number")(signatures(lambda s: s[0].update(sig=1), "malformed"))
case("4.2.1: a signature without a key id")(signatures(lambda s: s[0].pop("keyid"), "malformed"))
case("4.2.1: a key id of 129 bytes")(signatures(lambda s: s[0].update(keyid="0" * 129), "malformed"))
case("4.2.1: more than 64 signatures")(signatures(many, "malformed"))
case("4.2.1: members of a signature that are not known do no harm")(signatures(lambda s: s[0].update(method="x", n=[1]), None))


@case("4.2.1: a wrong signature beside a right one does no harm: the threshold is met")
def _(repo, c):
    c.ok(c.init())
    old = repo.signers["timestamp"][0]
    new = Key()
    repo.set_keys("timestamp", [old, new])
    repo.publish("root", "timestamp")
    envelope = json.loads(repo.current["timestamp"])
    for sig in envelope["signatures"]:
        if sig["keyid"] == old.id:
            sig["sig"] = old.sign(b"something else")
    repo.put("timestamp", envelope)
    c.ok(c.refresh())
    repo.publish("timestamp")
    envelope = json.loads(repo.current["timestamp"])
    for sig in envelope["signatures"]:
        if sig["keyid"] == old.id:
            sig["sig"] = ""
    repo.put("timestamp", envelope)
    c.ok(c.refresh())
    c.versions(timestamp=3)


def rotated(keys, threshold, signers, good):
    def run(repo, c):
        made = [Key() for _ in range(6)]
        c.ok(c.init())
        for role in ("timestamp", "snapshot", "targets"):
            repo.set_keys(role, [made[i] for i in keys], threshold, [made[i] for i in signers])
            repo.publish("root")
            repo.publish_all()
            if not good:
                c.refused(c.refresh())
                return
            c.ok(c.refresh())
            assert c.bytes_of(role) == repo.current[role]
    return run


for _name, _keys, _threshold, _signers, _good in (
        ("another key", [2], 1, [2], True), ("strangers sign, too", [1], 1, [3, 1, 4], True),
        ("not by the new key", [2], 1, [1, 3], False),
        ("3 of 5", [0, 1, 2, 3, 4], 3, [4, 0, 2], True), ("2 of 5 and a stranger", [0, 1, 3, 4, 5], 3, [0, 2, 4], False)):
    case(f"6.1: online keys: {_name}: {'accepted' if _good else 'refused'}")(rotated(_keys, _threshold, _signers, _good))


@case("6.1: a document of one role, signed by the keys of another, is refused")
def _(repo, c):
    c.ok(c.init())
    repo.publish("timestamp", signers=repo.signers["snapshot"])
    c.refused(c.refresh(), "unknown-key")


@case("4.3: a snapshot that looks like a timestamp, signed by the timestamp's key, is refused")
def _(repo, c):
    c.ok(c.init())
    repo.docs["snapshot"]["meta"]["snapshot.json"] = {"version": 1}
    repo.docs["snapshot"]["version"] = 2
    repo.files["metadata/timestamp.json"] = json.dumps(repo.envelope("snapshot", repo.signers["timestamp"])).encode()
    c.refused(c.refresh(), "wrong-type")
    assert c.stored() == ["root.json"]


@case("4.3: targets in the place of a delegated role, signed by its key: what they delegate counts there only")
def _(repo, c):
    repo.delegate("targets", "a", ["a/*"])
    repo.add("a", "a/x", b"x")
    repo.add("a", "elsewhere", b"y")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("a/x"))
    c.refused(c.download("elsewhere"), "unknown-target")
