/* SPDX-License-Identifier: Apache-2.0 */
#include "path_pattern.h"

#include <ctype.h>

void path_pattern_done(struct path_pattern *p) {
        free(p->text);
        free(p->prefix);
        free(p->tokens);
        *p = (struct path_pattern){};
}

struct parser {
        const char *text;
        size_t len, at;
        size_t component; /* where the present one begins */
        struct path_pattern *p;
        size_t *ret_column;
        struct err *err;
};

/* `return err_set(p->err, refused(p, AT), ...)`: for the place where it is wrong. */
static int refused(struct parser *p, size_t at) {
        if (p->ret_column)
                *p->ret_column = at + 1;
        return -EINVAL;
}
#define REFUSE(p, at, ...) err_set((p)->err, refused(p, at), REASON_MALFORMED, __VA_ARGS__)

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

static void add_byte(struct path_pattern *p, char c) {
        if (p->kind == PATH_GLOB)
                p->tokens[p->n++] = (struct path_token){.kind = PATH_BYTE, .byte = (uint8_t)c};
        else
                p->prefix[p->literal++] = c;
}

static void add_glob(struct path_pattern *p, struct path_token token) {
        p->kind = PATH_GLOB;
        p->tokens[p->n++] = token;
}

static const struct path_token any_char = {.kind = PATH_CHAR, .others = true, .ascii = {~(1ULL | 1ULL << '/'), ~0ULL}};

/* ---- pieces -------------------------------------------------------------------------------------------------------- */

static int parse_escape(struct parser *p) {
        char c;

        if (p->at + 1 == p->len)
                return REFUSE(p, p->at, "nothing follows the '\\'");
        c = p->text[p->at + 1];
        if (c == '/')
                return REFUSE(p, p->at, "a '/' separates components and cannot be escaped");
        if (isascii(c) && isalnum(c))
                return REFUSE(p, p->at, "'\\%c' means nothing: this is a path, not a regular expression", c);
        add_byte(p->p, c);
        p->at += 2;
        return 0;
}

static int parse_stars(struct parser *p) {
        size_t n = strspn(p->text + p->at, "*");
        size_t end = p->at + n;

        if (n > 2)
                return REFUSE(p, p->at, "'***' means nothing; '*' stays within a component, '**' does not");
        p->at = end;
        if (n == 1) {
                add_glob(p->p, (struct path_token){.kind = PATH_STAR});
                return 0;
        }
        if (end - n == p->component && end + 1 < p->len && p->text[end] == '/') {
                /* twice in a row says what one says */
                if (!p->p->n || p->p->tokens[p->p->n - 1].kind != PATH_DEEP)
                        add_glob(p->p, (struct path_token){.kind = PATH_DEEP});
                p->at = p->component = end + 1;
                return 0;
        }
        add_glob(p->p, (struct path_token){.kind = PATH_STAR_STAR});
        return 0;
}

/* One character between brackets, at *at: behind a '\' it has no meaning but itself. */
static int parse_member(struct parser *p, size_t *at, uint8_t *ret) {
        char c = p->text[*at];

        if (c == '\\') {
                c = p->text[++*at];
                if (isascii(c) && isalnum(c))
                        return REFUSE(p, *at - 1, "'\\%c' means nothing between brackets", c);
        } else if (c == '[' && *at + 1 < p->len && strchr(":.=", p->text[*at + 1]))
                return REFUSE(p, *at, "'[%c' is not known here: name the characters, or a range such as a-z", p->text[*at + 1]);
        if (!isascii(c))
                return REFUSE(p, *at, "only ASCII can stand between brackets; write a path for each of the others");
        ++*at;
        *ret = (uint8_t)c;
        return 0;
}

/* Where the ']' is that closes the '[' at `at`; 0: nowhere in this component. */
static size_t bracket_end(const struct parser *p, size_t at) {
        size_t i = at + 1;

        if (p->text[i] == '!' || p->text[i] == '^')
                i++;
        for (size_t first = i; i < p->len && p->text[i] != '/'; i++) {
                if (p->text[i] == ']' && i > first)
                        return i;
                if (p->text[i] == '\\' && ++i < p->len && p->text[i] == '/')
                        break;
        }
        return 0;
}

