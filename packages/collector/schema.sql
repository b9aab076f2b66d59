-- Made from the migrations by packages/collector/test/schema.test.ts; do not edit.

create table coverage (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  state text not null,
  from_at timestamp with time zone not null,
  to_at timestamp with time zone,
  reason text,
  lost_records bigint not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  constraint coverage_pkey PRIMARY KEY (at, id)
) partition by RANGE (at);

CREATE INDEX coverage_gaps ON ONLY coverage USING btree (host_name, host_id, from_at) WHERE (state = 'gap'::text);

create table coverage_default partition of coverage (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  state text not null,
  from_at timestamp with time zone not null,
  to_at timestamp with time zone,
  reason text,
  lost_records bigint not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  constraint coverage_default_pkey PRIMARY KEY (at, id)
);

CREATE INDEX coverage_default_host_name_host_id_from_at_idx ON coverage_default USING btree (host_name, host_id, from_at) WHERE (state = 'gap'::text);

create table dead_letters (
  digest bytea not null,
  received_at timestamp with time zone not null default now(),
  reason text not null,
  detail text not null,
  subject text not null,
  stream_seq bigint not null,
  host_id text,
  run_id text,
  seq bigint,
  payload_bytes integer not null,
  payload bytea not null,
  constraint dead_letters_pkey PRIMARY KEY (digest)
);

CREATE INDEX dead_letters_received ON dead_letters USING btree (received_at);

CREATE INDEX dead_letters_run ON dead_letters USING btree (host_id, run_id);

comment on column dead_letters.digest is 'SHA-256 of subject, LF and payload: the same again is kept once.';

comment on column dead_letters.payload is 'The bytes as they came, cut off at 1 MiB.';

create table deaths (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  boot_id text not null,
  run_id text not null,
  seq bigint not null,
  service_name text not null,
  service_kind text not null,
  cause text not null,
  exit_code smallint,
  exit_signal smallint,
  victim_pid bigint not null,
  victim_comm text,
  victim_exe text,
  killer_pid bigint,
  killer_comm text,
  killer_exe text,
  killer_uid bigint,
  killer_user text,
  killer_login_uid bigint,
  sender_status text,
  behalf_name text,
  confidence text not null,
  summary text not null,
  incident_id text,
  received_at timestamp with time zone not null default now(),
  derived jsonb,
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint deaths_pkey PRIMARY KEY (at, id)
) partition by RANGE (at);

CREATE INDEX deaths_host ON ONLY deaths USING btree (host_name, at DESC);

CREATE INDEX deaths_service ON ONLY deaths USING btree (service_name, at DESC);

comment on column deaths.derived is 'What was learnt later; the event itself never changes.';

comment on column deaths.clock_offset_ms is 'What has to be added to `at` to get the time of the fleet''s clock.';

comment on column deaths.clock_uncertainty_ms is 'How far that may be wrong, to either side.';

create table deaths_default partition of deaths (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  boot_id text not null,
  run_id text not null,
  seq bigint not null,
  service_name text not null,
  service_kind text not null,
  cause text not null,
  exit_code smallint,
  exit_signal smallint,
  victim_pid bigint not null,
  victim_comm text,
  victim_exe text,
  killer_pid bigint,
  killer_comm text,
  killer_exe text,
  killer_uid bigint,
  killer_user text,
  killer_login_uid bigint,
  sender_status text,
  behalf_name text,
  confidence text not null,
  summary text not null,
  incident_id text,
  received_at timestamp with time zone not null default now(),
  derived jsonb,
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint deaths_default_pkey PRIMARY KEY (at, id)
);

CREATE INDEX deaths_default_host_name_at_idx ON deaths_default USING btree (host_name, at DESC);

CREATE INDEX deaths_default_service_name_at_idx ON deaths_default USING btree (service_name, at DESC);

create table forgotten (
  host_name text not null,
  host_ids bigint not null,
  from_at timestamp with time zone not null,
  to_at timestamp with time zone not null,
  noted_at timestamp with time zone not null default now(),
  constraint forgotten_pkey PRIMARY KEY (host_name)
);

comment on table forgotten is 'How many ids of a host were forgotten because it told too many, and the times that were told of them.';

create table hosts (
  id text not null,
  name text not null,
  boot_id text not null,
  agent_version text not null,
  probe text not null,
  last_seen_at timestamp with time zone not null,
  last_received_at timestamp with time zone not null,
  state text,
  state_at timestamp with time zone,
  state_reason text,
  watched_since timestamp with time zone,
  complete_until timestamp with time zone,
  constraint hosts_pkey PRIMARY KEY (name, id)
);

comment on column hosts.last_seen_at is 'Time of the newest event, by the host''s clock.';

comment on column hosts.last_received_at is 'When the collector stored something of it last, by the database''s clock.';

comment on column hosts.complete_until is 'Up to here everything that the agent saw is stored.';

create table migrations (
  id integer not null default nextval('migrations_id_seq'::regclass),
  name character varying(255) not null,
  run_on timestamp without time zone not null,
  constraint migrations_pkey PRIMARY KEY (id)
);

create table runs (
  host_id text not null,
  run_id text not null,
  first_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  seqs int8multirange not null,
  missing_closed bigint not null default 0,
  incomplete_since timestamp with time zone,
  watched tstzmultirange not null,
  host_name text not null,
  last_received_at timestamp with time zone not null default now(),
  dropped_letters bigint not null default 0,
  constraint runs_pkey PRIMARY KEY (host_name, host_id, run_id)
);

