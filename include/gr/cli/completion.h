/*
 * gr/cli/completion.h - completions for shells and the manual page, printed from the tables of
 * gr/cli/options.h. Pure.
 *
 * They are in packaging/, and a test compares them with what is printed here.
 */
#ifndef GR_CLI_COMPLETION_H
#define GR_CLI_COMPLETION_H

#include "gr/base/buf.h"
#include "gr/cli/options.h"

/* What a shell offers for a value. */
enum gr_offer {
    GR_OFFER_NOTHING,
    GR_OFFER_WORDS, /* of a closed list                */
    GR_OFFER_LIST,  /* of a closed list, apart by commas */
    GR_OFFER_YAML,  /* a file to read                  */
    GR_OFFER_FILE,  /* a file to write                 */
    GR_OFFER_FOLDER,
    GR_OFFERS
};

/* What to offer for an argument as the tables write it: "FILE", "[STREAM...]", "text|json". Appends
   the words, apart by spaces. */
enum gr_offer gr_completion_offer(const char *argument, struct gr_buf *words);

/* The argument of a command at `place`, from 0, cut from "FILE show|reset|set [STREAM...]"; the
   last one with dots stands for all behind it. False: there is none. */
bool gr_completion_argument(const struct gr_command *command, size_t place, struct gr_buf *out);

/* True if the option belongs to the command; NULL: to the program without one. */
bool gr_completion_takes(const struct gr_command *command, const struct gr_option *option);

/* Appends the script that makes a shell complete the command line. */
void gr_completion_put_bash(struct gr_buf *out);
void gr_completion_put_zsh(struct gr_buf *out);
void gr_completion_put_fish(struct gr_buf *out);

/* Appends the manual page in man(7)'s macros. */
void gr_man_put(struct gr_buf *out);

#endif
