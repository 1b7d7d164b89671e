/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"

#define LETTERS_MAX 64
#define OPTIONS_MAX 32

/* ---- help ---------------------------------------------------------------------------------------------------------- */

static void option_label(const struct option_spec *o, char *ret, size_t n) {
        snprintf(ret, n, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ?: ' ', o->letter ? ", " : " ", o->name,
                 o->arg ? " " : "", o->arg ?: "");
}

static void command_help(const struct command *c) {
        char label[64];

        printf("usage: lsmbundle %s%s %s\n\n%s.\n", c->name, c->n_options > 0 ? " [options]" : "", c->operands, c->summary);
        if (c->details)
                printf("\n%s", c->details);
        printf("\noptions:\n");
        for (size_t i = 0; i < c->n_options; i++) {
                option_label(&c->options[i], label, sizeof(label));
                printf("  %-26s %s%s\n", label, c->options[i].help, c->options[i].repeats ? " (may be given several times)" : "");
        }
        option_label(&(struct option_spec){"help", 'h'}, label, sizeof(label));
        printf("  %-26s this text\n", label);
}

/* ---- parsing ------------------------------------------------------------------------------------------------------- */

/* getopt's tables; the option at index i of `long_options` is options[i], the last one is --help. */
static void tables_make(const struct command *c, struct option *long_options, char *letters) {
        size_t n = 0;

        letters[n++] = ':'; /* "missing value" is told apart from "unknown" */
        for (size_t i = 0; i < c->n_options; i++) {
                const struct option_spec *o = &c->options[i];

                long_options[i] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL, 256 + (int)i};
                if (o->letter) {
                        letters[n++] = o->letter;
                        if (o->arg)
                                letters[n++] = ':';
                }
        }
        long_options[c->n_options] = (struct option){"help", no_argument, NULL, 'h'};
        letters[n++] = 'h';
        letters[n] = '\0';
}

static const struct option_spec *option_found(const struct command *c, int found) {
        if (found >= 256)
                return &c->options[found - 256];
        for (size_t i = 0; i < c->n_options; i++)
                if (c->options[i].letter == found)
                        return &c->options[i];
        return NULL;
}

static int option_take(struct args *args, const struct option_spec *spec, const char *value) {
        if (!spec->repeats && args_has(args, spec->name))
                return usage_error(args->command, "--%s is given twice", spec->name);
        args->options[args->n_options++] = (struct option_value){spec, value};
        return 0;
}

static int operands_take(struct args *args, int argc, char **argv) {
        const struct command *c = args->command;

        args->operands = (const char *const *)argv;
        args->n_operands = (size_t)argc;
        if (args->n_operands < c->min_operands)
                return usage_error(c, "%s is needed", c->operands);
        if (args->n_operands > c->max_operands)
                return usage_error(c, "'%s' is too much", argv[c->max_operands]);
        return 0;
}

bool args_parse(const struct command *c, int argc, char **argv, struct args *ret, int *ret_code) {
        cleanup_args struct args args = {.command = c, .options = new_array((size_t)argc + 1, sizeof(*args.options))};
        struct option long_options[OPTIONS_MAX] = {};
        char letters[LETTERS_MAX];
        int found, code = 0;

        if (!args.options) {
                *ret_code = report_error(NULL, &(struct err){.msg = "out of memory"}, -ENOMEM);
                return false;
        }
        tables_make(c, long_options, letters);
        optind = 1;
        opterr = 0;
        while (code == 0 && (found = getopt_long(argc, argv, letters, long_options, NULL)) >= 0) {
                const struct option_spec *spec = found == '?' || found == ':' ? NULL : option_found(c, found);

                if (found == 'h' && !spec) {
                        command_help(c);
                        *ret_code = output_end(0);
                        return false;
                }
                if (found == ':')
                        code = usage_error(c, "'%s' needs a value", argv[optind - 1]);
                else if (!spec)
                        code = usage_error(c, "there is no option '%s'", argv[optind - 1]);
                else
                        code = option_take(&args, spec, optarg);
        }
        if (code == 0)
                code = operands_take(&args, argc - optind, argv + optind);
        if (code != 0) {
                *ret_code = code;
                return false;
        }
        *ret = args;
        args = (struct args){};
        return true;
}

void args_done(struct args *args) {
        free(args->options);
}

/* ---- what was given ------------------------------------------------------------------------------------------------ */

const char *args_nth(const struct args *args, const char *name, size_t i) {
        for (size_t k = 0; k < args->n_options; k++)
                if (streq(args->options[k].spec->name, name) && i-- == 0)
                        return args->options[k].value;
        return NULL;
}

const char *args_get(const struct args *args, const char *name) {
        return args_nth(args, name, 0);
}

bool args_has(const struct args *args, const char *name) {
        for (size_t k = 0; k < args->n_options; k++)
                if (streq(args->options[k].spec->name, name))
                        return true;
        return false;
}

int args_number(const struct args *args, const char *name, uint64_t min, uint64_t max, uint64_t *ret) {
        const char *text = args_get(args, name);
        uint64_t v = 0;
        bool ok = text && *text;

        if (!text)
                return 0;
        for (const char *s = text; *s; s++)
                ok = ok && isdigit((unsigned char)*s) && !mul_overflows(v, 10, &v) && !add_overflows(v, *s - '0', &v);
        if (!ok || v < min || v > max) {
                usage_error(args->command, "--%s '%s': a whole number from %ju to %ju is expected", name, text, (uintmax_t)min,
                            (uintmax_t)max);
                return -EINVAL;
        }
        *ret = v;
        return 0;
}
