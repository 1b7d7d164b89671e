/* SPDX-License-Identifier: Apache-2.0 */
#include "status_metadata.h"

#include "record.h"
#include "repo_record.h"

/* What could be listed where, in every repository of ours: looking for it takes in the delegated roles that are kept here. */
static void delegated_take(const struct papers *papers, struct tuf_trust *trust) {
        static const char *const paths[] = {"bundles/-", "rollouts/-"};
        struct tuf_target target;

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                papers_target(papers, trust, paths[i], &target, NULL);
}

/* Once, also when two others delegate to it. */
static void role_append(json_t *list, const struct tuf_document *d) {
        cleanup_json json_t *name = record_text(d->role);
        const json_t *entry;
        size_t i;

        json_array_foreach(list, i, entry) {
                if (json_equal(json_object_get(entry, "role"), name))
                        return;
        }
        json_array_append_new(list, json_pack("{s:O, s:I, s:I}", "role", name, "version", (json_int_t)d->common.version,
                                              "expires", (json_int_t)d->common.expires));
}

json_t *status_metadata(const struct node *n) {
        const struct tuf_trust_options options = {.ignore_expiry = true};
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        cleanup_papers struct papers papers = {0};
        json_t *list = json_array();
        struct tuf_document d;

        if (n->config->source) /* one bundle; what is kept here is of another time */
                return list;
        if (repo_papers_load(n->state_fd, &papers, NULL) < 0 || papers.n == 0 || papers.list[0].kind != PAPER_METADATA ||
            papers_verify(&papers, &papers.list[0].s, NULL, &options, &trust, NULL) < 0)
                return list;
        delegated_take(&papers, trust);
        for (size_t i = 0; i < tuf_trust_documents(trust); i++)
                if (tuf_trust_document(trust, i, &d) >= 0)
                        role_append(list, &d);
        return list;
}
