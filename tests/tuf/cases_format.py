# SPDX-License-Identifier: Apache-2.0
"""Section 4: the form of documents; what is signed rightly and makes no sense."""

import json

from harness import case
from repo import Key, canonical


def signed(role, change, reason, delegated=False):
    """A document that its keys have signed after this change."""
    def run(repo, c):
        repo.delegate("targets", "a")
        repo.add("targets", "x", b"x")
        repo.publish_all()
        c.ok(c.init())
        change(repo.docs[role])
        repo.docs[role]["version"] = repo.docs[role].get("version", 1)
        if role == "root":
            if repr(repo.docs[role]["version"]) == "1":
                repo.docs[role]["version"] = 2
            repo.put(role, repo.envelope(role), "metadata/2.root.json")
        elif role == "timestamp":
            repo.put(role, repo.envelope(role))
        else:
            repo.put(role, repo.envelope(role))
            repo.publish(*(["timestamp"] if role == "snapshot" else ["snapshot", "timestamp"]))
        if reason:
            c.refused(c.refresh(), reason)
        else:
            c.ok(c.refresh())
    return run


def put(*path_and_value):
    *path, value = path_and_value

    def change(doc):
        for part in path[:-1]:
            doc = doc[part]
        doc[path[-1]] = value
    return change


def drop(*path):
    def change(doc):
        for part in path[:-1]:
            doc = doc[part]
        del doc[path[-1]]
    return change


