0 with taken as (
    insert into "_gorgias_replicate"."rate_budget" as b (account, level, requests, per_ms, run_id, updated_at)
    values ($1, $7::float8 + $8::float8, $3::bigint, $4::bigint, $2::bigint, clock_timestamp())
    on conflict (account) do update set level = greatest(least(b.level, $3::float8) - abs(extract(epoch from clock_timestamp() - b.updated_at))::float8 * 1000000 / $6::float8, $7::float8, 0) + $8::float8,
    requests = excluded.requests, per_ms = excluded.per_ms, run_id = excluded.run_id, updated_at = clock_timestamp()
    where greatest(least(b.level, $3::float8) - abs(extract(epoch from clock_timestamp() - b.updated_at))::float8 * 1000000 / $6::float8, $7::float8, 0) + $8::float8 <= $5::float8
    returning level)
    select $8::bigint, ceil(greatest(level + $8::float8 - $5::float8, 0) * $6::float8)::bigint from taken
    union all
    select 0, ceil((greatest(least(b.level, $3::float8) - abs(extract(epoch from clock_timestamp() - b.updated_at))::float8 * 1000000 / $6::float8, $7::float8, 0) + $8::float8 - $5::float8) * $6::float8)::bigint
    from "_gorgias_replicate"."rate_budget" as b where account = $1 and not exists (select from taken) $1='https://it''s.gorgias.com' $2='7' $3='40' $4='20000' $5='39' $6='500000' $7='12.500' $8='1'
