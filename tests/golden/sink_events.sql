0 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s."created_datetime"::timestamptz as u, s._hash as h
    from "pg_temp"."stage_gorgias.events" as s
    where s."id" is not null
    order by s."id"::bigint, u desc nulls last, s.ctid desc), changed as materialized (
    select l.*, t."id" is not null as was_there, null::timestamptz as gone_at
    from latest as l
    left join "gorgias"."events" as t on t."id" = l.k0
    where t."id" is null or ((l.u >= t."created_datetime" or t."created_datetime" > t._loaded_at + interval '1 hour') is not false and (t._hash is distinct from l.h or (t._deleted_at is not null)))), written as (
    insert into "gorgias"."events" as t ("id", "object_type", "object_id", "type", "created_datetime", "data", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."object_type"::text, s."object_id"::bigint, s."type"::text, s."created_datetime"::timestamptz, s."data"::jsonb, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "pg_temp"."stage_gorgias.events" as s on s.ctid = c.at
    on conflict ("id") do update set "object_type" = excluded."object_type", "object_id" = excluded."object_id", "type" = excluded."type", "created_datetime" = excluded."created_datetime", "data" = excluded."data", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    where (excluded."created_datetime" >= t."created_datetime" or t."created_datetime" > t._loaded_at + interval '1 hour') is not false
    returning t."id" as k0, t."created_datetime" as u, t."object_type" as event_object_type, t."object_id" as event_object_id, t."type" as event_type, t."created_datetime" as event_created_datetime, t."data" as event_data), fed0 as (
    insert into "_gorgias_replicate".queue as q (object, key, v, reason)
    select 'gorgias.tickets', f.key, case when count(*) = count(f.v) then max(f.v) end, 'event' from (select w.event_object_id::bigint as key, w.event_created_datetime::timestamptz as v from written as w join changed as c on not c.was_there and c.k0 = w.k0 where w.event_object_type = 'Ticket' and w.event_type in ('ticket-message-updated') union all select (n #>> '{}')::bigint, w.event_created_datetime::timestamptz from written as w join changed as c on not c.was_there and c.k0 = w.k0 cross join lateral jsonb_path_query(w.event_data, '$.**') as n where w.event_object_type = 'Ticket' and w.event_type in ('ticket-message-updated') and jsonb_typeof(n) in ('number', 'string') and (n #>> '{}') ~ '^[0-9]{1,18}$') as f where f.key is not null and exists (select from "gorgias"."tickets" as o where o."id" = f.key) group by f.key
    on conflict (object, key) do update set v = excluded.v, seq = excluded.seq, reason = excluded.reason, enqueued_at = excluded.enqueued_at
    where (excluded.v >= q.v) is not false), fed1 as (
    insert into "_gorgias_replicate".queue as q (object, key, v, reason)
    select 'gorgias.ticket_messages#rows', f.key, case when count(*) = count(f.v) then max(f.v) end, 'event' from (select w.event_object_id::bigint as key, w.event_created_datetime::timestamptz as v from written as w join changed as c on not c.was_there and c.k0 = w.k0 where w.event_object_type = 'TicketMessage' and w.event_type in ('ticket-message-updated', 'it''s')) as f where f.key is not null group by f.key
    on conflict (object, key) do update set v = excluded.v, seq = excluded.seq, reason = excluded.reason, enqueued_at = excluded.enqueued_at
    where (excluded.v >= q.v) is not false), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from latest) as latest)
    select least(new, written), written - least(new, written), latest - written, 0 from n
