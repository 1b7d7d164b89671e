# SPDX-License-Identifier: Apache-2.0
"""Section 5.6: targets and delegated roles."""

import hashlib

from harness import case
from repo import DAY, Key, when

REST = 4  # requests of a first update before any delegated role


@case("5.6: the targets that are listed are not there")
def _(repo, c):
    c.started()
    repo.docs["snapshot"]["meta"]["targets.json"]["version"] = 2
    repo.publish("snapshot", "timestamp")
    c.failed(c.refresh(), "has no 2.targets.json")
    c.asked("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")
    c.versions(timestamp=2, snapshot=2, targets=1)


@case("5.6: a snapshot that lists no targets")
def _(repo, c):
    del repo.docs["snapshot"]["meta"]["targets.json"]
    repo.publish("snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "mixed-metadata")


@case("5.6.2: targets of another hash are refused; the snapshot is stored")
def _(repo, c):
    repo.docs["snapshot"]["meta"]["targets.json"]["hashes"] = {"sha256": hashlib.sha256(b"x").hexdigest()}
    repo.publish("snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "digest-mismatch")
    c.versions(snapshot=2, targets=None)


@case("5.6.2: targets of another length are refused")
def _(repo, c):
    repo.docs["snapshot"]["meta"]["targets.json"]["length"] = len(repo.current["targets"]) + 1
    repo.publish("snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "length-mismatch")


@case("5.6.4: older targets under the name of the newer ones are refused")
def _(repo, c):
    old = repo.current["targets"]
    c.started()
    repo.publish_all()
    repo.files["metadata/2.targets.json"] = old
    c.refused(c.refresh(), "mixed-metadata")
    c.versions(snapshot=2, targets=1)


@case("5.6.4: targets newer than listed are refused")
def _(repo, c):
    c.ok(c.init())
    repo.docs["targets"]["version"] = 5
    repo.put("targets", repo.envelope("targets"), "metadata/1.targets.json")
    c.refused(c.refresh(), "mixed-metadata")
    c.versions(snapshot=1, targets=None)


@case("5.6.5: expired targets are refused, and not stored")
def _(repo, c):
    c.started()
    repo.docs["targets"]["expires"] = when(-DAY)
    repo.publish_all()
    c.refused(c.refresh(), "expired")
    c.versions(timestamp=2, snapshot=2, targets=1)


@case("5.6.5: stored targets that have expired are asked for again, and refused while they are the same")
def _(repo, c):
    repo.docs["targets"]["expires"] = when(DAY)
    repo.publish_all()
    c.started()
    c.refused(c.refresh(days=2), "expired")
    repo.docs["targets"]["expires"] = when(29 * DAY)
    repo.publish_all()
    c.ok(c.refresh(days=2))
    c.versions(targets=3)


GRAPHS = [  # (parent, role, options)..., the order in which roles are asked for
    ("one delegation", [("targets", "A", {})], "A"),
    ("two side by side", [("targets", "A", {}), ("targets", "B", {})], "AB"),
    ("one below another", [("targets", "A", {}), ("targets", "B", {}), ("B", "C", {})], "ABC"),
    ("depth first", [("targets", "A", {}), ("targets", "B", {}), ("A", "C", {}), ("A", "D", {})], "ACDB"),
    ("depth first, three levels", [("targets", "A", {}), ("targets", "B", {}), ("A", "C", {}), ("C", "D", {})], "ACDB"),
    ("a terminating role ends the search", [("targets", "A", {}), ("targets", "B", {}), ("A", "C", {"terminating": True}),
                                            ("A", "D", {})], "AC"),
    ("but not below it", [("targets", "A", {}), ("targets", "B", {}), ("A", "C", {"terminating": True}), ("C", "D", {})], "ACD"),
    ("a terminating role for other paths does not", [("targets", "A", {"terminating": True, "paths": ["x/*"]}),
                                                     ("targets", "B", {})], "B"),
    ("other paths are passed over", [("targets", "A", {"paths": ["*.py"]}), ("targets", "B", {}), ("A", "C", {})], "B"),
    ("also further below", [("targets", "A", {}), ("targets", "B", {}), ("A", "C", {"paths": ["*.py"]}), ("C", "D", {})], "AB"),
    ("a cycle", [("targets", "A", {}), ("targets", "B", {}), ("B", "C", {}), ("C", "D", {}), ("D", "B", {"shared": True})],
     "ABCD"),
    ("a role with two parents is visited once", [("targets", "A", {}), ("targets", "B", {}), ("B", "C", {"shared": True}),
                                                 ("A", "C", {"shared": True})], "ACB"),
    ("a role with two parents, the first for other paths",
     [("targets", "A", {}), ("targets", "B", {}), ("B", "C", {"shared": True}), ("A", "C", {"shared": True, "paths": ["*.py"]})],
     "ABC"),
]


def graph(edges, order):
    def run(repo, c):
        keys = {}
        for parent, role, options in edges:
            options = dict(options)
            shared = options.pop("shared", False)
            keys[role] = repo.delegate(parent, role, keys=keys.get(role) if shared or role in keys else None, **options)
        repo.publish_all()
        c.ok(c.init())
        c.refused(c.download("missing"), "unknown-target")
        assert repo.metadata_requests()[REST:] == [f"1.{r}.json" for r in order], repo.metadata_requests()
        c.refused(c.download("missing"), "unknown-target")
        c.asked("2.root.json", "timestamp.json")
    return run


for _name, _edges, _order in GRAPHS:
    case(f"5.6.7: {_name}")(graph(_edges, _order))

PATTERNS = [  # pattern, path, matches
    ("*", "a", True), ("*", "a/b", False), ("*/*", "a/b", True), ("a/*", "a/b", True), ("a/*", "a/b/c", False),
    ("*.tgz", "foo.tgz", True), ("*.tgz", "a/foo.tgz", False), ("foo-version-?.tgz", "foo-version-2.tgz", True),
    ("foo-version-?.tgz", "foo-version-alpha.tgz", False), ("a?b", "a/b", False), ("?", "é", True), ("??", "é", False),
    ("*a*b*", "xaybz", True), ("*a*b*", "xbya", False), ("[a-c]x", "bx", True), ("[a-c]x", "dx", False), ("[!a-c]x", "dx", True),
    ("a*", "a", True), ("", "a", False), ("a/b", "a/b", True), ("a/*.zip", "a/x.zip", True), ("a*/b", "axx/b", True),
    ("*aaaaaaaaaaaaaaaaaaaa*aaaaaaaaaaaaaaaaaaaab", "a" * 200, False), ("[", "[", True), ("A", "a", False),
]


@case("4.6: path patterns")
def _(repo, c):
    wrong = []
    for n, (pattern, path, matches) in enumerate(PATTERNS):
        repo.delegate("targets", f"r{n}", paths=[f"{n}/" + pattern])
        repo.add(f"r{n}", f"{n}/" + path, b"%d" % n)
    repo.publish_all()
    c.ok(c.init())
    for n, (pattern, path, matches) in enumerate(PATTERNS):
        if (c.download(f"{n}/" + path) == 0) != matches:
            wrong.append((pattern, path, c.said))
    assert not wrong, wrong


@case("5.6.7: found where the paths lead, and only there")
def _(repo, c):
    repo.delegate("targets", "A", ["*.doc", "*.md"])
    repo.delegate("targets", "B", ["releases/*/*"])
    repo.delegate("B", "C", ["releases/x/*"])
    repo.delegate("B", "D", ["releases/y/*.zip"])
    for role, path in (("targets", "targetfile"), ("A", "README.md"), ("C", "releases/x/x_v1"), ("D", "releases/y/y_v1.zip"),
                       ("D", "releases/z/z_v1.zip")):
        repo.add(role, path, path.encode())
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("targetfile"))
    assert len(repo.metadata_requests()) == REST
    for path, roles in (("README.md", ["1.A.json"]), ("releases/x/x_v1", ["1.B.json", "1.C.json"]),
                        ("releases/y/y_v1.zip", ["1.D.json"])):
        c.ok(c.download(path))
        c.asked("2.root.json", "timestamp.json", *roles)
    c.refused(c.download("releases/z/z_v1.zip"), "unknown-target")
    c.has(b"targetfile", b"README.md", b"releases/x/x_v1", b"releases/y/y_v1.zip")


@case("5.6.7: the first role that lists it decides")
def _(repo, c):
    repo.delegate("targets", "A")
    repo.delegate("targets", "B")
    repo.add("A", "x", b"of A")
    repo.add("B", "x", b"of B")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("x"))
    c.has(b"of A")


@case("5.6.7: no more than 32 roles are visited")
def _(repo, c):
    parent = "targets"
    for n in range(34):
        repo.delegate(parent, f"r{n}")
        parent = f"r{n}"
    repo.add("r31", "near", b"near")
    repo.add("r33", "far", b"far")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("near"))
    c.refused(c.download("far"), "unknown-target")
    assert "1.r32.json" not in repo.metadata_requests()


