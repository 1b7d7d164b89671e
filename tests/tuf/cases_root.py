# SPDX-License-Identifier: Apache-2.0
"""Sections 5.2 and 5.3: the root to begin with, and its successors."""

import json

from harness import case
from repo import DAY, Key, when

BASIC = ("2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json")


@case("5.2: init stores the root as it is and asks for nothing")
def _(repo, c):
    c.ok(c.init())
    assert c.bytes_of("root") == repo.anchor and c.stored() == ["root.json"] and not repo.requests


@case("5.2: init refuses a root that its own keys have not signed")
def _(repo, c):
    repo.publish("root", signers=[Key()])
    c.refused(c.init(repo.current["root"]), "unknown-key")
    assert c.stored() == []


@case("5.2: refresh without a root fails and asks for nothing")
def _(repo, c):
    c.failed(c.refresh(), "no root")
    assert not repo.requests


@case("5.2: a stored root without a version: nothing is asked for")
def _(repo, c):
    c.ok(c.init())
    root = json.loads(repo.anchor)
    del root["signed"]["version"]
    with open(c.metadata + "/root.json", "w") as f:
        json.dump(root, f)
    c.refused(c.refresh(), "malformed")
    assert not repo.requests


@case("5.2: a stored root whose signature is another one's: nothing is asked for")
def _(repo, c):
    c.ok(c.init())
    root = json.loads(repo.anchor)
    root["signatures"][0]["sig"] = Key().sign(b"something else")
    with open(c.metadata + "/root.json", "w") as f:
        json.dump(root, f)
    c.refused(c.refresh(), "bad-signature")
    assert not repo.requests


@case("5.3: the first refresh asks for what the specification says, once, in order")
def _(repo, c):
    c.started()
    c.asked(*BASIC)
    assert not [r for r in repo.requests if " " in r]
    assert c.stored() == ["root.json", "snapshot.json", "targets.json", "timestamp.json"]
    for role in ("root", "timestamp", "snapshot", "targets"):
        assert c.bytes_of(role) == repo.current[role], f"{role} is not stored byte for byte"


@case("5.3: when nothing has changed, only root and timestamp are asked for")
def _(repo, c):
    c.started()
    c.ok(c.refresh())
    c.asked("2.root.json", "timestamp.json")


@case("5.3.2: every newer root is fetched in turn")
def _(repo, c):
    c.ok(c.init())
    for _ in range(5):
        repo.publish("root")
    c.ok(c.refresh())
    c.asked("2.root.json", "3.root.json", "4.root.json", "5.root.json", "6.root.json", "7.root.json", *BASIC[1:])
    c.versions(root=6)


@case("5.3.3: no more than 256 new roots in one update, the rest in the next")
def _(repo, c):
    c.ok(c.init())
    for _ in range(258):
        repo.publish("root")
    c.ok(c.refresh())
    c.versions(root=257)
    c.ok(c.refresh())
    c.versions(root=259)


@case("5.3.3: 403 says that there is no newer root, too")
def _(repo, c):
    repo.files["metadata/2.root.json"] = (403, b"no")
    c.started()


@case("5.3.3: 500 does not: it stops the update")
def _(repo, c):
    repo.files["metadata/2.root.json"] = (500, b"no")
    c.ok(c.init())
    assert c.refresh() == 1
    c.asked("2.root.json")


ROTATIONS = [
    ("one key for another, by both", [([1], 1, [1]), ([2], 1, [2, 1]), ([2], 1, [2])], True),
    ("signatures of strangers do no harm", [([1], 1, [3, 1, 4]), ([2], 1, [3, 2, 1, 4]), ([2], 1, [3, 2, 4])], True),
    ("3 of 5, others each time", [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 4], 3, [0, 4, 1]),
                                  ([0, 1, 2, 3, 4], 3, [0, 1, 3])], True),
    ("3 of 5, one key replaced", [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 1])], True),
    ("3 of 5, all replaced", [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7]),
                              ([5, 6, 7, 8, 9], 3, [5, 6, 7])], True),
    ("the threshold raised", [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [1, 2])], True),
    ("the threshold lowered", [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1, 2]), ([1, 2, 3], 1, [1])], True),
    ("refused: not by the old key", [([1], 1, [1]), ([2], 1, [2, 3, 4])], False),
    ("refused: not by the new key", [([1], 1, [1]), ([2], 1, [1, 3, 4])], False),
    ("refused: two of three new ones", [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 2, 4])], False),
    ("refused: two of three old ones", [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 5])], False),
    ("refused: the raised threshold is not met", [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [2])], False),
    ("refused: the old threshold is not met", [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1])], False),
]


def rotation(versions, good):
    def run(repo, c):
        keys = [Key() for _ in range(10)]
        repo.docs["root"]["version"] = 0
        served = []
        for ids, threshold, signers in versions:
            repo.set_keys("root", [keys[i] for i in ids], threshold, [keys[i] for i in signers])
            repo.publish("root")
            served.append(repo.current["root"])
        c.ok(c.init(served[0]))
        if good:
            c.ok(c.refresh())
        else:
            c.refused(c.refresh())
        assert c.bytes_of("root") == served[-1 if good else -2]
    return run


for _name, _versions, _good in ROTATIONS:
    case(f"5.3.4: {_name}")(rotation(_versions, _good))


@case("5.3.5: N.root.json that says it is N+1 is refused, and not stored")
def _(repo, c):
    c.ok(c.init())
    repo.docs["root"]["version"] = 2
    repo.publish("root")
    repo.files["metadata/2.root.json"] = repo.files.pop("metadata/3.root.json")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(root=1, timestamp=None)


