0 fence update "_gorgias_replicate".streams set audit = $3::jsonb, run_id = $2::bigint where object = $1 and fence = $2::bigint $1='gorgias.tickets' $2='7' $3='{"after":5}'
1 select (select count(*) from "gorgias"."tickets" as t where t._deleted_at is null), 0
2 select t."id" from "gorgias"."tickets" as t where t._deleted_at is null and t."id" > $1::bigint order by 1 limit $2::bigint $1='5' $2='100'
3 select n.k from (select m."ticket_id" as k from "gorgias"."ticket_messages" as m where m._deleted_at is null) as n where n.k > $1::bigint and not exists (select from "gorgias"."tickets" as t where t."id" = n.k) order by 1 limit $2::bigint $1='5' $2='100'
4 copy "pg_temp"."stage_gorgias.tickets" ("id", "subject", "meta", "messages_count", "created_datetime", "updated_datetime", "_hash", "_extra") from stdin (format binary) <80 bytes>
5 delete from "pg_temp"."stage_gorgias.tickets" as s where s."updated_datetime"::timestamptz < '1970-01-01T00:00:01.000000Z'::timestamptz and not exists (select from "gorgias"."tickets" as t where s."id"::bigint = t."id")
6 with s as materialized (
    select distinct on (k0) * from (select s."id"::bigint as k0, s."updated_datetime"::timestamptz as u, s."created_datetime"::timestamptz as c, null::bigint as p, s._hash as h, s.ctid as at from "pg_temp"."stage_gorgias.tickets" as s where s."id" is not null) as s order by k0, u desc nulls last, at desc), d as (
    select s.k0::text as k, 'id 4..5' as w,
    t."id" is not null and t._deleted_at is null as is_here, true as may_be,
    coalesce(s.u <= '1970-01-01T00:00:03.000000Z'::timestamptz, s.c <= '1970-01-01T00:00:04.000000Z'::timestamptz, true) and not false as is_due,
    t._hash is distinct from s.h and (s.u >= t."updated_datetime") is not false as differs, false as is_gone
    from s left join "gorgias"."tickets" as t on t."id" = s.k0
    union all
    select t."id"::text, 'id 4..5', true, true, not false, false, t."id" = any($1::bigint[])
    from "gorgias"."tickets" as t where t._deleted_at is null and not exists (select from s where t."id" = s.k0) and t."id" = any($1::bigint[]))
    insert into "_gorgias_replicate".audits as a (run_id, object, stream, method, window_name, in_table, at_source, missing_keys, gone_keys, not_due, changed)
    select 7, 'gorgias.tickets', 'tickets', 'ids', 'id 4..5', count(*) filter (where is_here) + 2, count(*) filter (where may_be and not is_gone) + 2,
    coalesce(array_agg(k order by k) filter (where not is_here and may_be and is_due), '{}'), coalesce(array_agg(k order by k) filter (where is_gone and is_due), '{}'),
    count(*) filter (where (is_gone or not is_here and may_be) and not is_due), count(*) filter (where is_here and differs)
    from d
    on conflict (run_id, object, method, window_name) do update set in_table = a.in_table + excluded.in_table, at_source = a.at_source + excluded.at_source, not_due = a.not_due + excluded.not_due, changed = a.changed + excluded.changed, missing_keys = array(select distinct unnest(a.missing_keys || excluded.missing_keys) order by 1), gone_keys = array(select distinct unnest(a.gone_keys || excluded.gone_keys) order by 1), checked_at = now() $1='{4}'
