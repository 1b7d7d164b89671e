/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of Tetragon. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        import_check(&import_tetragon, data, size);
        return 0;
}