static int parse_brackets(struct parser *p) {
        size_t end = bracket_end(p, p->at), at = p->at + 1;
        struct path_token token = {.kind = PATH_CHAR};

        if (!end)
                return REFUSE(p, p->at, "no ']' closes this '[' before the component ends");
        if (p->text[at] == '^')
                return REFUSE(p, at, "all but some characters is '[!...]'; for the character '^' itself, '\\^'");
        if (p->text[at] == '!') {
                token.others = true;
                at++;
        }
        while (at < end) {
                size_t from = at;
                uint8_t lo, hi;
                int r = parse_member(p, &at, &lo);

                if (r < 0)
                        return r;
                hi = lo;
                if (p->text[at] == '-' && at + 1 < end) {
                        at++;
                        r = parse_member(p, &at, &hi);
                        if (r < 0)
                                return r;
                        if (hi < lo)
                                return REFUSE(p, from, "the range '%c-%c' runs backwards", lo, hi);
                }
                for (unsigned c = lo; c <= hi; c++)
                        token.ascii[c / 64] |= 1ULL << c % 64;
        }
        if (token.others) {
                token.ascii[0] = ~token.ascii[0];
                token.ascii[1] = ~token.ascii[1];
        }
        for (int i = 0; i < 2; i++)
                token.ascii[i] &= any_char.ascii[i];
        add_glob(p->p, token);
        p->at = end + 1;
        return 0;
}

/* A component has ended in front of p->at. */
static int component_check(struct parser *p) {
        char plain[3] = "";
        size_t n = 0;

        for (size_t i = p->component; i < p->at; i++) {
                if (p->text[i] == '\\')
                        i++;
                if (p->text[i] != '.' || n == 2)
                        return 0;
                plain[n++] = '.';
        }
        return n ? REFUSE(p, p->component, "a component '%s' never occurs in a path that has been followed", plain) : 0;
}

static int parse_slash(struct parser *p) {
        int r;

        if (p->at > 0) {
                if (p->component == p->at)
                        return REFUSE(p, p->at, "an empty component: two '/' in a row");
                r = component_check(p);
                if (r < 0)
                        return r;
        }
        p->at++;
        p->component = p->at;
        if (p->at == p->len) {
                p->p->tree = true;
                if (p->p->kind == PATH_EXACT)
                        p->p->kind = PATH_TREE;
        } else
                add_byte(p->p, '/');
        return 0;
}

