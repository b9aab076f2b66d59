-- What one host can fill is bounded, whatever ids it makes up. See docs/store.md.

alter table runs add column last_received_at timestamptz not null default now();
comment on column runs.last_received_at is 'When something of it came last, by the database''s clock.';
comment on column runs.run_id is 'Empty: what is kept of the runs of a host that were folded into one because there were too many.';

-- What is deleted of the dead letters is a loss that answers go on to tell.
alter table runs add column dropped_letters bigint not null default 0;
comment on column runs.dropped_letters is 'Dead letters of the run that were deleted, by hand or at their limit.';
create index dead_letters_run on dead_letters (host_id, run_id);

create table forgotten (
  host_name text primary key,
  host_ids bigint not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  noted_at timestamptz not null default now()
);
comment on table forgotten is 'How many ids of a host were forgotten because it told too many, and the times that were told of them.';

-- Stores one event after the other, where a statement that stores all of them was refused because of some: which ones,
-- and why. `statement` takes a JSON array of events as its only parameter, and runs with the rights of who asks.
create function store_each(statement text, events text[])
returns table (place bigint, stored bigint, code text, message text)
language plpgsql as $$
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
$$;
