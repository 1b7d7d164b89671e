/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are not JSON as signed documents use it. Two readers that do not agree on what such a text means can be shown two
 * different bundles under one signature; so there is nothing to agree on.
 */
#include <stdio.h>

#include "forge.h"

/* The manifest with something else in the place of ABI, signed as it stands. */
static void in_place_of_abi(struct forge *f, const char *name, const char *reason, const char *p, size_t n) {
        cleanup_buf struct buf text = {};
        const char *at = strstr(f->text.data, ABI);
        size_t before = (size_t)(at - f->text.data);

        must(at);
        at += strlen(ABI);
        must(buf_append(&text, f->text.data, before) == 0 && buf_append(&text, p, n) == 0 &&
             buf_append(&text, at, f->text.len - (size_t)(at - f->text.data)) == 0);
        case_put_text(f, name, reason, BOTH, &text);
}
#define in_place_of_abi(f, name, reason, literal) in_place_of_abi(f, name, reason, literal, sizeof(literal) - 1)

static void values(struct forge *f) {
        cleanup_buf struct buf deep = {};

        in_place_of_abi(f, "json-duplicate-key", "malformed", ABI ",\"abi\":2");
        in_place_of_abi(f, "json-duplicate-key-escaped", "malformed", ABI ",\"\\u0061bi\":1");
        in_place_of_abi(f, "json-duplicate-key-inside", "malformed", ABI ",\"extra\":{\"a\":1,\"a\":2}");
        in_place_of_abi(f, "json-control-raw", "malformed", ABI ",\"extra\":\"\x1b[2J\"");
        in_place_of_abi(f, "json-control-escaped", "malformed", ABI ",\"extra\":\"\\u001b[2J\"");
        in_place_of_abi(f, "json-control-newline", "malformed", ABI ",\"extra\":\"a\\nb\"");
        in_place_of_abi(f, "json-control-del", "malformed", ABI ",\"extra\":\"\x7f\"");
        in_place_of_abi(f, "json-control-c1", "malformed",
                        ABI ",\"extra\":\"\xc2\x9b"
                            "2J\"");
        in_place_of_abi(f, "json-control-in-a-key", "malformed", ABI ",\"ext\\tra\":1");
        in_place_of_abi(f, "json-nul-escaped", "malformed", ABI ",\"extra\":\"a\\u0000b\"");
        in_place_of_abi(f, "json-nul-raw", "malformed", ABI "\0");
        in_place_of_abi(f, "json-2^53", "malformed", ABI ",\"extra\":9007199254740992");
        in_place_of_abi(f, "json-minus-2^53", "malformed", ABI ",\"extra\":-9007199254740992");
        in_place_of_abi(f, "json-2^64", "malformed", ABI ",\"extra\":18446744073709551617");
        in_place_of_abi(f, "json-float", "malformed", ABI ",\"extra\":1.5");
        in_place_of_abi(f, "json-float-whole", "malformed", ABI ".0");
        in_place_of_abi(f, "json-exponent", "malformed", ABI "e0");
        in_place_of_abi(f, "json-nan", "malformed", "\"abi\":NaN");
        in_place_of_abi(f, "json-hexadecimal", "malformed", "\"abi\":0x1");
        in_place_of_abi(f, "json-leading-zero", "malformed", "\"abi\":01");
        in_place_of_abi(f, "json-single-quotes", "malformed", "'abi':1");
        in_place_of_abi(f, "json-comment", "malformed", "/* */\"abi\":1");
        in_place_of_abi(f, "json-trailing-comma", "malformed", ABI ",");
        in_place_of_abi(f, "json-overlong-utf8", "malformed", ABI ",\"extra\":\"\xc0\xaf\"");
        in_place_of_abi(f, "json-surrogate", "malformed", ABI ",\"extra\":\"\\ud800\"");
        in_place_of_abi(f, "json-surrogate-utf8", "malformed", ABI ",\"extra\":\"\xed\xa0\x80\"");
        in_place_of_abi(f, "json-latin1", "malformed", ABI ",\"extra\":\"caf\xe9\"");
        in_place_of_abi(f, "json-cut-utf8", "malformed", ABI ",\"extra\":\"\xe2\x82\"");

        must(buf_append(&deep, f->text.data, f->text.len - 1) == 0 && buf_printf(&deep, ",\"zz\":") == 0);
        for (int i = 0; i < 5000; i++)
                must(buf_append(&deep, "[", 1) == 0);
        for (int i = 0; i < 5000; i++)
                must(buf_append(&deep, "]", 1) == 0);
        must(buf_append(&deep, "}", 1) == 0);
        case_put_text(f, "json-nested-5000-deep", "malformed", BOTH, &deep);
}

