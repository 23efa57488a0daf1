/* layout.h - the DDL of the state tables. */
#ifndef GR_SRC_SINK_LAYOUT_H
#define GR_SRC_SINK_LAYOUT_H

enum {
    GR_STATE_LAYOUT = 3,
    GR_STATE_LAYOUT_READ = 2, /* the oldest that has what is looked at */
};

/* Statements in which @ stands for the quoted schema; NULL ends the list. All of them run in one
   transaction, and are harmless where the tables exist. */
extern const char *const gr_state_ddl[];

#endif