@case("4.6: hash prefixes")
def _(repo, c):
    digest = hashlib.sha256(b"some/deep/path").hexdigest()
    repo.delegate("targets", "other", None, path_hash_prefixes=["%02x" % (int(digest[:2], 16) ^ 1)])
    repo.delegate("targets", "mine", None, path_hash_prefixes=["zz", digest[:4]])
    repo.add("mine", "some/deep/path", b"x")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("some/deep/path"))
    assert repo.metadata_requests()[REST:] == ["1.mine.json"]


@case("TAP 15: succinct delegations to hash bins")
def _(repo, c):
    key = Key()
    repo.docs["targets"]["delegations"] = {"keys": {key.id: key.object}, "succinct_roles": {
        "keyids": [key.id], "threshold": 1, "bit_length": 5, "name_prefix": "bin"}}
    number = int(hashlib.sha256(b"a/file").hexdigest()[:8], 16) >> 27
    for n in range(32):
        repo.docs[f"bin-{n:02x}"] = {"_type": "targets", "spec_version": "1.0.34", "version": 0, "expires": when(DAY),
                                     "targets": {}}
        repo.signers[f"bin-{n:02x}"] = [key]
    repo.add(f"bin-{number:02x}", "a/file", b"x")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("a/file"))
    assert repo.metadata_requests()[REST:] == [f"1.bin-{number:02x}.json"]
    c.refused(c.download("another"), "unknown-target")


