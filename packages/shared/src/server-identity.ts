import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/**
 * Whether a certificate is for one of these servers, for the `checkServerIdentity` of node:tls.
 *
 * The NATS client tells TLS a server's name, but no address: of a server that the settings name by its address Node.js
 * then asks whether the certificate is for `localhost`, refuses the right one and takes any that is for localhost. So
 * that question is asked of the addresses in the settings instead.
 */
export function serverIdentity(hosts: readonly string[]) {
  return (name: string, certificate: PeerCertificate): Error | undefined => {
    const addresses = hosts.filter((host) => host === 'localhost' || isIP(host) !== 0)
    const asked = name === 'localhost' && addresses.length > 0 ? addresses : [name]
    const problems = asked.map((each) => checkServerIdentity(each, certificate))
    return problems.includes(undefined) ? undefined : problems[0]
  }
}
