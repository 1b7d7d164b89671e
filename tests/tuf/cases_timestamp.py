# SPDX-License-Identifier: Apache-2.0
"""Sections 5.4 and 5.5: timestamp and snapshot."""

import hashlib
import json

from harness import case
from repo import DAY, Key, when
from server import Endless


@case("5.4: no timestamp: the update stops, what was trusted stays")
def _(repo, c):
    c.started()
    del repo.files["metadata/timestamp.json"]
    c.failed(c.refresh(), "has no timestamp.json")
    c.asked("2.root.json", "timestamp.json")
    c.versions(timestamp=1, snapshot=1, targets=1)


@case("5.4.1: a timestamp longer than 16 KiB is cut off")
def _(repo, c):
    repo.docs["timestamp"]["padding"] = "x" * 16384
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")
    c.versions(timestamp=None)


@case("5.4.1: an endless timestamp ends")
def _(repo, c):
    repo.files["metadata/timestamp.json"] = Endless(b" " * 4096)
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")


@case("5.3.3: an endless root ends")
def _(repo, c):
    repo.files["metadata/2.root.json"] = Endless(b" " * 65536)
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")


@case("5.5.1: an endless snapshot ends")
def _(repo, c):
    repo.files["metadata/1.snapshot.json"] = Endless(b" " * 65536)
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")


@case("5.6.1: endless targets end at the length that is listed", hashes_listed=True)
def _(repo, c):
    repo.files["metadata/1.targets.json"] = Endless(b" " * 65536)
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")


def unsigned(role, stored):
    def run(repo, c):
        repo.signers[role] = [Key()]
        repo.publish("root", "targets", "snapshot", "timestamp")
        c.ok(c.init())
        c.refused(c.refresh(), "unknown-key")
        assert [r + ".json" for r in stored] == c.stored(), c.stored()
    return run


for _role, _stored in (("root", ["root"]), ("timestamp", ["root"]), ("snapshot", ["root", "timestamp"]),
                       ("targets", ["root", "snapshot", "timestamp"])):
    case(f"5.x: a {_role} that its keys have not signed is refused; what came before it is kept")(unsigned(_role, _stored))


def tampered(role, stored):
    """Signed rightly, and changed by one byte afterwards."""
    def run(repo, c):
        c.ok(c.init())
        data = json.loads(repo.current[role])
        data["signed"]["expires"] = data["signed"]["expires"].replace("20", "21", 1)
        repo.files[repo.name(role)] = json.dumps(data).encode()
        c.refused(c.refresh(), "bad-signature")
        assert [r + ".json" for r in stored] == c.stored(), c.stored()
    return run


for _role, _stored in (("timestamp", ["root"]), ("snapshot", ["root", "timestamp"]),
                       ("targets", ["root", "snapshot", "timestamp"])):
    case(f"5.x: a {_role} changed after it was signed is refused")(tampered(_role, _stored))


@case("5.4.3.1: an older timestamp is refused")
def _(repo, c):
    old = repo.current["timestamp"]
    repo.publish("timestamp")
    c.started()
    repo.files["metadata/timestamp.json"] = old
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(timestamp=2)
    c.asked("2.root.json", "timestamp.json")


@case("5.4.3.1: a timestamp of the same version, otherwise different: the stored one is kept, which is no error")
def _(repo, c):
    c.started()
    before = c.bytes_of("timestamp")
    repo.docs["timestamp"]["meta"]["snapshot.json"]["version"] = 100
    repo.publish("timestamp", bump=False)
    c.ok(c.refresh())
    c.asked("2.root.json", "timestamp.json")
    assert c.bytes_of("timestamp") == before


@case("5.4.3.1: the same version, and the stored one has expired: refused")
def _(repo, c):
    repo.docs["timestamp"]["expires"] = when(DAY)
    repo.publish("timestamp")
    c.started()
    repo.docs["timestamp"]["expires"] = when(29 * DAY)
    repo.publish("timestamp", bump=False)
    c.refused(c.refresh(days=2), "expired")