ROLE = ("delegations", "roles", 0)
FORMS = [
    ("root", "without spec_version", drop("spec_version"), "malformed"),
    ("root", "of version 2 of the specification", put("spec_version", "2.0.0"), "unsupported-format"),
    ("root", "of version 10 of the specification", put("spec_version", "10.1"), "unsupported-format"),
    ("root", "of version 1.9.9 of the specification", put("spec_version", "1.9.9"), None),
    ("root", "of version 1.0 of the specification", put("spec_version", "1.0"), None),
    ("root", "of version '1' of the specification", put("spec_version", "1"), "malformed"),
    ("root", "of version '1.x' of the specification", put("spec_version", "1.x"), "malformed"),
    ("root", "with a spec_version that is a number", put("spec_version", 1), "malformed"),
    ("root", "with a version that is text", put("version", "2"), "malformed"),
    ("root", "of version 0", put("version", 0), "malformed"),
    ("root", "of version -1", put("version", -1), "malformed"),
    ("root", "of version true", put("version", True), "malformed"),
    ("root", "without expires", drop("expires"), "malformed"),
    ("root", "that expires at a time with an offset", put("expires", "2099-01-01T00:00:00+00:00"), "malformed"),
    ("root", "that expires on 30 February", put("expires", "2099-02-30T00:00:00Z"), "malformed"),
    ("root", "that expires on a day", put("expires", "2099-02-03"), "malformed"),
    ("root", "that expires at a fraction of a second", put("expires", "2099-02-03T00:00:00.5Z"), "malformed"),
    ("root", "that expires on 29 February of a leap year", put("expires", "2096-02-29T00:00:00Z"), None),
    ("root", "without roles", drop("roles"), "malformed"),
    ("root", "without the timestamp's role", drop("roles", "timestamp"), "malformed"),
    ("root", "with one more role", lambda d: d["roles"].update(mirrors=d["roles"]["timestamp"]), None),
    ("root", "with keys that are a list", put("keys", []), "malformed"),
    ("root", "with a key that is text", lambda d: d["keys"].update({"0": "x"}), "malformed"),
    ("root", "with a threshold of 1.0", put("roles", "snapshot", "threshold", "1"), "malformed"),
    ("root", "with a consistent_snapshot that is text", put("consistent_snapshot", "true"), "malformed"),
    ("timestamp", "that lists no snapshot", drop("meta", "snapshot.json"), "malformed"),
    ("timestamp", "that lists a snapshot without a version", put("meta", "snapshot.json", {"length": 10}), "malformed"),
    ("timestamp", "that lists snapshot 0", put("meta", "snapshot.json", {"version": 0}), "malformed"),
    ("timestamp", "that lists a snapshot of 0 bytes", put("meta", "snapshot.json", "length", 0), "malformed"),
    ("timestamp", "that lists a snapshot of -1 bytes", put("meta", "snapshot.json", "length", -1), "malformed"),
    ("timestamp", "with hashes that are a list", put("meta", "snapshot.json", "hashes", ["x"]), "malformed"),
    ("timestamp", "with hashes, and none of them", put("meta", "snapshot.json", "hashes", {}), "malformed"),
    ("timestamp", "with a hash that is a number", put("meta", "snapshot.json", "hashes", {"sha256": 5}), "malformed"),
    ("timestamp", "of another type", put("_type", "snapshot"), "wrong-type"),
    ("timestamp", "without a type", drop("_type"), "malformed"),
    ("timestamp", "with a time of issue, our own member", put("issued", "2026-01-01T00:00:00Z"), None),
    ("timestamp", "with a time of issue that is somebody else's", put("issued", {"by": 5}), None),
    ("snapshot", "with meta that is a list", put("meta", []), "malformed"),
    ("snapshot", "with an entry that is a number", put("meta", "x.json", 5), "malformed"),
    ("snapshot", "with an entry without a version", put("meta", "x.json", {}), "malformed"),
    ("snapshot", "of another type", put("_type", "targets"), "wrong-type"),
    ("targets", "of another type", put("_type", "snapshot"), "wrong-type"),
    ("targets", "without targets", drop("targets"), "malformed"),
    ("targets", "with a target without a length", drop("targets", "x", "length"), "malformed"),
    ("targets", "with a target of a negative length", put("targets", "x", "length", -1), "malformed"),
    ("targets", "with a target without hashes", drop("targets", "x", "hashes"), "malformed"),
    ("targets", "with a target whose hashes are none", put("targets", "x", "hashes", {}), "malformed"),
    ("targets", "with a target whose custom is text", put("targets", "x", "custom", "x"), "malformed"),
    ("targets", "with delegations without keys", drop("delegations", "keys"), "malformed"),
    ("targets", "with delegations without roles", drop("delegations", "roles"), "malformed"),
    ("targets", "with delegations that are null", put("delegations", None), None),
    ("targets", "with no delegations", drop("delegations"), None),
    ("targets", "with roles and succinct roles", put("delegations", "succinct_roles", {}), "malformed"),
    ("targets", "with one role delegated to twice", lambda d: d["delegations"]["roles"].append(d["delegations"]["roles"][0]),
     "malformed"),
    ("targets", "with a delegation that does not say whether it is terminating", drop(*ROLE, "terminating"), "malformed"),
    ("targets", "with a delegation without paths", drop(*ROLE, "paths"), "malformed"),
    ("targets", "with a delegation by paths and hash prefixes", put(*ROLE, "path_hash_prefixes", ["00"]), "malformed"),
    ("targets", "with a delegation of a path that is a number", put(*ROLE, "paths", [5]), "malformed"),
    ("targets", "with a delegation without key ids", drop(*ROLE, "keyids"), "malformed"),
    ("targets", "with a delegation of a threshold of 0", put(*ROLE, "threshold", 0), "malformed"),
    ("targets", "with a delegation that lists a key id twice", lambda d: d["delegations"]["roles"][0]["keyids"].append(
        d["delegations"]["roles"][0]["keyids"][0]), "malformed"),
    ("targets", "with a delegation without a name", drop(*ROLE, "name"), "malformed"),
]

for _role, _what, _change, _reason in FORMS:
    case(f"4: a {_role} {_what}: {_reason or 'accepted'}")(signed(_role, _change, _reason))


