-- The user that stores and answers needs no right to make or drop tables: weeks are made and dropped by functions that
-- run with their owner's rights, for the tables of events alone. See docs/security.md.

create or replace function make_partition(parent regclass, at timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
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
$$;

-- Drops the weeks that lie before a day altogether; how many.
create function drop_partitions(parent regclass, before date) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
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
$$;

-- migrate grants them to the user that needs them.
revoke all on function make_partition(regclass, timestamptz), drop_partitions(regclass, date) from public;
