-- Who may ask the HTTP API. See docs/store.md.

create table tokens (
  digest bytea primary key,
  name text not null,
  scope text not null check (scope in ('read', 'admin')),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

comment on column tokens.digest is 'SHA-256 of the token, which is kept nowhere.';
comment on column tokens.last_used_at is 'To within a minute.';

-- A name can be given again when its token was revoked.
create unique index tokens_name on tokens (name) where revoked_at is null;
