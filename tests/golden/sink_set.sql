0 copy "pg_temp"."set_gorgias.ticket_messages" ("id", "ticket_id", "body_text", "created_datetime", "_hash", "_extra") from stdin (format binary) <51 bytes>
1 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s."created_datetime"::timestamptz as u, s."ticket_id" as p, s._hash as h
    from "pg_temp"."set_gorgias.ticket_messages" as s
    where s."id" is not null and s."ticket_id" = any($1::bigint[])
    order by s."id"::bigint, u desc nulls last, s.ctid desc), changed as materialized (
    select l.*, t."id" is not null as was_there, case when p."id" is null then t._deleted_at else p._deleted_at end as gone_at, (t."ticket_id")::text as former0
    from latest as l
    left join "gorgias"."ticket_messages" as t on t."id" = l.k0
    left join "gorgias"."tickets" as p on p."id" = l.p
    where t."id" is null or ((l.u >= t."created_datetime" or t."created_datetime" > t._loaded_at + interval '1 hour') is not false and (t._hash is distinct from l.h or (t._deleted_at is not null and p."id" is not null and p._deleted_at is null)))), written as (
    insert into "gorgias"."ticket_messages" as t ("id", "ticket_id", "body_text", "created_datetime", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."ticket_id"::bigint, s."body_text"::text, s."created_datetime"::timestamptz, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "pg_temp"."set_gorgias.ticket_messages" as s on s.ctid = c.at
    on conflict ("id") do update set "ticket_id" = excluded."ticket_id", "body_text" = excluded."body_text", "created_datetime" = excluded."created_datetime", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    where (excluded."created_datetime" >= t."created_datetime" or t."created_datetime" > t._loaded_at + interval '1 hour') is not false
    returning t."id" as k0, t."created_datetime" as u, (t."ticket_id")::text as reference0), gone as (
    update "gorgias"."ticket_messages" as t set _deleted_at = now()
    where t._deleted_at is null and t."ticket_id" = any($2::bigint[]) and not exists (select from latest as l where t."id" = l.k0)
    returning t."id" as key), fed0 as (
    insert into "_gorgias_replicate".queue as q (object, key, v, reason)
    select 'gorgias.tickets', f.key, case when count(*) = count(f.v) then max(f.v) end, 'left' from (select c.former0::bigint as key, null::timestamptz as v from written as w join changed as c on c.was_there and c.k0 = w.k0 where c.former0 ~ '^[0-9]{1,18}$' and c.former0 is distinct from w.reference0) as f where f.key is not null group by f.key
    on conflict (object, key) do update set v = excluded.v, seq = excluded.seq, reason = excluded.reason, enqueued_at = excluded.enqueued_at
    where (excluded.v >= q.v) is not false), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from latest) as latest)
    select least(new, written), written - least(new, written), latest - written, (select count(*) from gone) from n $1='{4,5}' $2='{4}'
2 delete from "pg_temp"."set_gorgias.ticket_messages" as s where s."ticket_id" = any($1::bigint[]) $1='{4,5}'
3 do 'begin if not exists (select from "pg_temp"."set_gorgias.ticket_messages") then truncate table "pg_temp"."set_gorgias.ticket_messages"; end if; end'
4 with gone as (
    update "gorgias"."tickets" as t set _deleted_at = now() where t."id" = any($1::bigint[]) and t._deleted_at is null returning 1), children as (
    update "gorgias"."ticket_messages" as t set _deleted_at = now() where t."ticket_id" = any($1::bigint[]) and t._deleted_at is null returning 1)
    select 0, 0, 0, (select count(*) from gone), (select count(*) from children) $1='{4,5}'
5 select key, round(extract(epoch from v) * 1000000)::bigint, seq from "_gorgias_replicate".queue where object = $1 and seq > $2::bigint order by seq limit $3::bigint $1='gorgias.ticket_messages' $2='3' $3='100'
6 delete from "_gorgias_replicate".queue as q using unnest($2::bigint[], $3::bigint[]) as d (key, x) where q.object = $1 and q.key = d.key and q.seq = d.x $1='gorgias.ticket_messages' $2='{4}' $3='{9}'
7 delete from "_gorgias_replicate".queue as q using unnest($2::bigint[], $3::bigint[]) as d (key, x) where q.object = $1 and q.key = d.key and extract(epoch from q.v) * 1000000 < d.x $1='gorgias.ticket_messages' $2='{4}' $3='{1000000}'
8 delete from "_gorgias_replicate".queue as q where q.object = $1 and not exists (select from "gorgias"."tickets" as t where t."id" = q.key and t._deleted_at is null) $1='gorgias.tickets'
9 delete from "_gorgias_replicate".queue as q where q.object = $1 and q.v < $2::timestamptz and exists (select from "gorgias"."tickets" as p where p."id" = q.key and (q.reason <> 'event' or p."updated_datetime"::timestamptz >= q.v) and p."messages_count"::bigint = (select case when bool_and(t."created_datetime" >= $3::timestamptz) is not false then count(*) end from "gorgias"."ticket_messages" as t where t."ticket_id" = q.key and t._deleted_at is null)) $1='gorgias.ticket_messages' $2='1970-01-01T00:00:01.000000Z' $3='-infinity'
10 delete from "_gorgias_replicate".queue as q where q.object = $1 and q.v < $2::timestamptz and exists (select from "gorgias"."tickets" as t where t."id" = q.key and t."updated_datetime" >= $3::timestamptz) $1='gorgias.tickets' $2='1970-01-01T00:00:01.000000Z' $3='1970-01-01T00:00:00.000000Z'
