import { expect, test } from 'vitest'
import { postgresPlace } from './postgres-settings.ts'

const far = 'postgres://u:s3cret@db.example/x'

test.each([
  ['another machine is reached over TLS', far, {}, {}],
  ['and so is an address', 'postgres://10.0.0.1/x', {}, {}],
  ['and a host in a parameter', 'postgres://127.0.0.1/x?host=db.example', {}, {}],
  ['and one that looks like loopback', 'postgres://127.0.0.1.example/x', {}, {}],
  ['loopback is reached in plain text', 'postgres://u@127.0.0.1:5432/x', {}, null],
  ['and so is [::1]', 'postgres://[::1]/x', {}, null],
  ['and no host', 'postgres:///x', {}, null],
  ['and a Unix socket', 'postgres:///x?host=/run/postgresql', {}, null],
  ['and one in the place of the host', 'postgres://u@%2Frun%2Fpostgresql/x', {}, null],
  ['a Unix socket has no TLS at all', 'postgres:///x?host=/run/postgresql', { postgresCaFile: '/ca' }, null],
  ['loopback is reached over TLS if asked for', 'postgres://localhost/x?sslmode=require', {}, {}],
  ['or if there is an authority', 'postgres://localhost/x', { postgresCaFile: '/ca' }, { caFile: '/ca' }],
  ['plain text is for whom it was allowed', far, { postgresPlaintext: true }, null],
  ['and does not take TLS away', far, { postgresPlaintext: true, postgresCaFile: '/ca' }, { caFile: '/ca' }],
  ['disable is fine towards this machine', 'postgres://localhost/x?sslmode=disable', {}, null],
  ['verify-full is what it always is', `${far}?sslmode=verify-full`, {}, {}],
  ['and ssl=true', `${far}?ssl=true`, { postgresPlaintext: true }, {}],
])('%s: %s', (_what, url, settings, tls) => {
  expect(postgresPlace(url, settings)).toMatchObject({ tls })
})

test.each([
  [`${far}?sslmode=disable`, {}, 'postgres-tls-weakened'],
  [`${far}?sslmode=no-verify`, { postgresPlaintext: true }, 'postgres-tls-weakened'],
  [`${far}?sslmode=prefer`, {}, 'postgres-tls-weakened'],
  [`${far}?sslmode=allow`, {}, 'postgres-tls-weakened'],
  [`${far}?ssl=no-verify`, {}, 'postgres-tls-weakened'],
  [`${far}?ssl=0`, {}, 'postgres-tls-weakened'],
  ['postgres://localhost/x?sslmode=disable', { postgresCaFile: '/ca' }, 'postgres-tls-weakened'],
  [`${far}?sslrootcert=/ca`, {}, 'postgres-tls-in-url'],
  [far, { postgresCertificateFile: '/c' }, 'postgres-certificate-half'],
  ['postgres://u:s3cret@db%zz.example/x', {}, 'config-invalid'],
])('%s with %j is %s', (url, settings, code) => {
  const problem = postgresPlace(url, settings)
  expect(problem).toMatchObject({ code })
  expect(JSON.stringify(problem)).not.toContain('s3cret')
})

test('nothing that decides about TLS is left in the URL for pg to find, and no PGHOST takes the place of no host', () => {
  const place = postgresPlace(`${far}?sslmode=require&uselibpqcompat=true&application_name=a%20b`, {})
  expect(place).toMatchObject({ url: `${far}?application_name=a+b` })
  expect(postgresPlace('postgres:///x', {})).toMatchObject({ url: 'postgres:///x?host=localhost' })
})
