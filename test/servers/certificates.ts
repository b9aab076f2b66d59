import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = (args: readonly string[], cwd: string) => promisify(execFile)('openssl', args, { cwd })

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

/** Whoever signs certificates. */
export interface Authority {
  readonly caFile: string
  /** A certificate for these names (`DNS:localhost`, `IP:127.0.0.1`), or for a client; one that has expired, if told so. */
  issue(
    name: string,
    options?: { readonly names?: readonly string[]; readonly isExpired?: boolean },
  ): Promise<Certificate>
}

/** Makes an authority with openssl(1); its files are in `folder`, under its name. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const caFile = join(folder, `${name}.pem`)
  const caKey = join(folder, `${name}.key`)
  const subject = ['-subj', `/CN=whokilled test authority ${name}`]
  await openssl(
    ['req', '-x509', '-newkey', 'ec', ...curve, '-nodes', '-keyout', caKey, '-out', caFile, ...subject, '-days', '2'],
    folder,
  )
  return {
    caFile,
    async issue(of, { names = ['DNS:localhost', 'IP:127.0.0.1'], isExpired = false } = {}) {
      const file = (ending: string) => join(folder, `${name}-${of}.${ending}`)
      await openssl(
        ['req', '-newkey', 'ec', ...curve, '-nodes', '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${of}`],
        folder,
      )
      await writeFile(file('ext'), `subjectAltName=${names.join(',')}\nbasicConstraints=CA:FALSE\n`)
      const days = ['-days', isExpired ? '-1' : '2']
      const signed = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-extfile', file('ext')]
      await openssl(['x509', '-req', '-in', file('csr'), '-out', file('pem'), ...signed, ...days], folder)
      return { certFile: file('pem'), keyFile: file('key') }
    },
  }
}

const curve = ['-pkeyopt', 'ec_paramgen_curve:prime256v1']
