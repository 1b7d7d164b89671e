/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files of the agent: small typed JSON documents in its own folder, replaced durably and read back as strictly as
 * anything from outside: a disk may return anything. No link is followed (folder.h).
 */
#pragma once

#include "json.h"

#define RECORD_FORMAT 1
#define RECORD_SUFFIX ".json"
#define RECORD_NAME_LEN 80

/* An object whose `_type` and `format` are the expected ones. -ENOENT when there is no such file. */
int record_load(int dirfd, const char *name, const char *type, size_t max, json_t **ret, struct err *err);
/* Adds `_type` and `format`; canonical bytes and a newline, mode 0600. Takes over doc; NULL is -ENOMEM. */
int record_save(int dirfd, const char *name, const char *type, json_t *doc, struct err *err);

/* Records that are kept by bundle, STATE/FOLDER/NAME.json. The folder, opened (-ENOENT when there is none, and it is not to be
 * created), and the file's name in it. */
int record_place(int state_fd, const char *folder, const char *bundle, bool create, char ret_name[static RECORD_NAME_LEN],
                 struct err *err);
/* Nothing to delete is success. Durable. */
int record_delete(int state_fd, const char *folder, const char *bundle, struct err *err);
/* The bundles' names, sorted; free each and the array. An absent folder is empty. */
int record_list(int state_fd, const char *folder, char ***ret, size_t *ret_n, struct err *err);

/* A string that fits; malformed, naming the key, otherwise. ret is untouched then. */
int record_get_text(const json_t *doc, const char *key, char *ret, size_t size, struct err *err);
int record_get_uint(const json_t *doc, const char *key, uint64_t max, uint64_t *ret, struct err *err);
/* Which of n words stands there; malformed when none of them. */
int record_get_word(const json_t *doc, const char *key, const char *const *words, size_t n, size_t *ret, struct err *err);
/* A JSON string of the text as text_clean() leaves it; NULL: no memory. */
json_t *record_text(const char *text);
