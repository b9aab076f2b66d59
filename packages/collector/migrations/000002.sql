-- A host is whom NATS took it for: the name in its subjects, which its key allows. What it says of itself, its id,
-- tells its lives apart (a new installation under an old name) and reaches no row of another name.

alter table hosts drop constraint hosts_pkey, add primary key (name, id);
drop index hosts_name;

alter table runs add column host_name text;
update runs set host_name = hosts.name from hosts where hosts.id = runs.host_id;
delete from runs where host_name is null;
alter table runs alter column host_name set not null, drop constraint runs_pkey,
  add primary key (host_name, host_id, run_id);

drop index coverage_gaps;
create index coverage_gaps on coverage (host_name, host_id, from_at) where state = 'gap';

-- How the host's clock stood to the fleet's, which is this database's: null where nobody had measured it.
alter table deaths add column clock_offset_ms double precision, add column clock_uncertainty_ms double precision;
alter table signals add column clock_offset_ms double precision, add column clock_uncertainty_ms double precision;
alter table sessions add column clock_offset_ms double precision, add column clock_uncertainty_ms double precision;

comment on column deaths.clock_offset_ms is 'What has to be added to `at` to get the time of the fleet''s clock.';
comment on column deaths.clock_uncertainty_ms is 'How far that may be wrong, to either side.';
