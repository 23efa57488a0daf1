create schema if not exists "gorgias";
create table if not exists "gorgias"."tickets" (
    "id" bigint not null,
    "subject" text,
    "meta" jsonb,
    "messages_count" bigint,
    "created_datetime" timestamptz,
    "updated_datetime" timestamptz,
    "_loaded_at" timestamptz not null default now(),
    "_deleted_at" timestamptz,
    "_hash" bigint,
    "_extra" jsonb,
    primary key ("id")
);
comment on table "gorgias"."tickets" is 'Conversations, one row per ticket';
comment on column "gorgias"."tickets"."id" is 'Ticket id';
comment on column "gorgias"."tickets"."subject" is 'It''s the subject line';
comment on column "gorgias"."tickets"."updated_datetime" is 'Last change';
comment on column "gorgias"."tickets"."_loaded_at" is 'When this version of the row was written';
comment on column "gorgias"."tickets"."_deleted_at" is 'When the row was found to be gone at the source; null while it is there';
comment on column "gorgias"."tickets"."_hash" is 'Fingerprint of the API''s object: an unchanged row is recognised by it';
comment on column "gorgias"."tickets"."_extra" is 'Fields of the API''s object that have no column of their own';
create index if not exists "tickets_subject_updated_datetime_idx" on "gorgias"."tickets" ("subject", "updated_datetime");
create unique index if not exists "tickets_subject_key" on "gorgias"."tickets" ("subject");

-- child
create schema if not exists "gorgias";
create table if not exists "gorgias"."ticket_messages" (
    "id" bigint not null,
    "ticket_id" bigint,
    "body_text" text,
    "created_datetime" timestamptz,
    "_loaded_at" timestamptz not null default now(),
    "_deleted_at" timestamptz,
    "_hash" bigint,
    "_extra" jsonb,
    primary key ("id")
);
comment on table "gorgias"."ticket_messages" is 'Messages';
comment on column "gorgias"."ticket_messages"."id" is 'Message id';
comment on column "gorgias"."ticket_messages"."_loaded_at" is 'When this version of the row was written';
comment on column "gorgias"."ticket_messages"."_deleted_at" is 'When the row was found to be gone at the source; null while it is there';
comment on column "gorgias"."ticket_messages"."_hash" is 'Fingerprint of the API''s object: an unchanged row is recognised by it';
comment on column "gorgias"."ticket_messages"."_extra" is 'Fields of the API''s object that have no column of their own';
create index if not exists "ticket_messages_ticket_id_idx" on "gorgias"."ticket_messages" ("ticket_id");

-- snapshot
create schema if not exists "gorgias";
create table if not exists "gorgias"."tags" (
    "id" bigint not null,
    "name" text,
    "_loaded_at" timestamptz not null default now(),
    "_deleted_at" timestamptz,
    "_hash" bigint,
    "_extra" jsonb,
    primary key ("id", "_loaded_at")
);
comment on table "gorgias"."tags" is 'Tags';
comment on column "gorgias"."tags"."id" is 'Tag id';
comment on column "gorgias"."tags"."_loaded_at" is 'When this version of the row was written';
comment on column "gorgias"."tags"."_deleted_at" is 'When the row was found to be gone at the source; null while it is there';
comment on column "gorgias"."tags"."_hash" is 'Fingerprint of the API''s object: an unchanged row is recognised by it';
comment on column "gorgias"."tags"."_extra" is 'Fields of the API''s object that have no column of their own';

-- session
create temporary table if not exists "pg_temp"."stage_gorgias.ticket_messages" ("id" bigint, "ticket_id" bigint, "body_text" text, "created_datetime" timestamptz, "_hash" bigint, "_extra" text) on commit delete rows;
create temporary table if not exists "pg_temp"."set_gorgias.ticket_messages" ("id" bigint, "ticket_id" bigint, "body_text" text, "created_datetime" timestamptz, "_hash" bigint, "_extra" text) on commit preserve rows;
