0 do 'declare leftover text; begin for leftover in select format(''%I'', c.relname) from pg_class as c where c.relnamespace = to_regnamespace(''"_gorgias_replicate"'') and c.relkind = ''r'' and left(c.relname, -16) = ''scan_gorgias.tags_'' loop execute ''drop table '' || ''"_gorgias_replicate"'' || ''.'' || leftover; end loop; end'
1 create unlogged table if not exists "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id" bigint, "name" text, "_hash" bigint, "_extra" text)
2 insert into "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" default values
3 check select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
4 check select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is null limit 1
5 copy "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id", "name", "_hash", "_extra") from stdin (format binary) <35 bytes>
6 create unlogged table if not exists "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id" bigint, "name" text, "_hash" bigint, "_extra" text)
7 select case when bool_or(s."id" is null) then count(s."id") else 0 end from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s
8 check select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
9 check select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is null limit 1
10 select t."id"::text from "gorgias"."tags" as t where t._deleted_at is null and not exists (select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id"::bigint = t."id") limit $1::bigint $1='100'
11 gate select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
12 check select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
13 check select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is null limit 1
14 analyze "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id")
15 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s._hash as h
    from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s
    where s."id" is not null
    order by s."id"::bigint, s.ctid desc), changed as materialized (
    select l.*, t."id" is not null as was_there, null::timestamptz as gone_at
    from latest as l
    left join "gorgias"."tags" as t on t."id" = l.k0
    where t."id" is null or ((t._hash is distinct from l.h or (t._deleted_at is not null)))), written as (
    insert into "gorgias"."tags" as t ("id", "name", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."name"::text, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s on s.ctid = c.at
    on conflict ("id") do update set "name" = excluded."name", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    returning t."id" as k0), gone as (
    delete from "gorgias"."tags" as t
    where not exists (select from latest as l where t."id" = l.k0) and t."id"::text <> all($1::text[])
    returning t."id" as key), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from latest) as latest)
    select least(new, written), written - least(new, written), latest - written, (select count(*) from gone) from n $1=E'{"5","a\\"b"}'
16 drop table "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"
17 gate select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
18 check select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
19 check select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is null limit 1
20 analyze "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id")
21 truncate table "gorgias"."tags"
22 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s._hash as h
    from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s
    where s."id" is not null
    order by s."id"::bigint, s.ctid desc), changed as materialized (
    select l.*, t."id" is not null as was_there, null::timestamptz as gone_at
    from latest as l
    left join "gorgias"."tags" as t on t."id" = l.k0
    where t."id" is null or ((t._hash is distinct from l.h or (t._deleted_at is not null)))), written as (
    insert into "gorgias"."tags" as t ("id", "name", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."name"::text, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s on s.ctid = c.at
    on conflict ("id") do update set "name" = excluded."name", "_loaded_at" = excluded."_loaded_at", "_deleted_at" = excluded."_deleted_at", "_hash" = excluded."_hash", "_extra" = excluded."_extra"
    returning t."id" as k0), n as (
    select (select count(*) from written) as written, (select count(*) from changed where not was_there) as new, (select count(*) from latest) as latest)
    select least(new, written), written - least(new, written), latest - written, 0 from n
23 drop table "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"
24 gate select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
25 check select where to_regclass($1) is not null $1='"_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"'
26 check select from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s where s."id" is null limit 1
27 analyze "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" ("id")
28 with latest as materialized (
    select distinct on (s."id"::bigint) s.ctid as at, s."id"::bigint as k0, s._hash as h
    from "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s
    where s."id" is not null
    order by s."id"::bigint, s.ctid desc), changed as (
    select l.*, false as was_there, null::timestamptz as gone_at from latest as l), written as (
    insert into "gorgias"."tags" as t ("id", "name", "_loaded_at", "_deleted_at", "_hash", "_extra")
    overriding system value
    select s."id"::bigint, s."name"::text, now(), c.gone_at, s._hash, s._extra::jsonb
    from changed as c
    join "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968" as s on s.ctid = c.at
    returning t."id" as k0)
    select (select count(*) from written), 0, 0, 0
29 drop table "_gorgias_replicate"."scan_gorgias.tags_4a3c92cabe2d9968"
