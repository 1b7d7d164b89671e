# SPDX-License-Identifier: Apache-2.0
"""What a refresh that finds nothing new takes python-tuf.

    poll-python-tuf.py version
    poll-python-tuf.py init URL ROOT WORK       trusts ROOT and brings WORK up to date
    poll-python-tuf.py process URL WORK N       N times as a program of its own
    poll-python-tuf.py inside URL WORK N        N times in one process, a new connection each
    poll-python-tuf.py kept URL WORK N          the same, with one connection for all

The last three print "poll NANOSECONDS" for each, of processor time, and `process` at the end "resident KIB", the most.
"""
import os
import shutil
import sys
import time


def refresh(url, work, fetcher=None):
    from tuf.ngclient import Updater
    Updater(os.path.join(work, "metadata"), url + "/metadata/", fetcher=fetcher).refresh()


def version():
    import tuf
    print(tuf.__version__)


def init(url, root, work):
    os.makedirs(os.path.join(work, "metadata"))
    shutil.copy(root, os.path.join(work, "metadata", "root.json"))
    refresh(url, work)


def process(url, work, times):
    resident = 0
    for _ in range(int(times)):
        pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, __file__, "once", url, work])
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit(1)
        print("poll", round((usage.ru_utime + usage.ru_stime) * 1e9))
        resident = max(resident, usage.ru_maxrss)
    print("resident", resident)


def inside(url, work, times, fetcher=None):
    for i in range(int(times) + 1):
        start = time.process_time_ns()
        refresh(url, work, fetcher)
        if i > 0:  # the first one also loads the modules
            print("poll", time.process_time_ns() - start)


def kept(url, work, times):
    from tuf.ngclient import RequestsFetcher
    inside(url, work, times, RequestsFetcher())


{"version": version, "init": init, "once": refresh, "process": process, "inside": inside, "kept": kept}[sys.argv[1]](*sys.argv[2:])
