/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml.h"

#include <libfyaml.h>

struct yaml_doc {
        char *file;
        struct yaml_node **roots; /* of each document; owned by `all` */
        size_t n_roots;
        struct yaml_node **all; /* owns every node */
        size_t n_all, cap_all;
};

struct reader {
        struct fy_parser *parser;
        struct yaml_doc *doc;
        struct diags *diags;
        bool many; /* documents may follow the first */
};

static void node_free(struct yaml_node *node) {
        if (!node)
                return;
        free(node->text);
        free(node->keys);
        free(node->items);
        free(node);
}

void yaml_free(struct yaml_doc *doc) {
        if (!doc)
                return;
        for (size_t i = 0; i < doc->n_all; i++)
                node_free(doc->all[i]);
        free(doc->all);
        free(doc->roots);
        free(doc->file);
        free(doc);
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc) {
        return doc->roots[0];
}

size_t yaml_count(const struct yaml_doc *doc) {
        return doc->n_roots;
}

const struct yaml_node *yaml_nth(const struct yaml_doc *doc, size_t i) {
        return doc->roots[i];
}

static int node_new(struct reader *r, enum yaml_kind kind, struct pos pos, struct yaml_node **ret) {
        struct yaml_doc *doc = r->doc;

        if (doc->n_all == YAML_NODES_MAX) {
                diag_error(r->diags, pos, "more than %u values in one file", YAML_NODES_MAX);
                return -EBADMSG;
        }
        if (doc->n_all == doc->cap_all) {
                size_t cap = doc->cap_all ? doc->cap_all * 2 : 64;
                struct yaml_node **all = reallocarray(doc->all, cap, sizeof(*all));

                if (!all)
                        return -ENOMEM;
                doc->all = all;
                doc->cap_all = cap;
        }
        *ret = new_array(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        **ret = (struct yaml_node){.kind = kind, .pos = pos};
        doc->all[doc->n_all++] = *ret;
        return 0;
}

/* Room for one more child, by doubling at powers of two. */
static int node_grow(struct yaml_node *node) {
        if (node->n > 0 && (node->n & (node->n - 1)) != 0)
                return 0;

        size_t cap = node->n ? node->n * 2 : 1;
        struct yaml_node **items = reallocarray(node->items, cap, sizeof(*items)), **keys;

        if (!items)
                return -ENOMEM;
        node->items = items;
        if (node->kind == YAML_MAP) {
                keys = reallocarray(node->keys, cap, sizeof(*keys));
                if (!keys)
                        return -ENOMEM;
                node->keys = keys;
        }
        return 0;
}

static struct pos event_pos(const struct reader *r, struct fy_event *event, struct pos fallback) {
        const struct fy_mark *mark = fy_event_start_mark(event);

        return mark ? (struct pos){r->doc->file, mark->line + 1, mark->column + 1} : fallback;
}

/* Scalars by text, then by place; what is not a scalar stands at the end. */
static int key_cmp(const void *a, const void *b) {
        const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
        int r;

        if (x->kind != YAML_SCALAR || y->kind != YAML_SCALAR)
                return (x->kind != YAML_SCALAR) - (y->kind != YAML_SCALAR);
        r = strcmp(x->text, y->text);
        if (r != 0)
                return r;
        return x->pos.line != y->pos.line ? (x->pos.line > y->pos.line) - (x->pos.line < y->pos.line)
                                          : (x->pos.column > y->pos.column) - (x->pos.column < y->pos.column);
}

/* Sorted, because seeds may have very many keys. */
static int check_keys_differ(struct reader *r, const struct yaml_node *map) {
        cleanup_free struct yaml_node **keys = new_array(map->n, sizeof(*keys));

        if (!keys)
                return -ENOMEM;
        if (map->n > 0)
                memcpy(keys, map->keys, map->n * sizeof(*keys));
        qsort(keys, map->n, sizeof(*keys), key_cmp);
        for (size_t i = 1; i < map->n && keys[i]->kind == YAML_SCALAR; i++)
                if (streq(keys[i - 1]->text, keys[i]->text))
                        diag_error(r->diags, keys[i]->pos, "key '%s' is there twice", keys[i]->text);
        return 0;
}

static int read_scalar(struct reader *r, struct fy_event *event, struct pos pos, struct yaml_node **ret) {
        struct fy_token *token = fy_event_get_token(event);
        enum fy_scalar_style style;
        const char *text = "";
        size_t len = 0;
        int e;

        if (token) {
                text = fy_token_get_text(token, &len);
                if (!text)
                        return -ENOMEM;
        }
        e = node_new(r, YAML_SCALAR, pos, ret);
        if (e < 0)
                return e;
        style = token ? fy_scalar_token_get_style(token) : FYSS_PLAIN;
        (*ret)->quoted = style != FYSS_PLAIN;
        /* libfyaml's mark stands behind the quote. */
        if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && pos.column > 1)
                (*ret)->pos.column--;
        (*ret)->text = new_array(len + 1, 1);
        if (!(*ret)->text)
                return -ENOMEM;
        memcpy((*ret)->text, text, len);
        (*ret)->len = len;
        return 0;
}

