/*
 * gr/cli/options.h - what the command line says.
 *
 * One table of commands and one of options; the parser, the help and the reference are made from
 * them, and a test walks them. Options and arguments may come in any order; `--` ends the options.
 * The values of --mode, --range and --streams are judged by gr/spec/plan.h, which knows the words.
 *
 * Shape   gr_options_parse, gr_options_free
 * Errors  GR_FAULT_USAGE
 * Owns    texts are borrowed from argv, or live in the arena of the struct
 */
#ifndef GR_CLI_OPTIONS_H
#define GR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"

enum gr_command_id {
    GR_COMMAND_RUN,
    GR_COMMAND_DISCOVER,
    GR_COMMAND_CHECK,
    GR_COMMAND_INIT,
    GR_COMMAND_VALIDATE,
    GR_COMMAND_PREVIEW,
    GR_COMMAND_STATUS,
    GR_COMMAND_AUDIT,
    GR_COMMAND_STATE,
    GR_COMMAND_REPORT,
    GR_COMMAND_REFERENCE,
    GR_COMMAND_COUNT
};

struct gr_options;

/* A row of the table of commands. */
struct gr_command {
    const char *name;
    const char *arguments; /* words, each one argument: "FILE", "FILE [STREAM...]"    */
    const char *help;      /* one line                                                */
    int (*run)(const struct gr_options *options);
    bool is_hidden; /* not in --help                                                  */
};

extern const struct gr_command gr_commands[GR_COMMAND_COUNT];

/* What --help and the reference say beyond the line, for those who need it: text, or NULL. */
extern const char *const gr_command_details[GR_COMMAND_COUNT];

enum gr_option_kind {
    GR_OPTION_FLAG,     /* takes no value; bool                                       */
    GR_OPTION_TEXT,     /* const char *; the last one counts                          */
    GR_OPTION_WORDS,    /* const char *; several are joined by commas                 */
    GR_OPTION_PAIR,     /* K=V, any number of them; struct gr_option_pairs            */
    GR_OPTION_NUMBER,   /* int64_t, from 1                                            */
    GR_OPTION_DURATION, /* int64_t, milliseconds, more than 0                         */
    GR_OPTION_CHOICE,   /* const char *, one of the words of `argument`               */
    GR_OPTION_KINDS
};

/* A row of the table of options. */
struct gr_option {
    const char *name;     /* without the dashes                                       */
    char letter;          /* of the short form, or 0                                  */
    const char *argument; /* what the help calls its value, "" for a flag             */
    enum gr_option_kind kind;
    size_t at;            /* offset of its value in struct gr_options                 */
    unsigned commands;    /* bits 1 << id; bit GR_COMMAND_COUNT: without any command  */
    const char *fallback; /* the value when it is not given, or NULL                  */
    const char *help;     /* one line                                                 */
};

/* Of two rows of one name, each is of other commands. */
extern const struct gr_option gr_option_rows[];
extern const size_t gr_option_row_count;

/* A list of K=V, ended by NULL. */
struct gr_option_pairs {
    const char **items;
    size_t count;
};

struct gr_options {
    struct gr_arena *arena;           /* owned                                        */
    const struct gr_command *command; /* NULL with --help or --version alone          */
    const char *file;                 /* NULL for a command that takes none           */
    const char *const *words;         /* arguments behind it                          */
    size_t word_count;
    bool wants_help;
    bool wants_version;
    bool wants_discover;
    bool wants_columns;
    bool is_full_refresh;
    bool is_dry_run;
    const char *streams;
    const char *mode;
    const char *range;
    const char *schemas;
    const char *format;
    const char *output;
    const char *page;
    const char *progress;
    const char *log_level;
    const char *log_format;
    const char *metrics_file;
    const char *source;
    const char *target;
    int64_t limit_rows;      /* 0: none                                      */
    int64_t threads;         /* 0: not said                                  */
    int64_t max_duration_ms; /* 0: none                                      */
    int64_t max_requests;    /* 0: not said                                  */
    struct gr_option_pairs env;
};

/*
 * Reads the command line. *out is to be freed also when false is returned: its log_format then says
 * in which form the error is to be written.
 */
bool gr_options_parse(int argc, const char *const *argv, struct gr_options *out,
                      struct gr_error *err);
void gr_options_free(struct gr_options *options);

/* Reads the value of an option, as it was `written` on the command line, into its place. A flag's
   value is not looked at. */
bool gr_option_set(struct gr_options *options, const struct gr_option *option, const char *written,
                   const char *value, struct gr_error *err);

/* The bit of a command in gr_option.commands; NULL: no command. */
unsigned gr_command_bit(const struct gr_command *command);

#endif
