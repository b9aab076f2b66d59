import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from './redact.ts'

const secret = 'hunter2-XyZ'
const shown = (...args: string[]) => redact(args).args.join(' ')

describe('arguments', () => {
  it('lose what looks like a secret, and keep its name', () => {
    const lines: [string[], string][] = [
      [['app', `--password=${secret}`], 'app --password=<redacted>'],
      [['app', '--db-password', secret, '--port', '1'], 'app --db-password <redacted> --port 1'],
      [['app', '--token', secret], 'app --token <redacted>'],
      [['java', `-Dshop.api.key=${secret}`], 'java -Dshop.api.key=<redacted>'],
      [['env', `AWS_SECRET_ACCESS_KEY=${secret}`, 'x'], 'env AWS_SECRET_ACCESS_KEY=<redacted> x'],
      [['psql', `postgres://shop:${secret}@db/shop`], 'psql postgres://shop:<redacted>@db/shop'],
      [['curl', '-H', `Authorization: Bearer ${secret}`], 'curl -H Authorization: <redacted>'],
      [['curl', '-u', `me:${secret}`, 'http://x/'], 'curl -u <redacted> http://x/'],
      [['mysql', '-uroot', `-p${secret}`], 'mysql -uroot -p<redacted>'],
      [
        ['sh', '-c', `cd /x; PGPASSWORD=${secret} psql; TOKEN=${secret} x`],
        'sh -c cd /x; PGPASSWORD=<redacted> psql; TOKEN=<redacted> x',
      ],
      [['env', `DB_PASSWORD=a ${secret} b`], 'env DB_PASSWORD=<redacted>'],
      [
        ['runner', `{"env":{"DB_PASSWORD":"${secret}","HOME":"/root"}}`],
        'runner {"env":{"DB_PASSWORD":"<redacted>","HOME":"/root"}}',
      ],
      [['x', 'ghp_0123456789abcdefghijABCDEFGHIJ'], 'x <redacted>'],
    ]
    for (const [args, expected] of lines) expect(shown(...args)).toBe(expected)
  })

  it('stay as they are where they only look a little like one', () => {
    const lines = [
      'kill -9 4242',
      'nginx -c /etc/nginx.conf',
      'git log --author=me',
      'ls /etc/passwd',
      'ssh -p 22 host',
      'app --key-file a --tokens-max=5 --tokenizer=bpe --bypass=1',
    ]
    for (const line of lines) expect(redact(line.split(' '))).toEqual({ args: line.split(' '), redacted: false })
  })

  it('lose it in a title, too, where a program wrote its whole command line over its first argument', () => {
    expect(shown(`shop: worker --password=${secret} -v`)).toBe('shop: worker --password=<redacted> -v')
    expect(shown('/opt/passwords/bin/token')).toBe('/opt/passwords/bin/token')
  })

  it.each([
    'pass',
    ' pass',
    'a',
    '"pass',
    'pass.-',
    'secret',
    'cookie ',
    'a:/',
    'http://a:',
    'a+',
    'eyJaaaaaaaaaa-',
    '-----BEGIN',
    '"pass":"\\',
    'xoxb-',
    "'token'",
  ])('take no longer than a moment, however they are made: %j over and over', (piece) => {
    const args = ['x', piece.repeat(16_384 / piece.length), `"${piece.repeat(16_384 / piece.length)}`]
    const began = performance.now()
    redact(args)
    expect(performance.now() - began).toBeLessThan(100)
  })

  it('never hold a password that was given in a usual way, wherever it stands', () => {
    const name = fc.constantFrom(
      'password',
      'DB_PASSWORD',
      'api-key',
      'apiKey',
      'client_secret',
      'auth-token',
      'access_key',
    )
    const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019'), minLength: 8, maxLength: 20 })
    const given = fc
      .tuple(name, word, fc.constantFrom('--', '-', ''))
      .map(([key, value, dashes]) => ({ arg: `${dashes}${key}=${value}`, value }))
    fc.assert(
      fc.property(given, fc.array(word), fc.array(word), ({ arg, value }, before, after) => {
        const line = redact(['app', ...before, arg, ...after])
        expect(line.redacted).toBe(true)
        expect(line.args[before.length + 1]).not.toContain(value)
      }),
    )
  })
})
