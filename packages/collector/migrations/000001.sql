-- What happened on the hosts, as their agents told it. See docs/store.md.
--
-- Every event is kept whole in `event`; the columns beside it are what is asked for. The tables of events are
-- partitioned by week of `at`; make_partition() makes the weeks, and what fits into none is kept in the default
-- partition, so that no event is refused for its time. An event's id carries its time, so (at, id) is as unique
-- as id alone.

create table deaths (
  at timestamptz not null,
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
  received_at timestamptz not null default now(),
  derived jsonb,
  event jsonb not null,
  primary key (at, id)
) partition by range (at);

comment on column deaths.derived is 'What was learnt later; the event itself never changes.';

create index deaths_service on deaths (service_name, at desc);
create index deaths_host on deaths (host_name, at desc);
create table deaths_default partition of deaths default;

create table signals (
  at timestamptz not null,
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
  received_at timestamptz not null default now(),
  event jsonb not null,
  primary key (at, id)
) partition by range (at);

create index signals_service on signals (service_name, at desc);
create table signals_default partition of signals default;

create table coverage (
  at timestamptz not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  state text not null,
  from_at timestamptz not null,
  to_at timestamptz,
  reason text,
  lost_records bigint not null,
  received_at timestamptz not null default now(),
  event jsonb not null,
  primary key (at, id)
) partition by range (at);

create index coverage_gaps on coverage (host_id, from_at) where state = 'gap';
create table coverage_default partition of coverage default;

create table sessions (
  at timestamptz not null,
  id uuid not null,
  host_id text not null,
  host_name text not null,
  run_id text not null,
  seq bigint not null,
  role text not null,
  protocol text not null,
  local text not null,
  remote text not null,
  received_at timestamptz not null default now(),
  event jsonb not null,
  primary key (at, id)
) partition by range (at);

create table sessions_default partition of sessions default;

create table hosts (
  id text primary key,
  name text not null,
  boot_id text not null,
  agent_version text not null,
  probe text not null,
  last_seen_at timestamptz not null,
  last_received_at timestamptz not null,
  state text,
  state_at timestamptz,
  state_reason text,
  watched_since timestamptz,
  complete_until timestamptz
);

comment on column hosts.last_seen_at is 'Time of the newest event, by the host''s clock.';
comment on column hosts.last_received_at is 'When the collector stored something of it last, by the database''s clock.';
comment on column hosts.complete_until is 'Up to here everything that the agent saw is stored.';

create index hosts_name on hosts (name);

create table runs (
  host_id text not null,
  run_id text not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  seqs int8multirange not null,
  missing_closed bigint not null default 0,
  incomplete_since timestamptz,
  watched tstzmultirange not null,
  primary key (host_id, run_id)
);

comment on table runs is 'One run of an agent. It numbers its events from 1 without holes: a hole is a lost event.';
comment on column runs.seqs is 'The numbers that have come.';
comment on column runs.missing_closed is 'Events missing in holes that were closed because there were too many to keep.';
comment on column runs.incomplete_since is 'Since when seqs has had a hole; null: it has none.';
comment on column runs.watched is 'The times at which the run says that it watched.';

create index runs_last on runs (last_at);

create table dead_letters (
  digest bytea primary key,
  received_at timestamptz not null default now(),
  reason text not null,
  detail text not null,
  subject text not null,
  stream_seq bigint not null,
  host_id text,
  run_id text,
  seq bigint,
  payload_bytes integer not null,
  payload bytea not null
);

comment on column dead_letters.digest is 'SHA-256 of subject, LF and payload: the same again is kept once.';
comment on column dead_letters.payload is 'The bytes as they came, cut off at 1 MiB.';

create index dead_letters_received on dead_letters (received_at);

-- Makes the partition of the week that holds `at`, and moves there what the default partition has of it.
-- True if it was made, false if it was there.
create function make_partition(parent regclass, at timestamptz) returns boolean
language plpgsql as $$
declare
  week_start date := date_trunc('week', at at time zone 'UTC')::date;
  range_start timestamptz := week_start::timestamp at time zone 'UTC';
  range_end timestamptz := (week_start + 7)::timestamp at time zone 'UTC';
  name text := format('%s_%s', parent, to_char(week_start, 'YYYYMMDD'));
begin
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
$$;

-- How many numbers are missing from 1 to the highest.
create function missing_count(seqs int8multirange) returns bigint
language sql immutable as $$
  select coalesce(upper(seqs) - 1 - sum(upper(piece) - lower(piece)), 0)::bigint from unnest(seqs) as piece
$$;
