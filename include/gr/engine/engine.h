/*
 * gr/engine/engine.h - what the modules of the engine share: the run and its connections.
 *
 * Shape   run.c owns the loop; request.c sends and receives; leasing.c asks whether it may;
 *         warehouse.c runs scripts, spare.c has a second session for it; stream.c has the phases,
 *         and opening.c, auditing.c, walking.c, filling.c, finish.c, comparing.c, settle.c, drain.c
 *         and closing.c do them
 * Errors  as their functions say
 * Owns    the engine owns its connections and streams
 */
#ifndef GR_ENGINE_ENGINE_H
#define GR_ENGINE_ENGINE_H

#include "gr/engine/stream.h"
#include "gr/sink/state.h"
#include "gr/source/lease.h"
#include "gr/source/oauth.h"

/* The run's part of the budget that it shares with other runs. */
struct gr_leasing {
    struct gr_pg *pg;         /* owned; a session of its own, or NULL                 */
    bool is_opening;          /* it does not stand yet                                */
    struct gr_script *script; /* owned; the question that is under way, or NULL       */
    size_t step;              /* of its answer                                        */
    struct gr_lease lease;
    bool was_told; /* the operator knows that it could not be had          */
};

/* A script at work in a session. */
struct gr_job {
    struct gr_pg *pg;         /* borrowed                                             */
    struct gr_script *script; /* owned; NULL: none                                    */
    struct gr_stream *owner;  /* of the script                                        */
    struct gr_error error;    /* why it could not begin; GR_OK                        */
    int64_t begun_ms;
};

/* A second session, in which rows go on to a backend while the first one ends their predecessors.
   It is there only once a backend was slower than the pages. */
struct gr_spare {
    struct gr_pg *pg; /* owned, or NULL                                       */
    enum {
        GR_SPARE_UNASKED,
        GR_SPARE_OPENING,
        GR_SPARE_UNPROVEN, /* it stands; whether beside the same server's life as the first one
                              is to be seen: or that one's commits may be gone already      */
        GR_SPARE_READY,
        GR_SPARE_RETIRED /* it could not be had, or has broken: no more in this run        */
    } state;
};

struct gr_engine {
    const struct gr_plan *plan;
    const struct gr_run_options *options;
    struct gr_run_report *report;
    struct gr_http *http;
    struct gr_oauth oauth;
    bool was_renewed; /* after a refusal; cleared by the next good answer    */
    struct gr_pg *pg;
    struct gr_ratelimit budget;
    struct gr_leasing leasing;
    struct gr_tape tape;       /* owned; of the page that is being read                */
    struct gr_stream *streams; /* owned */
    size_t count;
    size_t lane_count;  /* of each stream                                       */
    size_t turn;        /* whose lanes are served first: everybody in turn      */
    struct gr_job job;  /* the script that is whole, of which there is one ...  */
    struct gr_job fill; /* ... and beside it the one whose COPY is open         */
    struct gr_spare spare;
    int conflicts;      /* times the job was tried again                        */
    int losses;         /* sessions that have broken                            */
    bool is_waited_for; /* somebody found the warehouse at work                 */
    bool is_claimed;    /* the fill will be the next job                        */
    int64_t run_id;
    bool was_reached;            /* the source has answered something                    */
    bool was_answered;           /* ... as the API does, with JSON                       */
    const struct gr_lane *scout; /* until then, the only lane that may ask; NULL: any    */
    bool is_stopping;            /* no further request; what is there is committed       */
    bool was_stopped;            /* by a signal or --max-duration                        */
    bool has_wound_down;         /* after a fault that ends the run                      */
    struct gr_error fatal;       /* what ends the run; GR_OK                             */
    struct gr_error closed;      /* why the account takes no further request in time; GR_OK */
    uint64_t random;             /* state of the jitter                                  */
};

/* What a commit is to the stream. */
enum gr_commit_kind {
    GR_COMMIT_PLAIN,
    GR_COMMIT_RELAXED,  /* need not be on disk when it is done           */
    GR_COMMIT_COMPLETE, /* all is there up to the moment when the walk began */
};

/* --- run.c ---------------------------------------------------------------------------------- */

/* The stream of the plan that is called `name`, or NULL. */
struct gr_stream *gr_engine_stream(struct gr_engine *engine, const char *name);