7 gate select where to_regclass($1) is not null $1='"_gorgias_replicate"."audit_gorgias.tickets_c5631c23edafe91c"'
8 delete from "_gorgias_replicate"."audit_gorgias.tickets_c5631c23edafe91c" as s where s."updated_datetime"::timestamptz < '1970-01-01T00:00:01.000000Z'::timestamptz and not exists (select from "gorgias"."tickets" as t where s."id"::bigint = t."id")
9 with s as materialized (
    select distinct on (k0) * from (select s."id"::bigint as k0, s."updated_datetime"::timestamptz as u, s."created_datetime"::timestamptz as c, null::bigint as p, s._hash as h, s.ctid as at from "_gorgias_replicate"."audit_gorgias.tickets_c5631c23edafe91c" as s where s."id" is not null) as s order by k0, u desc nulls last, at desc), d as (
    select s.k0::text as k, coalesce(to_char(s.c at time zone 'UTC', 'YYYY-MM'), 'undated') as w,
    t."id" is not null and t._deleted_at is null as is_here, true as may_be,
    coalesce(s.u <= '1970-01-01T00:00:03.000000Z'::timestamptz, s.c <= '1970-01-01T00:00:04.000000Z'::timestamptz, true) and not false as is_due,
    t._hash is distinct from s.h and (s.u >= t."updated_datetime") is not false as differs, false as is_gone
    from s left join "gorgias"."tickets" as t on t."id" = s.k0
    union all
    select t."id"::text, coalesce(to_char(t."created_datetime" at time zone 'UTC', 'YYYY-MM'), 'undated'), true, true, not false, false, t."id" = any($1::bigint[])
    from "gorgias"."tickets" as t where t._deleted_at is null and not exists (select from s where t."id" = s.k0))
    insert into "_gorgias_replicate".audits as a (run_id, object, stream, method, window_name, in_table, at_source, missing_keys, gone_keys, not_due, changed)
    select 7, 'gorgias.tickets', 'tickets', 'list', w, count(*) filter (where is_here) + 0, count(*) filter (where may_be and not is_gone) + 0,
    coalesce(array_agg(k order by k) filter (where not is_here and may_be and is_due), '{}'), coalesce(array_agg(k order by k) filter (where is_gone and is_due), '{}'),
    count(*) filter (where (is_gone or not is_here and may_be) and not is_due), count(*) filter (where is_here and differs)
    from d group by w
    on conflict (run_id, object, method, window_name) do update set in_table = a.in_table + excluded.in_table, at_source = a.at_source + excluded.at_source, not_due = a.not_due + excluded.not_due, changed = a.changed + excluded.changed, missing_keys = array(select distinct unnest(a.missing_keys || excluded.missing_keys) order by 1), gone_keys = array(select distinct unnest(a.gone_keys || excluded.gone_keys) order by 1), checked_at = now() $1='{4,5}'
