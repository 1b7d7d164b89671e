/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-bundles BUNDLE KEYS OUT: from one good bundle, and KEYS/test.key and KEYS/other.key, makes OUT/NAME.tar.zst for every case
 * there is, and OUT/cases: a line for each, NAME, REASON, WHERE and the keys to trust, separated by tabs.
 *
 * REASON is the word that a refusal must tell, or "accepted": the good bundle, made in the same ways as the bad ones. WHERE: "both"
 * whoever verifies it sees it; "node": only a node does, and does not try; "load": it sees it in trying. Keys are "test", or
 * "test other": then both must have signed.
 */
#include <stdio.h>

#include "forge.h"

int main(int argc, char **argv) {
        struct forge f;

        if (argc != 4) {
                fprintf(stderr, "Usage: %s BUNDLE KEYS OUT\n", argv[0]);
                return 2;
        }
        forge_init(&f, argv[1], argv[2], argv[3]);
        cases_archive(&f);
        cases_headers(&f);
        cases_frames(&f);
        cases_manifest(&f);
        cases_json(&f);
        cases_signatures(&f);
        cases_node(&f);
        forge_done(&f);
        return 0;
}