static int read_node(struct reader *r, struct fy_event *event, struct pos fallback, unsigned depth, struct yaml_node **ret);

/* The children up to the event that ends the collection. */
static int read_children(struct reader *r, struct yaml_node *node, enum fy_event_type end, unsigned depth) {
        struct yaml_node *key = NULL, *child;
        struct fy_event *event;
        int e;

        for (;;) {
                event = fy_parser_parse(r->parser);
                if (!event)
                        return -EBADMSG;
                if (event->type == end) {
                        fy_parser_event_free(r->parser, event);
                        return node->kind == YAML_MAP ? check_keys_differ(r, node) : 0;
                }
                e = read_node(r, event, key ? key->pos : node->pos, depth + 1, &child);
                fy_parser_event_free(r->parser, event);
                if (e < 0)
                        return e;
                if (node->kind == YAML_MAP && !key) {
                        key = child;
                        continue;
                }
                e = node_grow(node);
                if (e < 0)
                        return e;
                if (key)
                        node->keys[node->n] = steal_pointer(key);
                node->items[node->n++] = child;
        }
}

static int read_node(struct reader *r, struct fy_event *event, struct pos fallback, unsigned depth, struct yaml_node **ret) {
        struct pos pos = event_pos(r, event, fallback);
        int e;

        if (event->type == FYET_ALIAS && pos.column > 1)
                pos.column--; /* libfyaml's mark stands behind the asterisk */
        if (depth > YAML_DEPTH_MAX) {
                diag_error(r->diags, pos, "nested deeper than %d levels", YAML_DEPTH_MAX);
                return -EBADMSG;
        }
        if (event->type == FYET_ALIAS || fy_event_get_anchor_token(event))
                diag_error(r->diags, pos, "anchors and aliases (&, *) are not supported: write it out");
        else if (fy_event_get_tag_token(event))
                diag_error(r->diags, pos, "tags (!) are not supported");
        switch (event->type) {
        case FYET_ALIAS:
        case FYET_SCALAR:
                return read_scalar(r, event, pos, ret);
        case FYET_SEQUENCE_START:
                e = node_new(r, YAML_LIST, pos, ret);
                return e < 0 ? e : read_children(r, *ret, FYET_SEQUENCE_END, depth);
        case FYET_MAPPING_START:
                e = node_new(r, YAML_MAP, pos, ret);
                return e < 0 ? e : read_children(r, *ret, FYET_MAPPING_END, depth);
        default:
                return -EBADMSG;
        }
}

static int read_root(struct reader *r, struct fy_event *event, struct pos start) {
        struct yaml_doc *doc = r->doc;
        struct yaml_node **roots = reallocarray(doc->roots, doc->n_roots + 1, sizeof(*roots)), *root;
        int e;

        if (!roots)
                return -ENOMEM;
        doc->roots = roots;
        e = read_node(r, event, start, 0, &root);
        if (e == 0)
                doc->roots[doc->n_roots++] = root;
        return e;
}

/* The one document of the stream, or all. */
static int read_stream(struct reader *r) {
        struct pos start = {r->doc->file, 1, 1};
        struct fy_event *event;
        int e = 0;

        while (e == 0 && (event = fy_parser_parse(r->parser))) {
                if (event->type == FYET_DOCUMENT_START && r->doc->n_roots > 0 && !r->many) {
                        diag_error(r->diags, event_pos(r, event, start), "a second document starts here; one is expected");
                        e = -EBADMSG;
                } else if (event->type == FYET_SCALAR || event->type == FYET_ALIAS || event->type == FYET_SEQUENCE_START ||
                           event->type == FYET_MAPPING_START)
                        e = read_root(r, event, start);
                fy_parser_event_free(r->parser, event);
        }
        return e;
}

