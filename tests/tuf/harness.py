# SPDX-License-Identifier: Apache-2.0
"""Cases, each with a repository, a server's folder and a client's folders of its own; and TAP."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

from repo import Repo
from server import Server

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
program = os.path.join(top, "build", os.environ.get("LSM_VARIANT", "release"), "tuf-client")
cases = []


def case(name, **repo_options):
    def add(function):
        cases.append((name, function, repo_options))
        return function
    return add


class Client:
    """tuf-client with its folders."""

    def __init__(self, base, repo, tmp):
        self.base, self.repo = base, repo
        self.metadata, self.targets = os.path.join(tmp, "metadata"), os.path.join(tmp, "targets")
        os.mkdir(self.metadata)
        os.mkdir(self.targets)
        self.status, self.said = None, ""

    def run(self, *args, days=0):
        command = [program, "--metadata-dir", self.metadata, *args]
        # A sanitizer's finding must not look like a refusal; and its runtime comes second when there is a library for fake time.
        env = {**os.environ, "ASAN_OPTIONS": "exitcode=99:verify_asan_link_order=0", "UBSAN_OPTIONS": "exitcode=99"}
        if days:
            command = ["faketime", "-f", f"+{days}d", *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, errors="replace",
                              env=env)
        self.status, self.said = done.returncode, (done.stdout + done.stderr).strip()
        assert self.status in (0, 1), f"exit code {self.status}: {self.said}"
        return self.status

    def init(self, root=None):
        path = os.path.join(os.path.dirname(self.metadata), "initial")
        with open(path, "wb") as f:
            f.write(self.repo.anchor if root is None else root)
        return self.run("init", path)

    def refresh(self, days=0):
        self.repo.requests.clear()
        return self.run("--metadata-url", self.base + "/metadata/", "refresh", days=days)

    def download(self, *paths, days=0):
        self.repo.requests.clear()
        names = [a for p in paths for a in ("--target-name", p)]
        return self.run("--metadata-url", self.base + "/metadata", *names, "--target-dir", self.targets, "--target-base-url",
                        self.base + "/targets", "download", days=days)

    # ---- what must be

    def ok(self, status):
        assert status == 0, f"expected success: {self.said}"

    def refused(self, status, reason=None):
        assert status == 1, f"expected a refusal{' ' + reason if reason else ''}, and it succeeded"
        if reason:
            assert re.match(f"tuf-client: refused: {reason}: ", self.said), f"expected '{reason}': {self.said}"

    def failed(self, status, text):
        assert status == 1 and text in self.said, f"expected '{text}': {status} {self.said}"

    def stored(self):
        """What lies in the folder: every *.json, and nothing else but other names."""
        return sorted(n for n in os.listdir(self.metadata) if n.endswith(".json"))

    def bytes_of(self, role):
        try:
            with open(os.path.join(self.metadata, role + ".json"), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def version(self, role):
        data = self.bytes_of(role)
        return json.loads(data)["signed"]["version"] if data else None

    def versions(self, **expected):
        found = {role: self.version(role) for role in expected}
        assert found == expected, f"stored versions: {found}, expected {expected}; {self.said}"

    def asked(self, *expected):
        found = self.repo.metadata_requests()
        assert found == list(expected), f"asked for {found}, expected {list(expected)}; {self.said}"

    def files(self):
        out = {}
        for name in os.listdir(self.targets):
            with open(os.path.join(self.targets, name), "rb") as f:
                out[name] = f.read()
        return out

    def has(self, *contents):
        assert sorted(self.files().values()) == sorted(contents), f"files: {self.files()}; {self.said}"

    def started(self):
        """After init and a first refresh."""
        self.ok(self.init())
        self.ok(self.refresh())
        return self


def main():
    server = Server()
    chosen = [c for c in cases if not sys.argv[1:] or any(re.search(p, c[0]) for p in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    failures = 0
    for number, (name, function, options) in enumerate(chosen, 1):
        tmp = tempfile.mkdtemp(prefix="tuf-")
        try:
            folder = f"case-{number}"
            repo = server.repos[folder] = Repo(**options)
            function(repo, Client(server.base(folder), repo, tmp))
            print(f"ok {number} - {name}", flush=True)
        except Exception as e:  # a case that breaks has failed, whatever broke
            failures += 1
            print(f"not ok {number} - {name}")
            text = str(e) if isinstance(e, AssertionError) and str(e) else traceback.format_exc()
            print("\n".join("#   " + line for line in text.splitlines()), flush=True)
        finally:
            server.repos.pop(f"case-{number}", None)
            shutil.rmtree(tmp, ignore_errors=True)
    return 1 if failures else 0
