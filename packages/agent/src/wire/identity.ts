import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node'
import { readCredentialsFile, readKeyFile, readSeedFile } from '@whokilled/shared/key-file'
import type { NatsSettings } from '@whokilled/shared/nats-settings'

/** Who this host is to NATS, by the files that the settings name. Throws a CodedError if one cannot be used. */
export function identityOptions(settings: NatsSettings): Pick<ConnectionOptions, 'authenticator'> {
  const { natsNkeyFile, natsCredentialsFile, natsKeyFile } = settings
  // The client reads it itself, and minds no mode.
  if (natsKeyFile !== undefined) readKeyFile('natsKeyFile', natsKeyFile)
  if (natsNkeyFile !== undefined) {
    return { authenticator: nkeyAuthenticator(readSeedFile('natsNkeyFile', natsNkeyFile)) }
  }
  if (natsCredentialsFile !== undefined) {
    return { authenticator: credsAuthenticator(readCredentialsFile('natsCredentialsFile', natsCredentialsFile)) }
  }
  return {}
}
