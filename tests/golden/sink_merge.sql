0 fence update "_gorgias_replicate".streams set run_id = $2::bigint, stream = $3, bookmark = $4::timestamptz, walk = $5::jsonb, source = $6, mode = $7, source_clock = coalesce($8::timestamptz, source_clock), completed_at = case when $9::boolean then now() else completed_at end, updated_at = now() where object = $1 and fence = $2::bigint $1='gorgias.tickets' $2='7' $3='tickets' $4='1970-01-01T00:00:00.000000Z' $5='{}' $6='https://x.gorgias.com' $7='incremental' $8=null $9='t'
1 set local synchronous_commit = default
2 copy "pg_temp"."stage_gorgias.tickets" ("id", "subject", "meta", "messages_count", "created_datetime", "updated_datetime", "_hash", "_extra") from stdin (format binary) <72 bytes>
3 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s."updated_datetime"::timestamptz as u, s._hash as h
    from "pg_temp"."stage_gorgias.tickets" as s
    where s."id" is not null
    order by s."id"::bigint, u desc nulls last, s.ctid desc), changed as materialized (
    select l.*, t."id" is not null as was_there, null::timestamptz as gone_at
    from latest as l
    left join "gorgias"."tickets" as t on t."id" = l.k0
    where t."id" is null or ((l.u >= t."updated_datetime" or t."updated_datetime" > t._loaded_at + interval '1 hour') is not false and (t._hash is distinct from l.h or (t._deleted_at is not null)))), written as (
    insert into "gorgias"."tickets" as t ("id", "subject", "meta", "messages_count", "created_datetime", "updated_datetime", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."subject"::text, s."meta"::jsonb, s."messages_count"::bigint, s."created_datetime"::timestamptz, s."updated_datetime"::timestamptz, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "pg_temp"."stage_gorgias.tickets" as s on s.ctid = c.at
    on conflict ("id") do update set "subject" = excluded."subject", "meta" = excluded."meta", "messages_count" = excluded."messages_count", "created_datetime" = excluded."created_datetime", "updated_datetime" = excluded."updated_datetime", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    where (excluded."updated_datetime" >= t."updated_datetime" or t."updated_datetime" > t._loaded_at + interval '1 hour') is not false
    returning t."id" as k0, t."updated_datetime" as u), fed0 as (
    insert into "_gorgias_replicate".queue as q (object, key, v, reason)
    select 'gorgias.ticket_messages', f.key, case when count(*) = count(f.v) then max(f.v) end, 'changed' from (select w.k0::bigint as key, w.u::timestamptz as v from written as w) as f where f.key is not null group by f.key
    on conflict (object, key) do update set v = excluded.v, seq = excluded.seq, reason = excluded.reason, enqueued_at = excluded.enqueued_at
    where (excluded.v >= q.v) is not false), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from latest) as latest)
    select least(new, written), written - least(new, written), latest - written, 0 from n
4 insert into "_gorgias_replicate".rejected (digest, run_id, stream, object, key, column_name, reason, original)
    select sha256(convert_to(jsonb_build_array($3::text, key, column_name, reason, original)::text, 'UTF8')), $1::bigint, $2, $3, key, column_name, reason, original
    from unnest($4::text[], $5::text[], $6::text[], $7::text[]) as r (key, column_name, reason, original)
    on conflict do nothing $1='7' $2='tickets' $3='gorgias.tickets' $4='{"1"}' $5='{"subject"}' $6='{"holds U+0000"}' $7=E'{"\\"a\\\\u0000\\""}'
5 insert into "_gorgias_replicate".stream_runs as r (run_id, rows_read, inserted, updated, unchanged, deleted, rejected, requests, pages, bytes, object, stream, mode, status, error, hint, ended_at)
    values ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint, $11, $12, $13, $14, $15, $16, case when $14 <> 'running' then now() end)
    on conflict (run_id, object) do update set rows_read = excluded.rows_read, inserted = excluded.inserted, updated = excluded.updated, unchanged = excluded.unchanged, deleted = excluded.deleted, rejected = excluded.rejected, requests = excluded.requests, pages = excluded.pages, bytes = excluded.bytes, mode = excluded.mode, status = excluded.status, error = excluded.error, hint = excluded.hint, ended_at = excluded.ended_at $1='7' $2='1' $3='0' $4='0' $5='0' $6='0' $7='0' $8='0' $9='0' $10='0' $11='gorgias.tickets' $12='tickets' $13='incremental' $14='running' $15=null $16=null
