0 with made as materialized (
    select p."id" as k0, f.key::bigint as k1, f.o, hashtextextended(f.o::text, 0) as h, p._deleted_at as gone_at
    from "gorgias"."tickets" as p cross join lateral (select e.key, case jsonb_typeof(e.value) when 'object' then e.value else jsonb_build_object('value', e.value) end as o from jsonb_each(case jsonb_typeof(p."meta"::jsonb) when 'object' then p."meta"::jsonb end) as e where e.key ~ '^(0|[1-9][0-9]{0,17})$') as f
    where p."id" = any($1::bigint[])), changed as materialized (
    select m.*, t."ticket_id" is not null as was_there from made as m left join "gorgias"."values" as t on t."ticket_id" = m.k0 and t."id" = m.k1
    where t."ticket_id" is null or t._hash is distinct from m.h or t._deleted_at is distinct from m.gone_at), written as (
    insert into "gorgias"."values" as t ("ticket_id", "id", "value", "label", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select c.k0::bigint, c.k1::bigint, nullif(c.o -> 'value', 'null')::jsonb, (c.o ->> 'label')::text, now(), c.gone_at, c.h, nullif(c.o - 'ticket_id'::text - 'id'::text - 'value'::text - 'label'::text, '{}') from changed as c
    on conflict ("ticket_id", "id") do update set "value" = excluded."value", "label" = excluded."label", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    returning 1), gone as (
    delete from "gorgias"."values" as t where t."ticket_id" = any($1::bigint[]) and not exists (select from made as m where t."ticket_id" = m.k0 and t."id" = m.k1) returning 1), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from made) as made)
    select least(new, written), written - least(new, written), made - written, (select count(*) from gone) from n $1='{4,5}'
1 with made as materialized (
    select p."id" as k0, f.key::bigint as k1, f.o, hashtextextended(f.o::text, 0) as h, p._deleted_at as gone_at
    from "gorgias"."tickets" as p cross join lateral (select e.key, case jsonb_typeof(e.value) when 'object' then e.value else jsonb_build_object('value', e.value) end as o from jsonb_each(case jsonb_typeof(p."meta"::jsonb) when 'object' then p."meta"::jsonb end) as e where e.key ~ '^(0|[1-9][0-9]{0,17})$') as f), changed as materialized (
    select m.*, t."ticket_id" is not null as was_there from made as m left join "gorgias"."values" as t on t."ticket_id" = m.k0 and t."id" = m.k1
    where t."ticket_id" is null or t._hash is distinct from m.h or t._deleted_at is distinct from m.gone_at), written as (
    insert into "gorgias"."values" as t ("ticket_id", "id", "value", "label", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select c.k0::bigint, c.k1::bigint, nullif(c.o -> 'value', 'null')::jsonb, (c.o ->> 'label')::text, now(), c.gone_at, c.h, nullif(c.o - 'ticket_id'::text - 'id'::text - 'value'::text - 'label'::text, '{}') from changed as c
    on conflict ("ticket_id", "id") do update set "value" = excluded."value", "label" = excluded."label", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    returning 1), gone as (
    update "gorgias"."values" as t set _deleted_at = now() where t._deleted_at is null and not exists (select from made as m where t."ticket_id" = m.k0 and t."id" = m.k1) returning 1), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from made) as made)
    select least(new, written), written - least(new, written), made - written, (select count(*) from gone) from n
