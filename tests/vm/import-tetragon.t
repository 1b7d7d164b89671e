# SPDX-License-Identifier: Apache-2.0
# Policies of Tetragon, imported and built as they are: each that denies denies on a real kernel, each that reports reports, and no more
# than they say. tests/data/import/vm has the policies, and a table of what each must do.
# files: tests/vm/node.sh:/test/node.sh tests/vm/import.sh:/test/import.sh tests/data/import/vm/table:/test/import-table
# needs: setpriv
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 900
. "$TESTLIB"
. /test/node.sh
. /test/import.sh

config 'confirm: {deadline: 200s, health: 1s}'
import_group tetragon-open
import_group tetragon-hooks
done_testing
