"""Twins: the program with one guarantee broken on purpose. For each, a test must go red; scripts/twins sees to it.

A twin is what to replace in which file (the text before has to be there exactly once), and the tests of which one at least must fail:
`unit NAME` is a program of tests/unit, the others are the Python tests of the folder that they name."""

from collections import namedtuple

Twin = namedtuple("Twin", "name guarantee edits tests is_short")
Edit = namedtuple("Edit", "file before after")


def twin(name, guarantee, *edits, tests, short=False):
    return Twin(name, guarantee, [Edit(*edit) for edit in edits], tests if isinstance(tests, tuple) else (tests,), short)


WALK, MERGE = "src/walk/walk.c", "src/sink/merge.c"


def an_empty_page_at(condition):
    """A failed answer is taken for a page without rows, behind which nothing comes."""
    before = "    if (response->status >= 200 && response->status < 300)\n        return true;\n"
    return "src/source/gorgias.c", before, (
        "    if (" + condition + ") {\n        struct gr_http_response *r = (struct gr_http_response *)(uintptr_t)response;\n"
        "        gr_buf_reset(&r->body);\n"
        "        gr_buf_puts(&r->body, \"{\\\"data\\\":[],\\\"meta\\\":{}}\");\n        return true;\n    }\n") + before


TWINS = (
    # -- one transaction
    twin("bookmark-first", "rows, bookmark and queue commit in one transaction",
         ("src/engine/filling.c", "    stream->batch.copy_step = gr_commit_fill(script, &stream->table);\n",
          "    gr_stream_commit_state(stream, script, stream->batch.walk, stream->batch.bookmark_us, stream->batch.clock_us, GR_COMMIT_PLAIN);\n"
          "    (void)gr_script_sql(script, \"commit and chain\", NULL, 0);\n"
          "    stream->batch.copy_step = gr_commit_fill(script, &stream->table);\n"),
         tests="crash test_kill.Kill.test_every_message_of_a_page", short=True),
    twin("bookmark-before-merge", "rows, bookmark and queue commit in one transaction",
         ("src/sink/commit.c", "    (void)gr_script_sql(script,\n                        state->is_relaxed",
          "    (void)gr_script_sql(script, \"commit and chain\", NULL, 0);\n    (void)gr_script_sql(script,\n                        state->is_relaxed"),
         tests="crash test_kill.Kill.test_every_message_of_a_merge"),
    twin("script-not-again", "after a lost connection the same script runs again",
         ("src/engine/warehouse.c", "    if (owner->phase == GR_PHASE_DRAIN || owner->phase == GR_PHASE_DONE || owner->must_reopen) {", "    if (true) {"),
         tests="crash test_cut.Cut.test_every_message_of_a_page"),
    twin("answers-forgotten", "answers that were being committed are asked for again, and not taken for empty",
         ("src/engine/warehouse.c", "        gr_drain_session_lost(stream);\n", ""), tests="crash test_cut.Cut.test_second_run"),
    twin("former-session-stays", "a session that only the server takes for alive holds no lock against its own run",
         ("src/sink/pg.c", "    if (pg->former_pid[0] == '\\0')\n        return;\n", "    return;\n"),
         tests="integration test_errors.Warehouse.test_a_session_that_the_server_takes_for_alive"),
    twin("end-not-told", "a run whose connection broke at its very end is not taken for lost",
         ("src/engine/run.c", "if (err.fault != GR_FAULT_LOST || !gr_warehouse_reconnect(engine, &err))", "if (true)"),
         tests="crash test_cut.Cut.test_every_message_of_the_end"),
    twin("opening-given-up", "a connection that breaks while the run is opened is made again",
         ("src/engine/run.c", "OPENINGS_MAX = 5", "OPENINGS_MAX = 1"), tests="crash test_cut.Cut.test_every_message_of_the_end"),

    twin("sql-given-up", "pre_sql and post_sql are sent again when their connection has broken",
         ("src/engine/closing.c", "        if (err->fault != GR_FAULT_LOST)\n            return false;", "        if (true)\n            return false;"),
         tests="crash test_cut.Cut.test_sql_of_the_replication_file"),
    twin("never-durable", "a commit waits for the disk where pages come at the pace of an API",
         ("src/engine/walking.c", "    bool is_close = gr_clock_ms() - stream->committed_ms < GR_RELAX_MS || stream->batch.pages > 1;",
          "    bool is_close = gr_clock_ms() >= stream->committed_ms;"),
         tests="integration test_first_run.FirstRun.test_commits_wait_for_the_disk"),
    twin("ahead-believed", "what was asked for ahead of a page that was not what it seemed is let go",
         ("src/engine/walking.c", "    if (url != NULL && strcmp(url, lane->url) == 0)", "    if (lane->url != NULL)"),
         tests="integration test_walks.AskedAhead.test_a_page_that_is_not_what_it_seemed"),
    twin("ahead-of-the-end", "nothing is asked for behind the end of a walk",
         ("src/walk/walk.c", "walk->way == GR_WAY_DOWN ? last_us < lower_end(walk)", "walk->way == GR_WAY_DOWN ? false"),
         tests=("unit test_walk", "integration test_walks.AskedAhead.test_no_page_is_asked_for_twice")),
    twin("crash-not-noticed", "what a crash of the server takes back is read once more, before anything claims it",
         ("src/engine/warehouse.c", "        if (stream->is_unsure)", "        if (false)"), tests="crash test_cut.Crash.test_what_was_not_on_disk"),
    twin("left-in-a-hurry", "a walk is left only after a commit that is on disk",
         ("src/engine/walking.c", "return is_close && !stream->walk.is_done ?", "return is_close ?"),
         ("src/engine/walking.c", "    if (stream->is_unsure) {", "    if (false) {"),
         tests="integration test_walks.AskedAhead.test_a_walk_is_left_when_all_is_on_disk"),
    twin("second-claims-the-first", "what follows a commit that failed in the other session is not committed",
         ("src/engine/filling.c", "    if (!stream->batch.is_open)\n        return;\n    gr_script_give_up", "    if (true)\n        return;\n    gr_script_give_up"),
         tests="integration test_two_sessions.TwoSessions.test_either_session_ends"),
    twin("waits-for-itself", "two sessions that wait for each other through a table of its owner's end",
         ("src/engine/filling.c", "now_ms - stream->held_ms < HELD_MS", "now_ms >= stream->held_ms"),
         tests="integration test_two_sessions.TwoSessions.test_commits_that_wait_for_each_other"),

    # -- the fence
    twin("no-fence", "a run that was overtaken commits nothing",
         ("src/sink/run.c", "if (step->decides == DECIDES_FENCE) {", "if (false) {"),
         tests="crash test_fence.Fence.test_the_fence_alone_at_each_script", short=True),
    twin("no-fence-before-sql", "nor does it run pre_sql and post_sql",
         ("src/sink/pg.c", "    if (pg->fence == NULL)\n", "    if (true)\n"),
         tests="crash test_fence.Fence.test_sql_of_the_replication_file"),
    twin("no-fence-before-ddl", "nor does it make or change a table",
         ("src/sink/table.c", "    return gr_pg_exec_fenced(pg, gr_buf_text(&sql), err);", "    return gr_pg_exec(pg, gr_buf_text(&sql), err);"),
         tests="unit test_sink_pg"),
    twin("no-fence-before-check", "nor does it make a staging table",
         ("src/engine/finish.c", "    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,\n"
          "                           GR_COMMIT_PLAIN);\n    stream->count_step =", "    (void)walk;\n    stream->count_step ="),
         tests="crash test_fence.Fence.test_the_fence_alone_at_each_script"),
    twin("no-lock", "the second of two runs ends at once with exit 5",
         ("src/sink/pg.c", "    *got_out = gr_rows_text(&rows, 0, 0) != NULL && gr_rows_text(&rows, 0, 0)[0] == 't';",
          "    *got_out = true;"),
         tests="integration test_errors.Warehouse.test_two_runs_at_once"),

    # -- tokens
    twin("token-not-rehearsed", "a refresh token is used up only where the next one can be kept",
         ("src/source/oauth.c", "    if (!rehearse(oauth, err))", "    if (oauth == NULL && !rehearse(oauth, err))"),
         tests="integration test_oauth.OAuth.test_a_token_that_could_not_be_kept_is_not_used_up"),
    twin("token-not-locked", "runs that share its file renew one after the other",
         ("src/source/tokenfile.c", "flock(folder, LOCK_EX | LOCK_NB) == 0", "folder >= 0"),
         tests="integration test_oauth.OAuth.test_runs_that_share_a_file_renew_one_after_the_other"),

    # -- rows that no list has
    twin("made-not-along", "rows that are made of others are written with them",
         ("src/engine/walking.c", "    if (batch->is_scan || batch->tuple_count == 0 ||", "    if (batch->is_scan || batch->tuple_count < 99999 ||"),
         tests="integration test_made.Made.test_the_first_run_and_what_changes"),
    twin("made-up-for-never", "what was written without them is made up for",
         ("src/engine/making.c", "m.run_id >= f.run_id", "m.run_id > 0"),
         tests="integration test_made.Made.test_a_stream_that_joins_later"),

    # -- one budget
    twin("no-lease", "a request goes only after the budget that all runs share has granted it",
         ("src/source/lease.c", "    return lease->is_lost || (lease->held > 0 && now_us < lease->until_us);",
          "    return lease->is_lost || (lease->held >= 0 && now_us >= 0);"),
         tests=("unit test_lease", "integration test_budget.Budget.test_what_others_have_taken_is_waited_for")),
    twin("no-drain", "what a killed run has taken of it drains",
         ("src/sink/budget.c", "* 1000000 / $6::float8", "* 0 / $6::float8"), tests="unit test_sink_pg"),
    twin("budget-waited-for", "a budget session that is not answered holds nothing up",
         ("src/engine/leasing.c", "    leasing->is_opening = gr_pg_open_begin(&engine->plan->target, session_name, &leasing->pg, &err);\n"
          "    if (!leasing->is_opening)\n        lose(engine, &err, now_us);\n",
          "    (void)leasing;\n    (void)err;\n    gr_leasing_open(engine, now_us / 1000);\n"),
         tests="integration test_budget.Budget.test_a_new_session_that_is_not_answered_holds_nothing_up"),
    twin("header-counts-all", "what a header cannot have counted yet is added to it",
         ("src/source/ratelimit.c", "max64(used + header->later - others, 0)", "max64(used - others, 0)"), tests="unit test_ratelimit"),

    # -- what a walk claims
    twin("ties", "of rows that share a page's last value some may stand on the page behind",
         (WALK, "EVERYTHING : span->lo_us + 1, least_wanted", "EVERYTHING : span->lo_us, least_wanted"), tests="unit test_walk", short=True),
    twin("ties-at-the-bookmark", "a walk goes on while the page's last value is not below where it must go",
         (WALK, "end == GR_TIME_NONE || span->lo_us >= end))", "end == GR_TIME_NONE || span->lo_us > end))"), tests="unit test_walk"),
    twin("bookmark-now", "the bookmark is the top of the first page, not the time of the last",
         (WALK,
          "    if (span->hi_us == GR_TIME_NONE && page->first_us != GR_TIME_NONE)\n"
          "        span->hi_us = min64(page->first_us, clock_of(page));",
          "    span->hi_us = clock_of(page);"), tests="unit test_walk", short=True),
    twin("bookmark-greatest", "nor is it the greatest value that was seen anywhere",
         (WALK, "    walk->bookmark_us = max64(walk->bookmark_us, value_us);",
          "    walk->bookmark_us = max64(walk->bookmark_us, max64(value_us, walk->clock_us));"), tests="unit test_walk"),
    twin("bookmark-uncapped", "the bookmark is never above the server's clock",
         (WALK, "span->hi_us = min64(page->first_us, clock_of(page));", "span->hi_us = page->first_us;"),
         tests="integration test_walks.Positions.test_a_future_that_hides_nothing"),
    twin("no-lookback", "a walk goes the lookback below the bookmark",
         (WALK, "walk->bookmark_us - walk->stream->lookback_ms * 1000", "walk->bookmark_us"),
         tests="unit test_walk"),
    twin("order-unchecked", "a page that breaks the order voids the claim",
         (WALK, "    if (walk->way == GR_WAY_DOWN && has_values &&\n", "    if (false && has_values && has_last &&\n"),
         tests="integration test_walks.Broken.test_the_order_is_ignored"),
    twin("loop-unnoticed", "a cursor that comes twice is noticed",
         (WALK, "    if (next != NULL && is_loop(walk, used, next))", "    if (false && is_loop(walk, used, next))"),
         tests="unit test_walk"),
    twin("order-within-pages-only", "nor is it proved within pages alone",
         (WALK, "(!page->descends || (has_last && page->first_us > walk->last_us)))", "!page->descends)"), tests="unit test_walk"),
    twin("full-page-is-the-end", "a full page that names no next one is asked for again",
         (WALK, "next == NULL && (is_full || is_unread)", "next == NULL && (is_unread && !is_full)"), tests="unit test_walk"),
    twin("unread-page-is-the-end", "and so is one of which nothing could be read",
         (WALK, "next == NULL && (is_full || is_unread)", "next == NULL && (is_full && !is_unread)"), tests="unit test_walk"),
    twin("way-back-unnoticed", "a page that leads back to rows which were sent is noticed",
         (WALK, "return page->repeats > 1 && page->repeats * 2 > page->rows;", "return page->repeats > page->rows;"), tests="unit test_walk"),
    twin("null-dates-dropped", "rows without a date are always loaded",
         (WALK, "    return value_us == GR_TIME_NONE || walk->anchor_us == GR_TIME_NONE ||\n",
          "    return walk->anchor_us == GR_TIME_NONE ||\n"),
         tests="integration test_walks.Positions.test_rows_without_a_date"),
    twin("limit-moves-bookmark", "a walk that a limit has stopped leaves a gap, not a bookmark",
         (WALK, "        walk->is_done = walk->is_stopped = true;\n",
          "        walk->is_done = walk->is_stopped = true, raise_bookmark(walk, walk->span.hi_us), forget_span(walk);\n"),
         tests="integration test_walks.Interrupted.test_a_limit"),
    twin("5xx-is-the-end", "a 5xx is not the end of the data", an_empty_page_at("response->status >= 500"),
         tests="faults test_days.Lasting.test_an_endpoint_that_stays_broken_loses_nothing"),
    twin("429-is-the-end", "nor is a 429", an_empty_page_at("response->status == 429"),
         tests="faults test_limits.Refused.test_a_storm_that_passes"),

    twin("retry-for-ever", "a request is asked again as long as timeout.retry allows, and no longer",
         ("src/source/retry.c", "    return state->lost_ms + pause > state->allowed_ms ? -1 : pause;", "    return pause;"), tests="unit test_retry"),
    twin("requests-cost-nothing", "what requests themselves take is a part of that time",
         ("src/engine/request.c", "    lane->retry.lost_ms += elapsed_ms;\n", "    (void)elapsed_ms;\n"),
         tests="faults test_network.Reaching.test_a_first_answer_that_never_ends"),
    twin("retry-after-ignored", "a Retry-After is waited for",
         ("src/source/retry.c", "    if (fault->retry_after_ms > 0)", "    if (fault->retry_after_ms > INT64_MAX - 1)"), tests="unit test_retry"),
    twin("account-not-closed", "a refusal that would last longer is the account's: nobody else asks",
         ("src/engine/request.c", "    if (fault->fault != GR_FAULT_THROTTLED || engine->closed.fault != GR_OK)\n        return;", "    if (engine != NULL)\n        return;"),
         tests="faults test_limits.Refused.test_an_hour_is_not_waited_for"),
    twin("stop-unheard", "a signal is heard while a token is waited for",
         ("src/source/http.c", "        if (running > 0 && must_stop(http)) {", "        if (running > 1 && must_stop(http)) {"),
         tests="faults test_token.Token.test_a_stop_while_the_token_is_waited_for"),

    # -- answers
    twin("answer-to-another", "a list that answers another request is not taken",
         ("src/engine/page.c", "        gr_gorgias_is_answer(gr_buf_text(&text), sink->asked))\n        return true;", "        sink->asked != NULL)\n        return true;"),
         tests="unit test_page"),
    twin("any-object", "an object is known by its key",
         ("src/engine/page.c", "            value.len == strlen(wanted) && memcmp(value.start, wanted, value.len) == 0)", "            value.len > 0)"),
         tests=("unit test_page", "integration test_trust.Answers.test_what_another_object_answers")),
    twin("rows-of-other-parents", "a set of children has those of the parent that was asked for",
         ("src/engine/page.c", "facts.parent != sink->parent)", "facts.parent == INT64_MAX)"),
         tests="integration test_trust.Answers.test_what_another_object_answers"),
    twin("rows-of-other-ids", "rows are those that were asked for by id",
         ("src/engine/drain.c", "bool is_known = lane->stream->plan->schema->ask != GR_ASK_IDS;", "bool is_known = lane != NULL;"),
         tests="integration test_trust.Answers.test_what_another_object_answers"),
    twin("merged-wherever", "a merge is known by the address of another object",
         ("src/source/gorgias.c", "    return strncmp(to, schema->path, path_len) == 0 && to[path_len] == '/' &&\n"
          "           to[path_len + 1] >= '0' && to[path_len + 1] <= '9';", "    return path_len > 0;"), tests="unit test_gorgias"),
    twin("forbidden-is-gone", "what may not be read is not gone",
         ("src/engine/drain.c", "    if ((fault->fault == GR_FAULT_MISSING && ask",
          "    if (((fault->fault == GR_FAULT_MISSING || fault->fault == GR_FAULT_FORBIDDEN) && ask"),
         tests="integration test_trust.Answers.test_refusals_and_redirects_delete_nothing"),
    twin("redirected-is-gone", "nor is what a redirect leads away from",
         ("src/engine/finish.c", "    if (fault != NULL && fault->fault != GR_FAULT_MISSING &&\n",
          "    if (fault != NULL && fault->fault != GR_FAULT_MISSING && fault->fault != GR_FAULT_REDIRECT &&\n"),
         tests="integration test_trust.Answers.test_refusals_and_redirects_delete_nothing"),

    # -- rows
    twin("older-replaces-newer", "an older version never replaces a newer one",
         (MERGE, "    return cursor_of(merge->table) != NULL && (!merge->finds_gone || merge->parents != NULL);\n", "    return merge == NULL;\n"),
         tests="integration test_second_run.SecondRun.test_an_older_version_never_replaces_a_newer_one", short=True),
    twin("gone-for-ever", "a row that is there again is alive again",
         (MERGE, "(t._hash is distinct from l.h or (t._deleted_at is not null", "(t._hash is distinct from l.h or (false"),
         tests=("unit test_sink_merge",)),
    twin("delete-after-a-part", "only a scan that was complete deletes",
         ("src/engine/finish.c", "    if (stream->walk.scan.is_fallback || stream->walk.is_stopped || stream->has_refused)",
          "    if (stream->has_refused)"),
         tests="integration test_refresh.Refresh.test_a_part_of_a_list_deletes_nothing"),
    twin("refused-rows-delete", "objects that are no rows delete nothing",
         ("src/engine/finish.c", "    if (stream->walk.scan.is_fallback || stream->walk.is_stopped || stream->has_refused)",
          "    if (stream->walk.scan.is_fallback || stream->walk.is_stopped)"),
         tests="integration test_refresh.Refresh.test_a_list_of_things_that_are_no_rows_deletes_nothing"),
    twin("marker-unchecked", "staging that a crash of the server has emptied is noticed",
         ("src/sink/scan.c", "    const char *name = table->scan_staging;\n",
          "    const char *name = table->scan_staging;\n\n    if (name != NULL)\n        return;\n"),
         ("src/engine/finish.c", "    if (gr_rows_int(count, 0, 0) < stream->walk.scan.staged_rows) {", "    if (count == NULL) {"),
         tests="crash test_cut.Crash.test_a_scan_that_was_staged"),
    twin("fed-again-removed", "an entry that was fed again stays in the queue",
         ("src/sink/queue.c", "\"q.seq = d.x\"", "\"d.x is not null\""),
         tests="unit test_sink_merge"),
    twin("deletion-believed", "an event of a deletion is believed only after the object itself was asked",
         ("src/engine/drain.c", "    if (fault == NULL)\n        return is_object ?",
          "    if (fault == NULL && is_object) {\n        note_gone(lane);\n"
          "        hold(lane, true);\n        return true;\n    }\n    if (fault == NULL)\n        return is_object ?"),
         tests="integration test_second_run.SecondRun.test_merges_whomever_the_event_names"),
    twin("unknown-field-dropped", "a field that the schema does not name is kept in _extra",
         ("src/codec/row.c", "    put_extra(layout, rejects);\n", "    (void)put_extra;\n"),
         tests="integration test_first_run.FirstRun.test_a_hostile_account"),
    twin("nested-columns-unhashed", "a row is written anew where other fields of nested values are columns than when it was written",
         ("src/codec/row.c", "    uint64_t sum = layout->nested_hash;\n", "    uint64_t sum = 0;\n"), tests="unit test_row"),
    twin("reject-unrecorded", "a value that PostgreSQL cannot hold is kept in rejected",
         ("src/sink/commit.c", "    if (count == 0)\n        return;\n", "    if (count < SIZE_MAX)\n        return;\n"),
         tests="integration test_first_run.FirstRun.test_a_hostile_account"),
    twin("half-a-body", "a body is checked whole before anything of it is taken",
         ("src/engine/page.c", "    *page = empty_page();\n    if (!gr_json_value(&reader, &whole) || !gr_json_end(&reader))",
          "    *page = empty_page();\n    if (!gr_json_value(&reader, &whole))"), tests="unit test_page"),
    twin("outlives-its-parent", "messages go with their ticket, also where they wait for a first load meanwhile",
         ("src/engine/filling.c", "parent->report->deleted > 0", "parent->report->deleted < 0"),
         tests="integration test_refresh.Refresh.test_messages_go_with_a_ticket_that_is_gone_when_they_come"),

    # -- by hand
    twin("set-remembers", "after a bookmark was set back, all since then is read again",
         ("src/sink/amend.c", "walk = null, audit = null, completed_at = null,", "audit = null, completed_at = null,"),
         tests="integration test_state_command.State.test_set_forgets_an_unfinished_walk"),
    twin("reset-forgets-the-account", "a table stays with its account, also after a reset",
         ("src/engine/opening.c", "state->age_ms >= 0 || state->clock_us != GR_TIME_NONE;", "state->age_ms >= 0;"),
         tests="integration test_state_command.State.test_a_reset_table_stays_with_its_account"),

    # -- as few requests as can be
    twin("asked-again", "an entry of the queue that names what was answered already is not asked for again",
         ("src/engine/settle.c", "    if (stream->answer_count > 0)", "    if (stream->answer_count > GR_ANSWERS_MAX)"),
         tests="integration test_queue.Queue.test_events_that_come_late"),
    twin("answered-too-early", "a change that may have been dated before the answer and committed after it is asked for again",
         ("src/engine/drain.c", "lane->clock_us - GR_LATE_US", "lane->clock_us"),
         tests="integration test_queue.Queue.test_events_that_come_late"),

    # -- for those who look
    twin("page-unescaped", "what comes from elsewhere is text on the page, whatever it holds",
         ("src/cli/html.c", "        if (entities[i].character == c) {", "        if (entities[i].character == c && c == '&') {"), tests="unit test_report"),
    twin("needed-forgotten", "a stream's last success is kept, however long ago it was",
         ("src/sink/prune.c", "\" or x.status = 'succeeded' and", "\" or x.status = 'never' and"),
         tests="integration test_retention.Retention.test_what_is_still_needed_stays_however_old"),
    twin("overtaken-forgets", "a run that was overtaken forgets nothing",
         ("src/sink/prune.c", "f.fence > $4::bigint", "f.fence < 0 * $4::bigint"),
         tests="integration test_retention.Retention.test_a_run_that_was_overtaken_forgets_nothing"),
    twin("audit-for-a-run", "an audit is not taken for the last run of a stream",
         ("src/sink/overview.c", "and y.mode = 'audit') then", "and y.mode = 'none') then"),
         tests="integration test_status.Status.test_audits"),

    # -- secrets
    twin("redirect-followed", "credentials are sent to no other host",
         ("src/source/http.c", "CURLOPT_FOLLOWLOCATION, 0L", "CURLOPT_FOLLOWLOCATION, 1L"),
         ("src/source/http.c", "    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);\n",
          "    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);\n    (void)curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 1L);\n"),
         tests="faults test_days.Lasting.test_a_redirect_to_another_host_is_refused"),
    twin("anybody-trusted", "TLS is verified",
         ("src/source/http.c", "CURLOPT_SSL_VERIFYPEER, 1L", "CURLOPT_SSL_VERIFYPEER, 0L"),
         tests="faults test_network.Tls.test_a_certificate_of_nobody_we_know"),
    twin("any-host-trusted", "and so is whose certificate it is",
         ("src/source/http.c", "CURLOPT_SSL_VERIFYHOST, 2L", "CURLOPT_SSL_VERIFYHOST, 0L"),
         tests="faults test_network.Tls.test_a_certificate_for_another_host"),
    twin("distrust-retried", "a certificate that is not to be trusted is not tried again",
         ("src/source/http.c", "    return code == CURLE_PEER_FAILED_VERIFICATION ||", "    return code == CURLE_OK ||"),
         tests="faults test_network.Tls.test_a_certificate_of_nobody_we_know"),
    twin("names-are-sql", "names from YAML are identifiers, never SQL",
         ("src/sink/sql.c", "        if (*at == quote)\n            gr_buf_putc(sql, quote);\n", ""), tests="unit test_sql"),
    twin("secrets-shown", "no secret stands in a log",
         ("src/base/log.c", "    for (size_t i = 0; i < secret_count && text->data != NULL; i++) {",
          "    for (size_t i = 0; i < 0 && text->data != NULL; i++) {"),
         tests=("unit test_base", "integration test_connections.Connections.test_secrets_appear_nowhere")),
)