ROLE_NAMES = {"?": "%3F", "#": "%23", "/delegatedrole": "%2Fdelegatedrole", "../delegatedrole": "..%2Fdelegatedrole",
              "a b%20": "a%20b%2520", "..": "..", "rôle": "r%C3%B4le", "..\\x\n": "..%5Cx%0A", "~.-_": "~.-_"}


def role_name(role, encoded):
    def run(repo, c):
        repo.delegate("targets", role)
        repo.add(role, "x", b"x")
        repo.publish_all()
        c.ok(c.init())
        c.ok(c.download("x"))
        assert repo.metadata_requests()[REST:] == [f"1.{encoded}.json"], repo.metadata_requests()
        assert len(c.stored()) == 5 and encoded + ".json" in c.stored(), c.stored()
        c.ok(c.download("x"))
        c.asked("2.root.json", "timestamp.json")
    return run


for _role, _encoded in ROLE_NAMES.items():
    case(f"5.6.7: a role named {_role!a} is asked for and stored as {_encoded}")(role_name(_role, _encoded))


def bad_name(role):
    def run(repo, c):
        repo.delegate("targets", "a")
        repo.docs["targets"]["delegations"]["roles"][0]["name"] = role
        repo.publish_all()
        c.ok(c.init())
        c.refused(c.refresh(), "malformed")
        assert c.stored() == ["root.json", "snapshot.json", "timestamp.json"]
    return run


for _role in ("root", "timestamp", "snapshot", "targets", "", "x" * 201):
    case(f"4.6: a delegated role may not be called '{_role[:20]}'{' (201 bytes)' if len(_role) > 20 else ''}")(bad_name(_role))


@case("5.6.7: a delegated role that has expired when it is first seen ends the search")
def _(repo, c):
    repo.delegate("targets", "a", ["d/*"])
    repo.delegate("targets", "b", ["d/*"])
    repo.add("a", "d/x", b"x")
    repo.add("b", "d/x", b"x")
    repo.docs["a"]["expires"] = when(-DAY)
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.refresh())
    c.refused(c.download("d/x"), "expired")
    c.has()
    assert "a.json" not in c.stored() and "b.json" not in c.stored()


@case("5.6.7: a stored delegated role that has expired is used no more, and replaced when there is a newer one")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.add("a", "one", b"1")
    repo.add("a", "two", b"2")
    repo.docs["a"]["expires"] = when(7 * DAY)
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("one"))
    c.refused(c.download("two", days=18), "expired")
    c.has(b"1")
    repo.docs["a"]["expires"] = when(29 * DAY)
    repo.publish_all()
    c.ok(c.download("two", days=18))
    c.has(b"1", b"2")


@case("5.6.7: a delegated role signed by others than its delegation says")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.add("a", "x", b"x")
    repo.signers["a"] = [Key()]
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("x"), "unknown-key")
    assert "a.json" not in c.stored()