@case("5.3.5: the root that one has, served as the next one, is refused")
def _(repo, c):
    c.started()
    repo.files["metadata/2.root.json"] = repo.anchor
    c.refused(c.refresh(), "rolled-back-metadata")


@case("5.3.7: a root between may have expired, and each is stored before the next is asked for")
def _(repo, c):
    c.ok(c.init())
    repo.docs["root"]["expires"] = when(-DAY)
    repo.publish("root")
    repo.files["metadata/3.root.json"] = (500, b"")
    assert c.refresh() == 1
    c.versions(root=2)
    repo.docs["root"]["expires"] = when(DAY)
    repo.publish("root")
    c.ok(c.refresh())
    c.versions(root=3)


@case("5.3.10: the last root has expired: it is stored, and nothing else is")
def _(repo, c):
    c.started()
    repo.docs["root"]["expires"] = when(-DAY)
    repo.publish("root")
    repo.publish_all()
    c.refused(c.refresh(), "expired")
    c.versions(root=2, timestamp=1, snapshot=1, targets=1)


@case("5.3.10: a root that expires now has expired")
def _(repo, c):
    repo.docs["root"]["expires"] = when(0)
    repo.publish("root")
    c.ok(c.init())
    c.refused(c.refresh(), "expired")


@case("5.3.10: the clock is read through libc: later, the root has expired")
def _(repo, c):
    repo.docs["root"]["expires"] = when(7 * DAY)
    repo.publish("root")
    c.started()
    c.refused(c.refresh(days=8), "expired")


@case("5.3.10: a stored root that has expired leads to a newer one that has not")
def _(repo, c):
    repo.docs["root"]["expires"] = when(7 * DAY)
    repo.publish("root")
    c.started()
    repo.docs["root"]["expires"] = when(29 * DAY)
    repo.publish("root")
    c.ok(c.refresh(days=18))
    c.versions(root=3)


@case("5.3.11: the timestamp's key is replaced: its version may be lower than before")
def _(repo, c):
    repo.docs["timestamp"]["version"] = 99
    repo.publish("timestamp")
    c.started()
    c.versions(timestamp=100)
    repo.rotate("timestamp")
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 0
    repo.publish("timestamp")
    c.ok(c.refresh())
    c.versions(root=2, timestamp=1)


@case("5.3.11: the snapshot's key is replaced: a role's version may be lower than before")
def _(repo, c):
    repo.docs["targets"]["version"] = 99
    repo.publish_all()
    c.started()
    c.versions(targets=100)
    repo.rotate("snapshot")
    repo.publish("root")
    repo.docs["targets"]["version"] = 0
    repo.publish_all()
    c.ok(c.refresh())
    c.versions(targets=1)


@case("5.3.11: both keys are replaced: the snapshot's version may be lower than before")
def _(repo, c):
    repo.docs["snapshot"]["version"] = 99
    repo.publish_all()
    c.started()
    repo.rotate("snapshot")
    repo.rotate("timestamp")
    repo.publish("root")
    repo.docs["snapshot"]["version"] = 0
    repo.publish_all()
    c.ok(c.refresh())
    c.versions(snapshot=1)


@case("5.3.11: only the snapshot's key is replaced: the timestamp that listed a higher snapshot is forgotten, too")
def _(repo, c):
    repo.docs["snapshot"]["version"] = 99
    repo.publish_all()
    c.started()
    repo.rotate("snapshot")
    repo.publish("root")
    repo.docs["snapshot"]["version"] = 0
    repo.publish_all()
    c.ok(c.refresh())
    c.versions(snapshot=1, timestamp=3)


@case("5.3.11: one of three timestamp keys is replaced: what the other two have signed is forgotten all the same")
def _(repo, c):
    keys = [Key(), Key(), Key()]
    repo.set_keys("timestamp", keys, 2)
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 99
    repo.publish("timestamp")
    c.started()
    repo.set_keys("timestamp", [keys[0], keys[1], Key()], 2)
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 0
    repo.publish("timestamp")
    c.ok(c.refresh())
    c.versions(timestamp=1)


@case("5.3.11: a key that was only added is no rotation: going back is refused")
def _(repo, c):
    repo.docs["timestamp"]["version"] = 99
    repo.publish("timestamp")
    c.started()
    repo.set_keys("timestamp", [*repo.signers["timestamp"], Key()])
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 0
    repo.publish("timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")
    c.versions(root=2, timestamp=100)


@case("5.3.11: a root that changes nothing is no rotation")
def _(repo, c):
    repo.publish("timestamp")
    c.started()
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 0
    repo.publish("timestamp")
    c.refused(c.refresh(), "rolled-back-metadata")


@case("5.3.11: what must be forgotten stays forgotten when the update is cut off after the root")
def _(repo, c):
    repo.docs["timestamp"]["version"] = 99
    repo.publish("timestamp")
    c.started()
    repo.rotate("timestamp")
    repo.publish("root")
    repo.docs["timestamp"]["version"] = 0
    repo.publish("timestamp")
    good = repo.files["metadata/timestamp.json"]
    repo.files["metadata/timestamp.json"] = (500, b"")
    assert c.refresh() == 1
    c.versions(root=2, timestamp=None, snapshot=None)
    repo.files["metadata/timestamp.json"] = good
    c.ok(c.refresh())
    c.versions(timestamp=1)