@case("5.4.3.2: a newer timestamp that lists an older snapshot is refused, and not stored")
def _(repo, c):
    repo.publish("snapshot", "timestamp")
    c.started()
    repo.docs["timestamp"]["meta"]["snapshot.json"]["version"] = 1
    repo.publish("timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(timestamp=2, snapshot=2)
    c.asked("2.root.json", "timestamp.json")


@case("5.4.3.2: the same with hashes listed", hashes_listed=True)
def _(repo, c):
    first = dict(repo.docs["timestamp"]["meta"]["snapshot.json"])
    repo.publish("snapshot", "timestamp")
    c.started()
    repo.docs["timestamp"]["meta"]["snapshot.json"] = first
    repo.publish("timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(timestamp=2, snapshot=2)


@case("5.4.3: a damaged stored timestamp is as good as none")
def _(repo, c):
    c.started()
    with open(c.metadata + "/timestamp.json", "wb") as f:
        f.write(b"{")
    c.ok(c.refresh())
    assert c.bytes_of("timestamp") == repo.current["timestamp"]


@case("5.4.4: an expired timestamp is refused, and not stored")
def _(repo, c):
    c.started()
    repo.docs["timestamp"]["expires"] = when(-DAY)
    repo.publish("timestamp")
    c.refused(c.refresh(), "expired")
    c.versions(root=1, timestamp=1, snapshot=1, targets=1)


@case("5.4.4: a stored timestamp that has expired is still the measure for the next")
def _(repo, c):
    repo.docs["timestamp"]["version"] = 4
    repo.docs["timestamp"]["expires"] = when(DAY)
    repo.publish("timestamp")
    c.started()
    repo.docs["timestamp"].update(version=3, expires=when(29 * DAY))
    repo.publish("timestamp")
    c.refused(c.refresh(days=2), "rolled-back-metadata")
    repo.docs["timestamp"]["version"] = 5
    repo.publish("targets", "snapshot", "timestamp")
    c.ok(c.refresh(days=2))
    c.versions(timestamp=6, snapshot=2, targets=2)


@case("5.4.4: a repository that is frozen: what was current expires")
def _(repo, c):
    repo.docs["timestamp"]["expires"] = when(DAY)
    repo.publish("timestamp")
    c.started()
    c.ok(c.refresh())
    c.refused(c.refresh(days=3), "expired")


@case("5.5: the snapshot that is listed is not there: the timestamp is stored, nothing more")
def _(repo, c):
    c.started()
    repo.docs["timestamp"]["meta"]["snapshot.json"]["version"] = 2
    repo.publish("timestamp")
    c.failed(c.refresh(), "has no 2.snapshot.json")
    c.asked("2.root.json", "timestamp.json", "2.snapshot.json")
    c.versions(timestamp=2, snapshot=1, targets=1)


@case("5.5.2: a snapshot of another hash is refused")
def _(repo, c):
    repo.docs["timestamp"]["meta"]["snapshot.json"]["hashes"] = {"sha256": hashlib.sha256(b"x").hexdigest()}
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "digest-mismatch")
    c.versions(timestamp=2, snapshot=None)


@case("5.5.2: a snapshot of another length is refused")
def _(repo, c):
    repo.docs["timestamp"]["meta"]["snapshot.json"]["length"] = len(repo.current["snapshot"]) + 1
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "length-mismatch")


@case("5.5.2: a snapshot longer than listed is cut off")
def _(repo, c):
    repo.docs["timestamp"]["meta"]["snapshot.json"]["length"] = len(repo.current["snapshot"]) - 1
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "too-large")


@case("5.5.2: length and hashes listed, and right", hashes_listed=True)
def _(repo, c):
    c.started()
    repo.publish_all()
    c.ok(c.refresh())
    c.asked("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")


@case("5.5.2: two hashes, one of them wrong")
def _(repo, c):
    data = repo.current["snapshot"]
    repo.docs["timestamp"]["meta"]["snapshot.json"]["hashes"] = {"sha256": hashlib.sha256(data).hexdigest(),
                                                                "sha512": hashlib.sha512(b"x").hexdigest()}
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "digest-mismatch")


@case("5.5.2: SHA-512 in capitals")
def _(repo, c):
    digest = hashlib.sha512(repo.current["snapshot"]).hexdigest()
    repo.docs["timestamp"]["meta"]["snapshot.json"]["hashes"] = {"sha512": digest.upper()}
    repo.publish("timestamp")
    c.started()