10 gate select where to_regclass($1) is not null $1='"_gorgias_replicate"."audit_gorgias.tags_4a3c92cabe2d9968"'
11 with s as materialized (
    select distinct on (k0) * from (select s."id"::bigint as k0, null::timestamptz as u, null::timestamptz as c, null::bigint as p, s._hash as h, s.ctid as at from "_gorgias_replicate"."audit_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is not null) as s order by k0, u desc nulls last, at desc), d as (
    select s.k0::text as k, 'all' as w,
    t."id" is not null and t._deleted_at is null as is_here, true as may_be,
    coalesce(true) and not false as is_due,
    t._hash is distinct from s.h as differs, false as is_gone
    from s left join "gorgias"."tags" as t on t."id" = s.k0
    union all
    select t."id"::text, 'all', true, true, not false, false, true
    from "gorgias"."tags" as t where t._deleted_at is null and not exists (select from s where t."id" = s.k0))
    insert into "_gorgias_replicate".audits as a (run_id, object, stream, method, window_name, in_table, at_source, missing_keys, gone_keys, not_due, changed)
    select 7, 'gorgias.tags', 'tags', 'list', 'all', count(*) filter (where is_here) + 0, count(*) filter (where may_be and not is_gone) + 0,
    coalesce(array_agg(k order by k) filter (where not is_here and may_be and is_due), '{}'), coalesce(array_agg(k order by k) filter (where is_gone and is_due), '{}'),
    count(*) filter (where (is_gone or not is_here and may_be) and not is_due), count(*) filter (where is_here and differs)
    from d
    on conflict (run_id, object, method, window_name) do update set in_table = a.in_table + excluded.in_table, at_source = a.at_source + excluded.at_source, not_due = a.not_due + excluded.not_due, changed = a.changed + excluded.changed, missing_keys = array(select distinct unnest(a.missing_keys || excluded.missing_keys) order by 1), gone_keys = array(select distinct unnest(a.gone_keys || excluded.gone_keys) order by 1), checked_at = now()
12 select (select count(*) from "gorgias"."ticket_messages" as t where t._deleted_at is null), (select count(*) from "gorgias"."tickets" as p left join (select t."ticket_id" as key, count(*) as n from "gorgias"."ticket_messages" as t where t._deleted_at is null group by 1) as c on p."id" = c.key where p._deleted_at is null and p."messages_count" <> coalesce(c.n, 0))
13 select p."id" from "gorgias"."tickets" as p left join (select t."ticket_id" as key, count(*) as n from "gorgias"."ticket_messages" as t where t._deleted_at is null group by 1) as c on p."id" = c.key where p._deleted_at is null and p."messages_count" <> coalesce(c.n, 0) and p."id" > $1::bigint order by 1 limit $2::bigint $1='5' $2='100'
14 select distinct t."ticket_id" from "gorgias"."ticket_messages" as t where t._deleted_at is null and t."ticket_id" is not null and not exists (select from "_gorgias_replicate"."audit_gorgias.ticket_messages_9fad50d4a439548f" as s where s."id"::bigint = t."id") order by 1 limit $1::bigint $1='100'
15 with s as materialized (
    select distinct on (k0) * from (select s."id"::bigint as k0, s."created_datetime"::timestamptz as u, s."created_datetime"::timestamptz as c, s."ticket_id"::bigint as p, s._hash as h, s.ctid as at from "pg_temp"."set_gorgias.ticket_messages" as s where s."id" is not null and s."ticket_id"::bigint = any($1::bigint[])) as s order by k0, u desc nulls last, at desc), d as (
    select s.k0::text as k, 'tickets 4..5' as w,
    t."id" is not null and t._deleted_at is null as is_here, p._deleted_at is null as may_be,
    coalesce(true) and p."id" is not null and not (exists (select from "_gorgias_replicate".queue as q where q.object = 'gorgias.ticket_messages#rows' and q.key = s.k0) or exists (select from "_gorgias_replicate".queue as q where q.object = 'gorgias.ticket_messages' and q.key = s.p and (q.v is null or q.enqueued_at < (select r.started_at from "_gorgias_replicate".runs as r where r.run_id = 7) or q.v > coalesce((select b.bookmark from "_gorgias_replicate".streams as b where b.object = 'gorgias.tickets'), '-infinity')))) as is_due,
    t._hash is distinct from s.h and (s.u >= t."created_datetime") is not false as differs, false as is_gone
    from s left join "gorgias"."ticket_messages" as t on t."id" = s.k0 left join "gorgias"."tickets" as p on p."id" = s.p
    union all
    select t."id"::text, 'tickets 4..5', true, true, not (exists (select from "_gorgias_replicate".queue as q where q.object = 'gorgias.ticket_messages#rows' and q.key = t."id") or exists (select from "_gorgias_replicate".queue as q where q.object = 'gorgias.ticket_messages' and q.key = t."ticket_id" and (q.v is null or q.enqueued_at < (select r.started_at from "_gorgias_replicate".runs as r where r.run_id = 7) or q.v > coalesce((select b.bookmark from "_gorgias_replicate".streams as b where b.object = 'gorgias.tickets'), '-infinity')))), false, t."ticket_id" = any($1::bigint[] || $2::bigint[])
    from "gorgias"."ticket_messages" as t where t._deleted_at is null and not exists (select from s where t."id" = s.k0) and t."ticket_id" = any($1::bigint[] || $2::bigint[]))
    insert into "_gorgias_replicate".audits as a (run_id, object, stream, method, window_name, in_table, at_source, missing_keys, gone_keys, not_due, changed)
    select 7, 'gorgias.ticket_messages', 'ticket_messages', 'ids', 'tickets 4..5', count(*) filter (where is_here) + 0, count(*) filter (where may_be and not is_gone) + 0,
    coalesce(array_agg(k order by k) filter (where not is_here and may_be and is_due), '{}'), coalesce(array_agg(k order by k) filter (where is_gone and is_due), '{}'),
    count(*) filter (where (is_gone or not is_here and may_be) and not is_due), count(*) filter (where is_here and differs)
    from d
    on conflict (run_id, object, method, window_name) do update set in_table = a.in_table + excluded.in_table, at_source = a.at_source + excluded.at_source, not_due = a.not_due + excluded.not_due, changed = a.changed + excluded.changed, missing_keys = array(select distinct unnest(a.missing_keys || excluded.missing_keys) order by 1), gone_keys = array(select distinct unnest(a.gone_keys || excluded.gone_keys) order by 1), checked_at = now() $1='{4,5}' $2='{4}'
