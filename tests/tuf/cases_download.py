# SPDX-License-Identifier: Apache-2.0
"""Section 5.7: the target's file."""

import hashlib
import os

from harness import case
from repo import DAY, when
from server import Endless


def sha(data, algorithm="sha256"):
    return hashlib.new(algorithm, data).hexdigest()


@case("5.7: download updates first, and fails when there is no such target")
def _(repo, c):
    c.ok(c.init())
    c.refused(c.download("nothing"), "unknown-target")
    c.asked("2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json")
    c.versions(root=1, timestamp=1, snapshot=1, targets=1)


@case("5.7: a file is fetched by its hash, and its content is stored")
def _(repo, c):
    repo.add("targets", "file.txt", b"content")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("file.txt"))
    assert c.files() == {"file.txt": b"content"} and repo.target_requests() == [sha(b"content") + ".file.txt"]


@case("5.7: in a folder, the hash stands before the last part of the name")
def _(repo, c):
    repo.add("targets", "path/to/a/file.txt", b"content")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("path/to/a/file.txt"))
    c.has(b"content")
    assert repo.target_requests() == [f"path/to/a/{sha(b'content')}.file.txt"]


@case("5.7: a file that is there and as listed is not fetched again")
def _(repo, c):
    repo.add("targets", "a/file.txt", b"content")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("a/file.txt"))
    c.ok(c.download("a/file.txt"))
    assert repo.target_requests() == []


@case("5.7: a file that is there and is no longer as listed is replaced under its name")
def _(repo, c):
    repo.add("targets", "file.txt", b"one")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("file.txt"))
    repo.add("targets", "file.txt", b"two, longer")
    repo.publish_all()
    c.ok(c.download("file.txt"))
    assert c.files() == {"file.txt": b"two, longer"}


@case("5.7: a file that somebody has changed here is fetched again")
def _(repo, c):
    repo.add("targets", "file.txt", b"content")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("file.txt"))
    with open(os.path.join(c.targets, "file.txt"), "wb") as f:
        f.write(b"changed")
    c.ok(c.download("file.txt"))
    c.has(b"content")


def substituted(other, reason):
    def run(repo, c):
        repo.add("targets", "file.txt", b"content")
        repo.publish_all()
        for name in list(repo.files):
            if name.startswith("targets/"):
                repo.files[name] = other
        c.ok(c.init())
        c.refused(c.download("file.txt"), reason)
        assert c.files() == {}, c.files()
    return run


case("5.7.2: another file of the same length")(substituted(b"malware", "digest-mismatch"))
case("5.7.2: a shorter file")(substituted(b"cont", "length-mismatch"))
case("5.7.2: a longer file")(substituted(b"content and more", "too-large"))
case("5.7.2: an endless file")(substituted(Endless(b"content"), "too-large"))
case("5.7.2: an empty file")(substituted(b"", "length-mismatch"))


@case("5.7.2: when the new file is not what is listed, the old one stays")
def _(repo, c):
    repo.add("targets", "file.txt", b"one")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("file.txt"))
    repo.add("targets", "file.txt", b"two")
    repo.publish_all()
    repo.serve("file.txt", b"bad", sha(b"two"))
    c.refused(c.download("file.txt"), "digest-mismatch")
    assert c.files() == {"file.txt": b"one"}


@case("5.7: a listed file that is not there")
def _(repo, c):
    repo.add("targets", "file.txt", b"content")
    repo.files.pop(f"targets/{sha(b'content')}.file.txt")
    repo.publish_all()
    c.ok(c.init())
    c.failed(c.download("file.txt"), "has no such file")
    assert c.files() == {}


def algorithms(names):
    def run(repo, c):
        repo.add("targets", "file.txt", b"content", names)
        repo.publish_all()
        c.ok(c.init())
        c.ok(c.download("file.txt"))
        c.has(b"content")
        assert repo.target_requests() == [sha(b"content", names[0]) + ".file.txt"]
    return run


for _names in (["sha256"], ["sha512"], ["sha256", "sha512"]):
    case(f"4.6: listed by {' and '.join(_names)}")(algorithms(_names))


