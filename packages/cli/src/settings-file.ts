import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseSettings } from '@whokilled/shared/settings'
import { z } from 'zod'
import { UsageError } from './errors.ts'

const Shape = z.strictObject({
  url: z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  plaintext: z.boolean().optional(),
})

/** What the settings file holds. */
export type SettingsFile = z.output<typeof Shape>

/** `settings.json` in `$XDG_CONFIG_HOME/whokilled`, else in `~/.config/whokilled`. */
export function settingsPath(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'whokilled', 'settings.json')
}

/** The settings file; nothing if there is none. Throws a UsageError, which repeats nothing that is written there. */
export function readSettingsFile(path: string): SettingsFile {
  const text = textOf(path)
  if (text === undefined) return {}
  let written: unknown
  try {
    written = JSON.parse(text)
  } catch {
    throw new UsageError('bad-settings', `${path}: expected JSON.`, 'Comments and trailing commas are not JSON.')
  }
  const parsed = parseSettings(Shape, written)
  if ('problems' in parsed) {
    const problems = parsed.problems.join('; ')
    const hint = `Its settings are ${Object.keys(Shape.shape).join(', ')}.`
    throw new UsageError('bad-settings', `${path}: ${problems}${problems.endsWith('?') ? '' : '.'}`, hint)
  }
  if (parsed.settings.token !== undefined && (statSync(path).mode & 0o077) !== 0) {
    throw new UsageError(
      'settings-exposed',
      `${path}: expected that nobody else may read it, because it holds a token.`,
      `Run: chmod 600 ${path}. If others can have read it, have the token revoked.`,
    )
  }
  return parsed.settings
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new UsageError('bad-settings', `expected to read the settings file, got: ${message}.`, '')
  }
}
