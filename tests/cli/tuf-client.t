#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tuf-client against repositories that something else has written, over HTTP: the specification, section by section.

    make build/tuf-client && prove tests/cli/tuf-client.t [:: PATTERN...]     cases whose name matches
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(here), "tuf"))

try:
    import cryptography  # noqa: F401
except ImportError:
    # A python3 of one's own in front of the system's, whose package it is.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", __file__, *sys.argv[1:]])
    print("1..0 # SKIP Python has no 'cryptography' (Debian: python3-cryptography)")
    sys.exit(0)
if not shutil.which("faketime"):
    print("1..0 # SKIP faketime is not installed")
    sys.exit(0)

import harness  # noqa: E402
import cases_root, cases_timestamp, cases_targets, cases_download, cases_keys, cases_format  # noqa: E401, E402, F401

if not os.access(harness.program, os.X_OK):
    print(f"Bail out! {harness.program} is not built: make")
    sys.exit(1)
sys.exit(harness.main())