/* The length of the character in UTF-8 at p; 0: it is none. */
static size_t utf8_length(const unsigned char *p, size_t n) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 ? 4 : 0;
        uint32_t c = len > 1 ? p[0] & (0xffu >> (len + 1)) : p[0];

        if (len == 0 || len > n || p[0] > 0xf4)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        return c < least[len] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : len;
}

/* libfyaml stops at NUL and passes other control characters on: neither may make a file read differently from what it shows. Bytes that
 * are no UTF-8 it may look at for ever, in a directive (%...). */
static bool text_clean(const char *file, const char *p, size_t n, struct diags *diags) {
        struct pos pos = {file, 1, 1};
        size_t len;

        for (size_t i = 0; i < n; i += len, pos.column++) {
                unsigned char c = p[i];

                len = utf8_length((const unsigned char *)p + i, n - i);
                if (len == 0) {
                        diag_error(diags, pos, "the byte 0x%02x is not UTF-8", c);
                        return false;
                }
                if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
                        diag_error(diags, pos, "control character 0x%02x", c);
                        return false;
                }
                if (c == '\n')
                        pos = (struct pos){file, pos.line + 1, 0};
        }
        return true;
}

static void report_syntax(struct reader *r, struct fy_diag *diag) {
        struct fy_diag_error *error;
        void *iter = NULL;
        size_t before = r->diags->n_errors;

        while ((error = fy_diag_errors_iterate(diag, &iter)))
                diag_error(r->diags, (struct pos){r->doc->file, error->line, error->column}, "%s", error->msg);
        if (r->diags->n_errors == before && r->doc->n_roots == 0)
                diag_error(r->diags, (struct pos){r->doc->file, 1, 1}, "the file is empty");
}

/* Not fy_diag_unref(), which leaks what was collected. */
static void diag_destroy_p(struct fy_diag **d) {
        if (*d)
                fy_diag_destroy(*d);
}
static void parser_destroy_p(struct fy_parser **p) {
        if (*p)
                fy_parser_destroy(*p);
}

static int parse(const char *file, const void *p, size_t n, bool many, struct diags *diags, struct yaml_doc **ret) {
        cleanup(diag_destroy_p) struct fy_diag *diag = NULL;
        cleanup(parser_destroy_p) struct fy_parser *parser = NULL;
        cleanup_yaml struct yaml_doc *doc = new_array(1, sizeof(*doc));
        size_t before = diags->n_errors;
        struct reader r = {.doc = doc, .diags = diags, .many = many};
        struct fy_diag_cfg diag_cfg;
        int e;

        if (!doc || !(doc->file = strdup(file)))
                return -ENOMEM;
        if (n > YAML_FILE_MAX) {
                diag_error(diags, (struct pos){file}, "larger than %u MiB", YAML_FILE_MAX >> 20);
                return -EBADMSG;
        }
        if (!text_clean(doc->file, p, n, diags))
                return -EBADMSG;
        fy_diag_cfg_default(&diag_cfg);
        diag_cfg.fp = NULL;
        diag = fy_diag_create(&diag_cfg);
        if (!diag)
                return -ENOMEM;
        fy_diag_set_collect_errors(diag, true);
        parser = fy_parser_create(&(struct fy_parse_cfg){
                .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag});
        if (!parser || (n > 0 && fy_parser_set_string(parser, p, n) < 0))
                return -ENOMEM;
        r.parser = parser;
        e = n > 0 ? read_stream(&r) : 0;
        if (e == -ENOMEM)
                return e;
        report_syntax(&r, diag);
        if (diags->n_errors > before)
                return -EBADMSG;
        *ret = steal_pointer(doc);
        return 0;
}

int yaml_parse(const char *file, const void *p, size_t n, struct diags *diags, struct yaml_doc **ret) {
        return parse(file, p, n, false, diags, ret);
}

int yaml_parse_all(const char *file, const void *p, size_t n, struct diags *diags, struct yaml_doc **ret) {
        return parse(file, p, n, true, diags, ret);
}