/* Signed bytes in another form than the canonical one: what is verified is the canonical form, which nobody has signed. */
static void forms(struct forge *f) {
        cleanup_buf struct buf spaced = {}, compact = {}, unsorted = {};

        in_place_of_abi(f, "form-blank", "bad-signature", "\"abi\": 1");
        in_place_of_abi(f, "form-newline", "bad-signature", "\n\"abi\":1");
        in_place_of_abi(f, "form-escaped-letter", "bad-signature", "\"\\u0061bi\":1");
        in_place_of_abi(f, "form-minus-zero", "bad-signature", ABI ",\"extra\":-0");
        in_place_of_abi(f, "form-keys-not-sorted", "bad-signature", "\"zz\":1,\"abi\":1");
        must(buf_append(&spaced, f->text.data, f->text.len) == 0 && buf_append(&spaced, "\n", 1) == 0);
        case_put_text(f, "form-newline-at-the-end", "bad-signature", BOTH, &spaced);
}

/* ---- the envelope ------------------------------------------------------------------------------------------------------- */

static void around(struct forge *f, const char *name, const char *reason, const char *before, const char *after, size_t after_n) {
        cleanup_buf struct buf good = {}, manifest = {};

        envelope_put_plain(f, &good, &f->text);
        must(buf_printf(&manifest, "%s", before) == 0 && buf_append(&manifest, good.data, good.len) == 0 &&
             buf_append(&manifest, after, after_n) == 0);
        case_put_manifest(f, name, reason, &manifest);
}

/* Text in the place of the first `find` of the envelope. */
static void replaced(struct forge *f, const char *name, const char *reason, const char *find, const char *replace) {
        cleanup_buf struct buf good = {}, manifest = {};
        const char *at;

        envelope_put_plain(f, &good, &f->text);
        at = strstr(good.data, find);
        must(at);
        must(buf_append(&manifest, good.data, (size_t)(at - good.data)) == 0 &&
             buf_printf(&manifest, "%s%s", replace, at + strlen(find)) == 0);
        case_put_manifest(f, name, reason, &manifest);
}

static void text_only(struct forge *f, const char *name, const char *text) {
        cleanup_buf struct buf manifest = {};

        must(buf_printf(&manifest, "%s", text) == 0);
        case_put_manifest(f, name, "malformed", &manifest);
}

static void envelopes(struct forge *f) {
        around(f, "good-layout", "accepted", " \n", "\n", 1);
        around(f, "envelope-byte-order-mark", "malformed", "\xef\xbb\xbf", "", 0);
        around(f, "envelope-garbage-behind", "malformed", "", "x", 1);
        around(f, "envelope-nul-behind", "malformed", "", "\0", 1);
        around(f, "envelope-twice", "malformed", "", "{}", 2);
        around(f, "envelope-in-an-array", "malformed", "[", "]", 1);
        text_only(f, "envelope-empty", "");
        text_only(f, "envelope-null", "null");
        text_only(f, "envelope-no-members", "{}");
        replaced(f, "envelope-signed-twice", "malformed", "\"signed\":", "\"signed\":{},\"signed\":");
        replaced(f, "envelope-signed-is-an-array", "malformed", "\"signed\":", "\"signed\":[],\"x\":");
        replaced(f, "envelope-signed-is-text", "malformed", "\"signed\":", "\"signed\":\"\",\"x\":");
        replaced(f, "envelope-signed-missing", "malformed", "\"signed\":", "\"Signed\":");
        replaced(f, "envelope-signatures-missing", "malformed", "\"signatures\":", "\"Signatures\":");
        replaced(f, "envelope-signatures-is-an-object", "malformed", "\"signatures\":", "\"signatures\":{},\"x\":");
        replaced(f, "envelope-signature-is-text", "malformed", "\"signatures\":[", "\"signatures\":[\"x\",");
        replaced(f, "envelope-signature-without-keyid", "malformed", "\"keyid\":", "\"keyId\":");
        replaced(f, "envelope-keyid-upper-case", "malformed", "\"keyid\":\"",
                 "\"keyid\":\"ABCDEF00ABCDEF00ABCDEF00ABCDEF00ABCDEF00ABCDEF00ABCDEF00ABCDEF00\",\"x\":\"");
        replaced(f, "envelope-keyid-short", "malformed", "\"keyid\":\"", "\"keyid\":\"00\",\"x\":\"");
        replaced(f, "envelope-sig-odd", "malformed", "\"sig\":\"", "\"sig\":\"0");
        replaced(f, "envelope-sig-no-hex", "malformed", "\"sig\":\"", "\"sig\":\"zz");
        replaced(f, "envelope-sig-longer", "bad-signature", "\"sig\":\"", "\"sig\":\"00");
        replaced(f, "envelope-sig-empty", "bad-signature", "\"sig\":\"", "\"sig\":\"\",\"x\":\"");
        replaced(f, "envelope-sig-number", "malformed", "\"sig\":\"", "\"sig\":1,\"x\":\"");
}

void cases_json(struct forge *f) {
        values(f);
        forms(f);
        envelopes(f);
}