def bins(**members):
    def run(repo, c):
        key = Key()
        repo.docs["targets"]["delegations"] = {"keys": {key.id: key.object}, "succinct_roles": {
            "keyids": [key.id], "threshold": 1, "bit_length": 4, "name_prefix": "bin", **members}}
        repo.publish_all()
        c.ok(c.init())
        c.refused(c.refresh(), "malformed")
    return run


case("TAP 15: 0 bits are refused")(bins(bit_length=0))
case("TAP 15: 33 bits are refused")(bins(bit_length=33))
case("TAP 15: a prefix that is not text is refused")(bins(name_prefix=5))


# ---- the file around it

def text(make, reason):
    """What the server has as timestamp.json."""
    def run(repo, c):
        c.ok(c.init())
        repo.files["metadata/timestamp.json"] = make(repo)
        if reason:
            c.refused(c.refresh(), reason)
            assert c.stored() == ["root.json"]
        else:
            c.ok(c.refresh())
            assert c.bytes_of("timestamp") == repo.files["metadata/timestamp.json"]
    return run


def edited(old, new):
    return lambda repo: repo.current["timestamp"].replace(old, new, 1)


def canonical_file(repo):
    return canonical(json.loads(repo.current["timestamp"])).encode()


def escaped(repo):
    return json.dumps(json.loads(repo.current["timestamp"])).replace("timestamp", "\\u0074imestamp").encode()


FILES = [
    ("byte for byte, with a space at the end", lambda repo: repo.current["timestamp"] + b" ", None),
    ("in canonical form", canonical_file, None),
    ("with letters written as escapes", escaped, None),
    ("with a member beside signed and signatures",
     lambda repo: repo.current["timestamp"].rstrip()[:-1] + b', "more": 1}', None),
    ("empty", lambda repo: b"", "malformed"),
    ("no JSON", lambda repo: b"<html>not found</html>", "malformed"),
    ("a list", lambda repo: b"[]", "malformed"),
    ("cut off", lambda repo: repo.current["timestamp"][:-20], "malformed"),
    ("followed by another document", lambda repo: repo.current["timestamp"] * 2, "malformed"),
    ("with one member twice", edited(b'"_type"', b'"version": 7, "_type"'), "malformed"),
    ("with a float", edited(b'"version": 1', b'"version": 1.0'), "malformed"),
    ("with an integer beyond 64 bits", edited(b'"version": 1', b'"version": 99999999999999999999'), "malformed"),
    ("with a NUL", edited(b'"1.0.34"', b'"1.0.34\\u0000"'), "malformed"),
    ("not UTF-8", edited(b'"1.0.34"', b'"1.0.34\xff"'), "malformed"),
    ("nested 2000 levels deep",
     lambda repo: b'{"signatures": [], "signed": {"a":' + b"[" * 2000 + b"]" * 2000 + b"}}", "malformed"),
    ("without signatures", lambda repo: json.dumps({"signed": repo.docs["timestamp"]}).encode(), "malformed"),
    ("without signed", lambda repo: b'{"signatures": []}', "malformed"),
    ("with signed in a string", lambda repo: json.dumps({"signatures": [], "signed": "x"}).encode(), "malformed"),
]
for _what, _make, _reason in FILES:
    case(f"4.1: a file {_what}: {_reason or 'accepted'}")(text(_make, _reason))


@case("4.1: strings of every kind, as others write the canonical form")
def _(repo, c):
    repo.docs["timestamp"]["strings"] = {
        "line\nfeed": "tab\t, \u007f, \u0085", "quote\"": "back\\slash", "é": "\U0001f600", "z\U0001f600": 1,
        "z\uffff": -2**63, "z": 2**63 - 1, "": [None, True, False, [], {}]}
    repo.publish("timestamp")
    c.started()
    c.versions(timestamp=2)


@case("4.1: members whose order differs in UTF-16 and UTF-8")
def _(repo, c):
    repo.docs["timestamp"]["order"] = {"\uff5e": 1, "\U00010000": 2, "a": 3, "B": 4}
    repo.publish("timestamp")
    c.started()
