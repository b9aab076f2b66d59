-- What one host can fill is bounded, whatever ids it makes up. See docs/store.md.

alter table runs add column last_received_at timestamptz not null default now();
comment on column runs.last_received_at is 'When something of it came last, by the database''s clock.';
comment on column runs.run_id is 'Empty: what is kept of the runs of a host that were folded into one because there were too many.';

create table forgotten (
  host_name text primary key,
  host_ids bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  noted_at timestamptz not null default now()
);
comment on table forgotten is 'How many ids of a host were forgotten because it told too many, and the times that were told of them.';