@case("5.5.2: only a hash that nobody knows")
def _(repo, c):
    repo.docs["timestamp"]["meta"]["snapshot.json"]["hashes"] = {"blake9": "00"}
    repo.publish("timestamp")
    c.ok(c.init())
    c.refused(c.refresh(), "digest-mismatch")


@case("5.5.4: N.snapshot.json that says it is N+1 is refused")
def _(repo, c):
    c.ok(c.init())
    repo.docs["snapshot"]["version"] = 5
    repo.put("snapshot", repo.envelope("snapshot"), "metadata/2.snapshot.json")
    repo.docs["timestamp"]["meta"]["snapshot.json"] = {"version": 2}
    repo.publish("timestamp")
    c.refused(c.refresh(), "mixed-metadata")
    c.versions(timestamp=2, snapshot=None)


@case("5.5.4: an older snapshot under the name of the newer one is refused")
def _(repo, c):
    old = repo.current["snapshot"]
    c.started()
    repo.publish("snapshot", "timestamp")
    repo.files["metadata/2.snapshot.json"] = old
    c.refused(c.refresh(), "mixed-metadata")
    c.versions(snapshot=1, timestamp=2)


@case("5.5.5: a snapshot that lists older targets than before is refused")
def _(repo, c):
    repo.publish_all()
    c.started()
    repo.docs["snapshot"]["meta"]["targets.json"] = {"version": 1}
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(timestamp=3, snapshot=2, targets=2)


@case("5.5.5: the same with hashes listed", hashes_listed=True)
def _(repo, c):
    first = dict(repo.docs["snapshot"]["meta"]["targets.json"])
    repo.publish_all()
    c.started()
    repo.docs["snapshot"]["meta"]["targets.json"] = first
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(snapshot=2, targets=2)


@case("5.5.5: a snapshot that lists an older delegated role than before is refused")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.publish_all()
    repo.publish_all()
    c.started()
    repo.docs["snapshot"]["meta"]["a.json"] = {"version": 1}
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")


@case("5.5.5: a snapshot that lists a role no more is refused")
def _(repo, c):
    repo.delegate("targets", "a")
    repo.publish_all()
    c.started()
    del repo.docs["snapshot"]["meta"]["a.json"]
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(snapshot=2)


@case("5.5.6: an expired snapshot is refused, and not stored")
def _(repo, c):
    c.started()
    repo.docs["snapshot"]["expires"] = when(-DAY)
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(), "expired")
    c.versions(root=1, timestamp=2, snapshot=1, targets=1)


@case("5.5.6: a stored snapshot that has expired is fetched anew, and is the measure for the new one")
def _(repo, c):
    repo.docs["snapshot"]["expires"] = when(DAY)
    repo.publish_all()
    c.started()
    repo.docs["snapshot"]["expires"] = when(29 * DAY)
    repo.docs["snapshot"]["meta"]["targets.json"] = {"version": 1}
    repo.publish("snapshot", "timestamp")
    c.refused(c.refresh(days=2), "rolled-back-metadata")
    repo.publish_all()
    c.ok(c.refresh(days=2))
    c.versions(snapshot=4, targets=3)


@case("5.5: the timestamp lists what is stored: the snapshot is not asked for, whatever the server has")
def _(repo, c):
    repo.publish("snapshot", "timestamp")
    c.started()
    repo.files["metadata/2.snapshot.json"] = b"{}"
    c.ok(c.refresh())
    c.asked("2.root.json", "timestamp.json")


@case("5.5: a stored snapshot of the right version and a wrong hash is fetched anew", hashes_listed=True)
def _(repo, c):
    c.started()
    with open(c.metadata + "/snapshot.json", "ab") as f:
        f.write(b"\n")
    c.ok(c.refresh())
    c.asked("2.root.json", "timestamp.json", "1.snapshot.json")
    assert c.bytes_of("snapshot") == repo.current["snapshot"]


@case("5.x: a stored timestamp that an attacker's key has signed does not count")
def _(repo, c):
    c.started()
    repo.docs["timestamp"]["version"] = 1000
    forged = json.dumps(repo.envelope("timestamp", [Key()])).encode()
    with open(c.metadata + "/timestamp.json", "wb") as f:
        f.write(forged)
    c.ok(c.refresh())
    c.versions(timestamp=1)