/* The run cannot go on. The first reason stands. */
void gr_engine_fail(struct gr_engine *engine, const struct gr_error *err);

/* --- stream.c ------------------------------------------------------------------------------- */

/* Goes on as far as possible without waiting. */
void gr_stream_step(struct gr_stream *stream);

/* A response for a lane: `fault` is NULL for a 2xx. False with a fault that is final for the
   stream; what may be tried again was dealt with before. */
bool gr_stream_answer(struct gr_lane *lane, struct gr_http_response *response,
                      const struct gr_error *fault, struct gr_error *err);

/* The stream's script is done. */
bool gr_stream_committed(struct gr_stream *stream, const struct gr_script *script,
                         struct gr_error *err);

/* Adds what a step of a script has counted to the report. */
void gr_stream_count(struct gr_stream *stream, const struct gr_script *script, size_t step);

/* Runs pre_sql or post_sql. Blocks. */
bool gr_stream_sql(struct gr_stream *stream, const char *what, const char *sql,
                   struct gr_error *err);

/* What the stream does or waits for right now, for the display; static. */
const char *gr_stream_activity(const struct gr_stream *stream, int64_t now_ms);

/* It has written rows: streams that it feeds have to look into their queues. */
void gr_settle_feed(struct gr_stream *feeder);

/* What gr_phase_open has made, undone. */
void gr_opening_undo(struct gr_stream *stream);

/* What was fetched and is not committed is let go, and the stream opens again from where its last
   commit was: to merge, because a row that was to be new was there already; or to go on as it did,
   because the session has taken an open COPY with it, or a commit that was not on disk. */
void gr_walking_refused_fill(struct gr_stream *stream);
void gr_walking_lost_session(struct gr_stream *stream);

/* True if the stream drains a queue in this run. */
bool gr_stream_has_queue(const struct gr_stream *stream);

/* The open table of the stream whose parent this one is, or NULL. */
const struct gr_table *gr_stream_child(const struct gr_stream *stream);

/* The stream has failed, or the run if the fault reaches so far. */
void gr_stream_fail(struct gr_stream *stream, const struct gr_error *err);

/* The stream is done; its lanes let go of what they had. */
void gr_stream_end(struct gr_stream *stream, enum gr_status status);

/* No further requests: a stream that is under way ends after what it has was committed. */
void gr_stream_stop(struct gr_stream *stream);
void gr_stream_free(struct gr_stream *stream);

/* What stream_runs is told. */
void gr_stream_totals(const struct gr_stream *stream, enum gr_status status,
                      struct gr_stream_totals *totals);

/* The state that is true with what has been committed and the batch. */
void gr_stream_commit_state(struct gr_stream *stream, struct gr_script *script, const char *walk,
                            int64_t bookmark_us, int64_t clock_us, enum gr_commit_kind kind);

/* --- request.c ------------------------------------------------------------------------------ */

/* The lane wants this GET; takes `url`. */
void gr_lane_request(struct gr_lane *lane, char *url);

/* Sends it at once, if it may go and nobody else waits for the budget. Safe while an answer is
   being read. */
bool gr_lane_send_now(struct gr_lane *lane);

/* Forgets what the lane does. */
void gr_lane_reset(struct gr_lane *lane);

/* The allowance of the run is used up: no further request may go. */
bool gr_requests_are_spent(const struct gr_engine *engine);

/* A lane has a request that waits to go. */
bool gr_requests_wait(const struct gr_engine *engine);

/* Starts as many requests as the budget allows. */
void gr_requests_start(struct gr_engine *engine, int64_t now_ms);

/* Hands finished requests to their lanes. */
void gr_requests_take(struct gr_engine *engine, int64_t now_ms);

/* When the next request may go, from now; -1: none waits. */
int64_t gr_requests_due_ms(const struct gr_engine *engine, int64_t now_ms);

/* --- leasing.c ------------------------------------------------------------------------------ */

/* Connects; without a connection the run goes on by its own count, and tries again now and then. */
void gr_leasing_open(struct gr_engine *engine, int64_t now_ms);
void gr_leasing_close(struct gr_engine *engine);

/* Asks for a lease if it is time to. */
void gr_leasing_ask(struct gr_engine *engine, int64_t now_ms);

/* Takes an answer. */
void gr_leasing_poll(struct gr_engine *engine, int64_t now_ms);