CREATE INDEX runs_last ON runs USING btree (last_at);

comment on table runs is 'One run of an agent. It numbers its events from 1 without holes: a hole is a lost event.';

comment on column runs.run_id is 'Empty: what is kept of the runs of a host that were folded into one because there were too many.';

comment on column runs.seqs is 'The numbers that have come.';

comment on column runs.missing_closed is 'Events missing in holes that were closed because there were too many to keep.';

comment on column runs.incomplete_since is 'Since when seqs has had a hole; null: it has none.';

comment on column runs.watched is 'The times at which the run says that it watched.';

comment on column runs.last_received_at is 'When something of it came last, by the database''s clock.';

comment on column runs.dropped_letters is 'Dead letters of the run that were deleted, by hand or at their limit.';

create table sessions (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  role text not null,
  protocol text not null,
  local text not null,
  remote text not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint sessions_pkey PRIMARY KEY (at, id)
) partition by RANGE (at);

create table sessions_default partition of sessions (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  role text not null,
  protocol text not null,
  local text not null,
  remote text not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint sessions_default_pkey PRIMARY KEY (at, id)
);

create table signals (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  service_name text not null,
  service_kind text not null,
  number smallint not null,
  via text not null,
  result text not null,
  target_pid bigint not null,
  sender_pid bigint,
  sender_comm text,
  sender_exe text,
  sender_uid bigint,
  sender_status text not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint signals_pkey PRIMARY KEY (at, id)
) partition by RANGE (at);

CREATE INDEX signals_service ON ONLY signals USING btree (service_name, at DESC);

create table signals_default partition of signals (
  at timestamp with time zone not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  service_name text not null,
  service_kind text not null,
  number smallint not null,
  via text not null,
  result text not null,
  target_pid bigint not null,
  sender_pid bigint,
  sender_comm text,
  sender_exe text,
  sender_uid bigint,
  sender_status text not null,
  received_at timestamp with time zone not null default now(),
  event jsonb not null,
  clock_offset_ms double precision,
  clock_uncertainty_ms double precision,
  constraint signals_default_pkey PRIMARY KEY (at, id)
);

CREATE INDEX signals_default_service_name_at_idx ON signals_default USING btree (service_name, at DESC);

create table tokens (
  digest bytea not null,
  name text not null,
  scope text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint tokens_pkey PRIMARY KEY (digest),
  constraint tokens_scope_check CHECK ((scope = ANY (ARRAY['read'::text, 'admin'::text])))
);

CREATE UNIQUE INDEX tokens_name ON tokens USING btree (name) WHERE (revoked_at IS NULL);

comment on column tokens.digest is 'SHA-256 of the token, which is kept nowhere.';

comment on column tokens.last_used_at is 'To within a minute.';

CREATE OR REPLACE FUNCTION drop_partitions(parent regclass, before date)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  week text;
  dropped integer := 0;
begin
  if parent <> all (array['deaths', 'signals', 'coverage', 'sessions']::regclass[]) then
    raise exception '% is no table of events', parent using errcode = 'insufficient_privilege';
  end if;
  for week in
    select c.relname
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent and c.relname ~ '_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= before
    order by 1
  loop
    execute format('drop table if exists %I', week);
    dropped := dropped + 1;
  end loop;
  return dropped;
end
$function$


CREATE OR REPLACE FUNCTION make_partition(parent regclass, at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  week_start date := date_trunc('week', at at time zone 'UTC')::date;
  range_start timestamptz := week_start::timestamp at time zone 'UTC';
  range_end timestamptz := (week_start + 7)::timestamp at time zone 'UTC';
  name text := format('%s_%s', parent, to_char(week_start, 'YYYYMMDD'));
begin
  if parent <> all (array['deaths', 'signals', 'coverage', 'sessions']::regclass[]) then
    raise exception '% is no table of events', parent using errcode = 'insufficient_privilege';
  end if;
  perform pg_advisory_xact_lock(hashtext(name));
  if to_regclass(name) is not null then
    return false;
  end if;
  execute format('create table %I (like %s including defaults including constraints)', name, parent);
  execute format('lock table %I in share row exclusive mode', parent || '_default');
  execute format(
    'with moved as (delete from %I where at >= %L and at < %L returning *) insert into %I select * from moved',
    parent || '_default', range_start, range_end, name);
  execute format(
    'alter table %s attach partition %I for values from (%L) to (%L)', parent, name, range_start, range_end);
  return true;
end
$function$


CREATE OR REPLACE FUNCTION missing_count(seqs int8multirange)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select coalesce(upper(seqs) - 1 - sum(upper(piece) - lower(piece)), 0)::bigint from unnest(seqs) as piece
$function$


CREATE OR REPLACE FUNCTION store_each(statement text, events text[])
 RETURNS TABLE(place bigint, stored bigint, code text, message text)
 LANGUAGE plpgsql
AS $function$
declare
  each text;
begin
  place := 0;
  foreach each in array events loop
    place := place + 1;
    stored := 0;
    code := null;
    message := null;
    begin
      execute statement using '[' || each || ']';
      get diagnostics stored = row_count;
    exception
      when data_exception or integrity_constraint_violation or program_limit_exceeded then
        code := sqlstate;
        message := sqlerrm;
    end;
    return next;
  end loop;
end
$function$