@case("4.6: SHA-256 is right and SHA-512 is wrong")
def _(repo, c):
    repo.add("targets", "file.txt", b"content", ["sha256", "sha512"])
    repo.docs["targets"]["targets"]["file.txt"]["hashes"]["sha512"] = sha(b"other", "sha512")
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("file.txt"), "digest-mismatch")
    c.has()


@case("4.6: listed by nothing that is known: not accepted")
def _(repo, c):
    repo.add("targets", "file.txt", b"content")
    repo.docs["targets"]["targets"]["file.txt"]["hashes"] = {"unknown-hash": sha(b"content")}
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("file.txt"), "digest-mismatch")
    c.has()


@case("4.6: a hash that is a path leads nowhere")
def _(repo, c):
    repo.add("targets", "file.txt", b"content")
    repo.docs["targets"]["targets"]["file.txt"]["hashes"] = {"sha256": "../../secret"}
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("file.txt"), "digest-mismatch")
    assert repo.target_requests() == []


@case("4.6: an empty file")
def _(repo, c):
    repo.add("targets", "empty", b"")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("empty"))
    assert c.files() == {"empty": b""}


@case("5.7: several targets, in order")
def _(repo, c):
    for name in ("a", "b", "c"):
        repo.add("targets", name, name.encode())
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("c", "a", "b"))
    assert repo.target_requests() == [f"{sha(n.encode())}.{n}" for n in "cab"]
    c.asked("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")


@case("5.7: several targets: the first failure ends it")
def _(repo, c):
    for name in ("a", "c"):
        repo.add("targets", name, name.encode())
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("a", "b", "c"), "unknown-target")
    c.has(b"a")
    assert repo.target_requests() == [sha(b"a") + ".a"]


@case("5.7: a path with characters that a URL cannot have")
def _(repo, c):
    path = "a b/ü?#[1]%41.txt"
    repo.add("targets", path, b"content")
    repo.files["targets/a%20b/" + sha(b"content") + ".%C3%BC%3F%23%5B1%5D%41.txt"] = b"content"
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download(path))
    c.has(b"content")


def unsafe(path):
    def run(repo, c):
        repo.add("targets", path, b"content")
        repo.publish_all()
        c.ok(c.init())
        c.refused(c.download(path), "unsafe-path")
        assert c.files() == {} and repo.target_requests() == []
    return run


for _path in ("/etc/passwd", "../x", "a/../../x", "a/./b"):
    case(f"4.6: a target's path '{_path}' is refused")(unsafe(_path))


@case("5.7: a path longer than a file's name can be")
def _(repo, c):
    path = "/".join(["x" * 50] * 20)
    repo.add("targets", path, b"content")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download(path))
    c.has(b"content")
    c.ok(c.download(path))
    assert repo.target_requests() == []


@case("5.7: members of a target that are not known, and custom ones, do no harm")
def _(repo, c):
    repo.add("targets", "x", b"x", custom={"release": 3, "nested": {"a": [1, None, True]}}, more="text")
    repo.publish_all()
    c.ok(c.init())
    c.ok(c.download("x"))


@case("5.7: when the update is refused, no file is fetched")
def _(repo, c):
    repo.add("targets", "x", b"x")
    repo.docs["timestamp"]["expires"] = when(-DAY)
    repo.publish_all()
    c.ok(c.init())
    c.refused(c.download("x"), "expired")
    assert repo.target_requests() == []


@case("5.7: a download that was cut off leaves no file, and the next one succeeds")
def _(repo, c):
    repo.add("targets", "x", b"x" * 100000)
    repo.publish_all()
    name = "targets/" + sha(b"x" * 100000) + ".x"
    good, repo.files[name] = repo.files[name], (500, b"broken")
    c.ok(c.init())
    assert c.download("x") == 1 and c.files() == {}
    repo.files[name] = good
    c.ok(c.download("x"))
    c.has(b"x" * 100000)


@case("usage: what makes no sense ends with 1, and asks for nothing")
def _(repo, c):
    for args in (["refresh"], ["init"], ["--metadata-url", c.base, "download"], ["--metadata-url", c.base, "nonsense"],
                 ["--metadata-url", c.base, "refresh", "more"], ["--unknown", "refresh"], []):
        assert c.run(*args) == 1, args
    assert not repo.requests