static int parse_one(struct parser *p) {
        switch (p->text[p->at]) {
        case '/':
                return parse_slash(p);
        case '\\':
                return parse_escape(p);
        case '*':
                return parse_stars(p);
        case '[':
                return parse_brackets(p);
        case '?':
                add_glob(p->p, any_char);
                break;
        case ']':
                return REFUSE(p, p->at, "no '[' opens this ']'; for the character itself, '\\]'");
        case '{':
        case '}':
                return REFUSE(p, p->at,
                              "alternatives in braces are not known: write a path for each; for the character itself, '\\%c'",
                              p->text[p->at]);
        default:
                add_byte(p->p, p->text[p->at]);
        }
        p->at++;
        return 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static int check_bytes(struct parser *p) {
        if (p->len > PATH_PATTERN_MAX)
                return err_set(p->err, refused(p, PATH_PATTERN_MAX), REASON_TOO_LARGE,
                               "longer than any path: %d bytes is the limit", PATH_PATTERN_MAX);
        for (size_t i = 0; i < p->len; i++)
                if (iscntrl((unsigned char)p->text[i]) && isascii(p->text[i]))
                        return REFUSE(p, i, "a control character, 0x%02x, cannot be in it; '?' matches it", (uint8_t)p->text[i]);
        if (!p->len || p->text[0] != '/')
                return REFUSE(p, 0, "not absolute: a path begins with '/'");
        return 0;
}

/* Patterns come by the ten thousand, and tokens are many times as large as text. */
static void shrink(struct path_pattern *p) {
        void *tokens = realloc(p->tokens, (p->n ? p->n : 1) * sizeof(*p->tokens));
        void *prefix = realloc(p->prefix, p->literal + 1);

        p->tokens = tokens ?: p->tokens;
        p->prefix = prefix ?: p->prefix;
}

int path_pattern_parse_at(const char *text, size_t len, struct path_pattern *ret, size_t *ret_column, struct err *err) {
        cleanup_path_pattern struct path_pattern pattern = {};
        struct parser p = {.len = len, .p = &pattern, .ret_column = ret_column, .err = err};
        int r;

        p.text = text;
        r = check_bytes(&p);
        if (r < 0)
                return r;
        /* At most one of each for a byte; a copy, because that ends in NUL: looking one byte ahead is safe. */
        pattern.text = strndup(text, len);
        pattern.prefix = malloc(len + 1);
        pattern.tokens = new_array(strcspn(pattern.text ? pattern.text : "", "*?[") < len ? len : 0, sizeof(*pattern.tokens));
        if (!pattern.text || !pattern.prefix || !pattern.tokens)
                return err_errno(err, -ENOMEM, "path");
        p.text = pattern.text;
        while (p.at < len) {
                r = parse_one(&p);
                if (r < 0)
                        return r;
        }
        r = component_check(&p);
        if (r < 0)
                return r;
        pattern.prefix[pattern.literal] = 0;
        shrink(&pattern);
        *ret = pattern;
        pattern = (struct path_pattern){};
        return 0;
}

int path_pattern_parse(const char *text, struct path_pattern *ret, struct err *err) {
        size_t column = 0;
        int r = path_pattern_parse_at(text, strlen(text), ret, &column, err);

        return r < 0 && column ? err_wrap(err, r, "'%s', byte %zu", text, column) : r;
}

int path_pattern_compare(const struct path_pattern *a, const struct path_pattern *b) {
        if (a->kind == PATH_ADDRESS || b->kind == PATH_ADDRESS)
                return (a->rank > b->rank) - (a->rank < b->rank);
        if ((a->kind == PATH_EXACT) != (b->kind == PATH_EXACT))
                return a->kind == PATH_EXACT ? 1 : -1;
        if (a->kind == PATH_EXACT)
                return 0; /* that both match: they are the same */
        return (a->literal > b->literal) - (a->literal < b->literal);
}

/* ---- whether one takes in another ------------------------------------------------------------------------------------ */

static size_t length(const struct path_pattern *p) {
        return p->literal + p->n;
}

static struct path_token token_at(const struct path_pattern *p, size_t i) {
        if (i < p->literal)
                return (struct path_token){.kind = PATH_BYTE, .byte = (uint8_t)p->prefix[i]};
        return p->tokens[i - p->literal];
}

static bool is_slash(struct path_token t) {
        return t.kind == PATH_BYTE && t.byte == '/';
}

/* How many of b's tokens from j on one character of a's set takes, whatever they stand for; 0: not surely. */
static size_t char_takes(const struct path_token *set, const struct path_pattern *b, size_t j) {
        struct path_token t = token_at(b, j);
        size_t n = 1;

        if (t.kind == PATH_CHAR)
                return !(t.ascii[0] & ~set->ascii[0]) && !(t.ascii[1] & ~set->ascii[1]) && (set->others || !t.others);
        if (t.kind != PATH_BYTE)
                return 0;
        if (t.byte < 0x80)
                return set->ascii[t.byte / 64] >> t.byte % 64 & 1;
        if (!set->others)
                return 0;
        for (; j + n < length(b); n++) {
                t = token_at(b, j + n);
                if (t.kind != PATH_BYTE || (t.byte & 0xc0) != 0x80)
                        break;
        }
        return n;
}

/* Whether a's tokens from one of its kind `t` on take in b's from j on. here: from `t` on, for larger j; behind: without `t`. */
static bool step_covers(const struct path_token *t, bool last, const struct path_pattern *b, size_t j, const bool *here,
                        const bool *behind) {
        struct path_token other;
        size_t n;

        if (j == length(b)) {
                if (t->kind == PATH_STAR_STAR && last) /* the tree as well, if there is one */
                        return true;
                return t->kind != PATH_BYTE && t->kind != PATH_CHAR && behind[j];
        }
        other = token_at(b, j);
        switch (t->kind) {
        case PATH_BYTE:
                return other.kind == PATH_BYTE && other.byte == t->byte && behind[j + 1];
        case PATH_CHAR:
                n = char_takes(t, b, j);
                return n && behind[j + n];
        case PATH_STAR:
                return behind[j] ||
                       ((other.kind == PATH_CHAR || other.kind == PATH_STAR || (other.kind == PATH_BYTE && !is_slash(other))) &&
                        here[j + 1]);
        case PATH_STAR_STAR:
                return behind[j] || here[j + 1];
        case PATH_DEEP:
                if (behind[j])
                        return true;
                for (; j < length(b); j++) {
                        other = token_at(b, j);
                        if (other.kind == PATH_DEEP || is_slash(other))
                                return here[j + 1];
                }
        }
        return false;
}

static bool glob_covers(const struct path_pattern *a, const struct path_pattern *b) {
        bool rows[2][PATH_PATTERN_MAX + 2];
        size_t n = length(b);

        /* a at its end: at b's end, or where b goes below what a is a tree of */
        for (size_t j = a->literal; j <= n; j++)
                rows[a->n & 1][j] = j == n ? a->tree || !b->tree : a->tree && is_slash(token_at(b, j));
        for (size_t i = a->n; i-- > 0;) {
                bool *here = rows[i & 1], *behind = rows[!(i & 1)];

                for (size_t j = n + 1; j-- > a->literal;)
                        here[j] = step_covers(&a->tokens[i], i + 1 == a->n, b, j, here, behind);
        }
        return rows[0][a->literal];
}

bool path_pattern_covers(const struct path_pattern *a, const struct path_pattern *b) {
        if (a->kind == PATH_ADDRESS || b->kind == PATH_ADDRESS)
                return a->kind == b->kind && streq(a->text, b->text);
        if (a->literal > b->literal || memcmp(a->prefix, b->prefix, a->literal) != 0)
                return false;
        if (a->kind == PATH_GLOB)
                return glob_covers(a, b);
        if (length(b) > a->literal)
                return a->tree && is_slash(token_at(b, a->literal));
        return a->tree || !b->tree;
}