/* What to wait for; fd -1: nothing. */
struct gr_http_socket gr_leasing_socket(const struct gr_engine *engine);

/* --- warehouse.c ---------------------------------------------------------------------------- */

/* True if a script may be started now; if not, it is remembered that somebody waits. What a script
   has decided when it was written holds until it is committed, because there is one at a time; only
   rows of an open COPY, which nobody sees, go to the server beside it. */
bool gr_warehouse_is_free(struct gr_engine *engine);

/* The same, and no COPY is open either: for statements that the loop waits for, because what these
   wait for must not be something that waits for the loop. */
bool gr_warehouse_is_quiet(struct gr_engine *engine);

/* Where a fill of the stream may begin; NULL: nowhere now. */
struct gr_pg *gr_warehouse_place(const struct gr_stream *stream);

/* A script of the stream runs. */
bool gr_warehouse_works_for(const struct gr_stream *stream);

/* The script in the log, for those who want to see it. */
void gr_warehouse_show(const struct gr_stream *stream, const struct gr_script *script);

/* Starts the script (taken) of a stream. */
void gr_warehouse_start(struct gr_stream *stream, struct gr_script *script);

/* The same with one whose COPY is open, in that session; and it becomes the job, once no other is.
   False: not yet. */
void gr_warehouse_start_fill(struct gr_stream *stream, struct gr_script *script, struct gr_pg *pg);
bool gr_warehouse_end_fill(struct gr_engine *engine);

/* A new session in place of a broken one, with the locks and temporary tables of the old one; tries
   for a minute. */
bool gr_warehouse_reconnect(struct gr_engine *engine, struct gr_error *err);

/* Goes on with what runs; tells its owner when it is done. */
void gr_warehouse_poll(struct gr_engine *engine);

/* Goes on with what runs, without telling anybody what has become of it: so that the backends have
   work while a page is read. */
void gr_warehouse_push(const struct gr_engine *engine);

/* How long to wait for that at most: 0 if something has come to its end. */
int64_t gr_warehouse_pause_ms(const struct gr_engine *engine, int64_t most_ms);

/* What to wait for; fd -1: nothing. */
struct gr_http_socket gr_job_socket(const struct gr_job *job);

/* --- spare.c -------------------------------------------------------------------------------- */

/* The backend is slower than the pages. Does not wait for what it begins. */
void gr_spare_want(struct gr_engine *engine);
void gr_spare_poll(struct gr_engine *engine);
bool gr_spare_is_ready(const struct gr_engine *engine);

/* Not used any more; and gone: nothing runs in it. */
void gr_spare_retire(struct gr_engine *engine);
void gr_spare_close(struct gr_engine *engine);

/* What to wait for while it is opened; fd -1: nothing. */
struct gr_http_socket gr_spare_socket(const struct gr_engine *engine);

/* --- auditing.c ----------------------------------------------------------------------------- */

bool gr_stream_is_audit(const struct gr_stream *stream);

/* What the stream claims. */
struct gr_audit gr_auditing_claim(const struct gr_stream *stream);

/* The stream, or its parent, can be asked for by ids that are known here. */
bool gr_auditing_can_ask(const struct gr_stream *stream);

/* Takes up what is remembered of the stream. */
void gr_auditing_begin(struct gr_stream *stream, const struct gr_stream_state *state);

/* The fence of an audit's commit: `walk` of its list, or ids up to `after`, are remembered. */
void gr_auditing_commit_state(struct gr_stream *stream, struct gr_script *script, const char *walk,
                              int64_t after);

/* These keys are to be asked for next. */
void gr_auditing_ask(struct gr_stream *stream, const int64_t *keys, size_t key_count);

/* The last id that is answered once so many more answers of the window are committed. */
int64_t gr_auditing_position(const struct gr_stream *stream, size_t answers);

/* Reads what was found into the report. */
bool gr_auditing_collect(struct gr_engine *engine, struct gr_error *err);

/* --- making.c ------------------------------------------------------------------------------- */

/* Streams are made of the rows of this one. */
bool gr_making_is_wanted(const struct gr_stream *maker);

/* The maker begins a script; what a former one was to count is void. */
void gr_making_begin(struct gr_stream *maker);

/* Of the rows with these keys (NULL: of all), which the script has written before, rows are made.
 */
void gr_making_put(struct gr_stream *maker, struct gr_script *script, const int64_t *keys,
                   size_t count);

