import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IdentityError } from './errors.ts'
import { type HostIdentity, hostIdentity } from './host-identity.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whokilled-identity-'))
  writeFileSync(machine(), 'a3f0c1\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const machine = () => join(folder, 'machine-id')
const state = () => join(folder, 'state')
const file = () => join(state(), 'host.json')

function identity(overrides: Partial<Parameters<typeof hostIdentity>[0]> = {}): HostIdentity {
  return hostIdentity({ stateFolder: state(), hostName: undefined, machineIdPath: machine(), ...overrides })
}

describe('the identity of a host', () => {
  it('is made at the first start and kept, through a new name too', () => {
    const first = identity()
    expect(first).toMatchObject({ wasCloned: false, host: { name: hostname() } })
    expect(first.host.id).toMatch(/^[0-9a-f-]{36}$/)
    const second = identity({ hostName: 'renamed' })
    expect(second.host).toEqual({ ...first.host, name: 'renamed' })
    expect(second.secret).toBe(first.secret)
    expect(second.wasCloned).toBe(false)
  })

  it("holds a secret that nobody else may read, and not the machine's own id", () => {
    identity()
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(state()).mode & 0o777).toBe(0o700)
    expect(readFileSync(file(), 'utf8')).not.toContain('a3f0c1')
  })

  it('is a new one after the state came to another machine, and is then kept there', () => {
    const original = identity()
    writeFileSync(machine(), 'b4e1d2\n')
    const clone = identity()
    expect(clone.wasCloned).toBe(true)
    expect(clone.host.id).not.toBe(original.host.id)
    expect(clone.secret).not.toBe(original.secret)
    expect(identity()).toEqual({ ...clone, wasCloned: false })
  })

  it('is derived from the machine where nothing may be kept', () => {
    const one = identity({ stateFolder: undefined })
    const other = identity({ stateFolder: undefined })
    expect(one.host).toEqual(other.host)
    expect(one.secret).not.toBe(other.secret)
    writeFileSync(machine(), '')
    expect(identity({ stateFolder: undefined }).host.id).not.toBe(one.host.id)
  })

  it.each(['', '{', '{"id":"x"}', '{"id":"","secret":"s","machine":"m"}', '[]'])(
    'that holds %j instead is refused, with what to do',
    (content) => {
      mkdirSync(state())
      writeFileSync(file(), content)
      expect(identity).toThrow(IdentityError)
      expect(identity).toThrow(
        expect.objectContaining({ code: 'host-identity-unreadable', hint: expect.stringContaining(file()) }),
      )
      expect(readFileSync(file(), 'utf8')).toBe(content)
    },
  )

  it('that cannot be written is an error that names the setting', () => {
    writeFileSync(state(), 'a file where the folder should be')
    expect(identity).toThrow(
      expect.objectContaining({ code: 'state-folder-not-writable', hint: expect.stringContaining('"stateFolder"') }),
    )
  })
})