@case("5.6.7: a delegated role's threshold")
def _(repo, c):
    keys = [Key(), Key(), Key()]
    repo.delegate("targets", "a", keys=keys, threshold=2)
    repo.add("a", "x", b"x")
    repo.signers["a"] = keys[:1]
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("x"), "threshold-not-met")
    repo.signers["a"] = keys[:2]
    repo.publish_all()
    c.ok(c.download("x"))


@case("5.6.7: a delegated role's key is replaced: what is stored counts no more")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.add("a", "x", b"x")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("x"))
    new = Key()
    entry = repo.docs["targets"]["delegations"]["roles"][0]
    repo.docs["targets"]["delegations"]["keys"] = {new.id: new.object}
    entry["keyids"] = [new.id]
    repo.publish("targets", "snapshot", "timestamp")
    repo.files.pop("targets/" + hashlib.sha256(b"x").hexdigest() + ".x")
    c.refused(c.download("x"), "unknown-key")
    assert "1.a.json" in repo.metadata_requests()
    repo.signers["a"] = [new]
    repo.publish("a", "snapshot", "timestamp")
    c.ok(c.download("x"))


@case("5.6.7: a delegated role that the snapshot does not list")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.publish_all()
    del repo.docs["snapshot"]["meta"]["a.json"]
    repo.publish("snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.download("x"), "mixed-metadata")


@case("5.6.7: an older delegated role under the name of the newer one")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.add("a", "x", b"x")
    repo.publish_all()
    old = repo.current["a"]
    repo.publish_all()
    repo.files["metadata/2.a.json"] = old
    c.ok(c.init())
    c.refused(c.download("x"), "mixed-metadata")


@case("5.6.7: a delegated role of another hash", hashes_listed=True)
def _(repo, c):
    repo.delegate("targets", "a")
    repo.add("a", "x", b"x")
    repo.publish_all()
    repo.docs["snapshot"]["meta"]["a.json"]["hashes"] = {"sha256": hashlib.sha256(b"x").hexdigest()}
    repo.publish("snapshot", "timestamp")
    c.ok(c.init())
    c.refused(c.download("x"), "digest-mismatch")


@case("5.6.7: a delegated role that is not there")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.publish_all()
    del repo.files["metadata/1.a.json"]
    c.ok(c.init())
    c.failed(c.download("x"), "has no 1.a.json")


def two_delegators(repo, both):
    """`shared` is signed for A; B delegates to it, too, and asks for a key of its own."""
    repo.delegate("targets", "A", ["a/*"])
    repo.delegate("targets", "B", ["b/*"])
    of_a = repo.delegate("A", "shared", ["a/*"])
    of_b = repo.delegate("B", "shared", ["b/*"])
    repo.signers["shared"] = [*of_a, *of_b] if both else list(of_a)
    repo.add("shared", "a/x", b"ax")
    repo.add("shared", "b/x", b"bx")
    repo.publish_all()


@case("5.6.7: a role that is known is checked with the keys of whoever delegates to it now: in one update")
def _(repo, c):
    two_delegators(repo, both=False)
    c.ok(c.init())
    c.refused(c.download("a/x", "b/x"), "unknown-key")
    c.has(b"ax")
    assert repo.metadata_requests().count("1.shared.json") == 1, repo.metadata_requests()


@case("5.6.7: a role that is known is checked with the keys of whoever delegates to it now: in the next update")
def _(repo, c):
    two_delegators(repo, both=False)
    c.ok(c.init())
    c.ok(c.download("a/x"))
    c.refused(c.download("b/x"), "unknown-key")
    c.ok(c.download("a/x"))
    c.has(b"ax")


@case("5.6.7: a role that both who delegate to it have keys for")
def _(repo, c):
    two_delegators(repo, both=True)
    c.ok(c.init())
    c.ok(c.download("a/x", "b/x"))
    c.has(b"ax", b"bx")
    assert repo.metadata_requests().count("1.shared.json") == 1


@case("6.2: without consistent snapshots, names have no versions and no hashes", consistent=False)
def _(repo, c):
    repo.delegate("targets", "a", ["d/*"])
    repo.add("a", "d/x", b"x")
    repo.serve("d/x", b"x")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("d/x"))
    c.asked("2.root.json", "timestamp.json", "snapshot.json", "targets.json", "a.json")
    assert repo.target_requests() == ["d/x"]


@case("6.2: a repository that begins to make consistent snapshots", consistent=False)
def _(repo, c):
    c.started()
    repo.consistent = True
    repo.docs["root"]["consistent_snapshot"] = True
    repo.publish("root")
    repo.publish_all()
    c.ok(c.refresh())
    c.asked("2.root.json", "3.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")