/* The maker's script is done. */
void gr_making_committed(struct gr_stream *maker, const struct gr_script *script);

/* --- comparing.c ---------------------------------------------------------------------------- */

/* The step that tells what the list did not bring and may be gone; 0: nothing may. */
size_t gr_comparing_missing(struct gr_stream *stream, struct gr_script *script);

/* A second reading of the list settles it: `missing` are too many to be asked for. */
bool gr_comparing_scans_again(const struct gr_stream *stream, size_t missing);

/* Each is asked for. */
bool gr_comparing_confirms(const struct gr_stream *stream);

/* A run that is stopping is content with what was answered; false: this one is no audit. */
bool gr_comparing_cuts_short(struct gr_stream *stream);

/* What is committed in the end, and that it was. */
void gr_comparing_finish(struct gr_stream *stream, struct gr_script *script);
void gr_comparing_committed(struct gr_stream *stream, const struct gr_script *script);

/* --- settle.c ------------------------------------------------------------------------------- */

/* Rows of `feeder` put entries into the queue of `stream`. */
bool gr_stream_feeds(const struct gr_stream *feeder, const struct gr_stream *stream);

/* True if rows of `stream` have their parents in `parent`. */
bool gr_stream_is_child(const struct gr_stream *stream, const struct gr_stream *parent);

/* Where the stream `name` is, or would be if it were in the file: beside this one; and whether
   there is such a table. --- opening.c */
bool gr_stream_find(const struct gr_stream *stream, const char *name, const char **schema,
                    const char **table, bool *exists_out, struct gr_error *err);

/* The table of the stream `name`, for the names of its columns; NULL where the file has no such
 * stream. */
const struct gr_table *gr_stream_other(struct gr_stream *stream, const char *name);

/* --- opening.c, walking.c, finish.c, settle.c, drain.c, closing.c: what the phases do -------- */

gr_phase_step gr_phase_open, gr_phase_make, gr_phase_audit, gr_phase_walk, gr_phase_finish,
    gr_phase_settle, gr_phase_drain, gr_phase_close;
gr_phase_answer gr_walking_answer, gr_finish_answer, gr_drain_answer;
gr_phase_committed gr_making_all_committed, gr_auditing_committed, gr_walking_committed,
    gr_finish_committed, gr_settle_committed, gr_drain_committed;

/* The staging of the scan is empty: what was fetched is let go, and the scan begins anew. */
void gr_walking_unstaged(struct gr_stream *stream);

/* --- filling.c: a batch whose rows are sent while further pages come ------------------------ */

void gr_filling_begin(struct gr_stream *stream, struct gr_pg *pg);

/* Hands over what there is, and ends it when it is time to and no other script runs. */
void gr_filling_step(struct gr_stream *stream);

/* What was sent is taken back, if a COPY of the stream is open. */
void gr_filling_give_up(struct gr_stream *stream);

/* Pages that may be asked for and not committed, besides one. */
int64_t gr_walking_risk(const struct gr_stream *stream);

/* Of these, so many are of one batch, besides one: the others are read while it is committed, which
   takes a moment where its rows were sent before. */
int64_t gr_walking_most(const struct gr_stream *stream);

/* The batch's part of a script behind its rows, and what is remembered until that is committed. */
void gr_walking_put_rest(struct gr_stream *stream, struct gr_script *script);

/* Whether the batch's commit has to be on disk before it counts. */
enum gr_commit_kind gr_walking_commit_kind(const struct gr_stream *stream);

/* The stream's parent if it is of this run, or NULL. */
const struct gr_stream *gr_walking_parent(const struct gr_stream *stream);

/* Frees what the walk of a stream has gathered. */
void gr_walking_free(struct gr_stream *stream);

/* Adds the rejects to the script and empties the list. */
void gr_walking_put_rejects(struct gr_stream *stream, struct gr_script *script,
                            struct gr_rejects *rejects);

/* Adds the names of unknown fields that were met; says which were new, once they are stored. */
void gr_walking_put_fields(struct gr_stream *stream, struct gr_script *script);
void gr_walking_report_fields(struct gr_stream *stream, const struct gr_script *script);

/* The session of the warehouse is a new one: whatever was staged in the old one is gone. */
void gr_drain_session_lost(struct gr_stream *stream);

#endif
