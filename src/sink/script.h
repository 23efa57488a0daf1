/* script.h - what a script is made of: shared by script.c (writing it) and run.c (running it). */
#ifndef GR_SRC_SINK_SCRIPT_H
#define GR_SRC_SINK_SCRIPT_H

#include "gr/sink/script.h"

/* What a step's outcome decides when it touches no row. */
enum decides {
    DECIDES_NOTHING,
    DECIDES_FENCE,  /* the run ends                          */
    DECIDES_CHECK,  /* the script fails                      */
    DECIDES_GATE,   /* the steps up to `past` are left out   */
    DECIDES_CHOICE, /* the same, and what the next one sends */
};

struct step {
    char *sql;     /* owned                                       */
    char **params; /* owned, and so are the texts                 */
    size_t param_count;
    bool is_copy;
    struct gr_buf data; /* of a COPY: tuples                           */
    bool is_open;       /* more of them may come                       */
    size_t *tuples;     /* owned; bytes of each, where some are chosen */
    size_t tuple_count;
    bool is_chosen; /* the others are gone from the data           */
    enum decides decides;
    char *message; /* owned; of a check                           */
    char *hint;    /* owned; of a check                           */
    size_t past;   /* of a gate: the step to go on with           */
    int64_t touched;
    struct gr_rows rows;
};

/* What is being waited for. */
enum phase {
    PHASE_IDLE,
    PHASE_PIPE,       /* results of a group of statements              */
    PHASE_COPY_BEGIN, /* the server's answer to COPY                   */
    PHASE_COPY_DATA,  /* room to send                                  */
    PHASE_COPY_END,   /* the server's verdict                          */
    PHASE_ROLLBACK,
    PHASE_DONE,
    PHASE_FAILED,
};

struct gr_script {
    char *what;         /* owned                                      */
    struct step *steps; /* owned                                      */
    size_t count;
    size_t cap;
    int64_t session;  /* that it is bound to; 0: any                */
    size_t gate;      /* the open gate while writing, or SIZE_MAX   */
    size_t open;      /* the COPY that is or was open, or SIZE_MAX  */
    bool is_relaxed;  /* its commit need not be on disk             */
    bool is_given_up; /* its open COPY is                           */

    struct gr_pg *pg; /* borrowed while running                     */
    enum phase phase;
    size_t at;   /* the step whose result comes next           */
    size_t sent; /* steps before this one are on their way     */
    bool has_begun;
    bool awaits_begin;  /* its result comes before that of `at`       */
    bool awaits_commit; /* its result comes after that of `sent` - 1  */
    bool is_committed;
    size_t left_out; /* tuples that were not chosen                */
    size_t copied;   /* bytes of header, data, trailer handed over */
    bool wants_write;
    bool has_failed;
    struct gr_error failure;
};

enum { COPY_HEADER_BYTES = 19 };

#endif
