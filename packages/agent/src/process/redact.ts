/** What stands in an event in place of a secret. */
export const redactedText = '<redacted>'

/** Names of settings that hold secrets; `auth` and `pwd` only as whole words, since authors and paths are none. */
const secretName =
  '(?:pass(?:word|wd|phrase|code)|secret|token(?!s|i)|(?:api|access|private|session|encryption)[-_.]?key|credentials?|bearer|cookie|(?<![a-z])(?:auth(?:orization)?|pwd|pass)(?![a-z]))'

/**
 * What may stand before and behind it in a name. Bounded, as all repetitions here that something must follow: an
 * argument is anybody's, has 128 kB, and must not take longer than its length.
 */
const around = '[\\w.-]{0,128}'

/** `--password=x`, `DB_PASSWORD=x`, `-Dapi.key=x`, `token:x`: the name stays, the value goes. */
const named = new RegExp(`^(-{0,2}${around}${secretName}${around}\\s{0,8}[=:]\\s{0,8})(.+)$`, 'is')
/** `--password x`: the next argument is the value. */
const announces = new RegExp(`^-{1,2}${around}${secretName}$`, 'i')
/** `user:password@` in a URL. */
const inUrl = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,32}:\/\/[^/\s:@]{0,256}):[^/\s@]+@/gi
/** `Authorization: Bearer x`, as given to curl -H. */
const header = /((?:authorization|proxy-authorization|x-api-key|cookie)\s{0,8}:\s{0,8})(\S.*)$/is
/** Values that are secrets by their form: AWS keys, GitHub and Slack tokens, JSON web tokens, PEM blocks. */
const byForm =
  /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|(?<!-)eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)|-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g
/** Options of common clients that take a password right behind the letter (mysql -psecret) or as the next argument (sshpass -p). */
const attached: Readonly<Record<string, RegExp>> = {
  mysql: /^-p(.+)$/s,
  mysqldump: /^-p(.+)$/s,
  mysqladmin: /^-p(.+)$/s,
  sshpass: /^-p(.+)$/s,
}
const letter: Readonly<Record<string, string>> = { sshpass: '-p', curl: '-u', 'redis-cli': '-a' }

/** Replaces what looks like a secret in a command line, argument by argument; twice is the same as once. */
export function redact(args: readonly string[]): { args: string[]; redacted: boolean } {
  const program = (args[0] ?? '').replace(/^.*\//, '')
  let isValue = false
  const shown = args.map((arg, index) => {
    // A program's name is none; a title that a program gave itself may hold its whole command line.
    if (index === 0) return redactParts(arg)
    if (isValue && !arg.startsWith('-')) {
      isValue = false
      return redactedText
    }
    isValue = announces.test(arg) || letter[program] === arg
    return redactOne(arg, attached[program])
  })
  return { args: shown, redacted: shown.some((arg, index) => arg !== args[index] || arg.includes(redactedText)) }
}

function redactOne(arg: string, attachedValue: RegExp | undefined): string {
  if (attachedValue?.test(arg)) return `${arg.slice(0, 2)}${redactedText}`
  const whole = named.exec(arg) ?? header.exec(arg)
  if (whole !== null && !/^\s/.test(arg)) return `${whole[1]}${redactedText}`
  return redactParts(arg)
}

function redactParts(text: string): string {
  return text
    .replace(header, `$1${redactedText}`)
    .replace(inUrl, `$1:${redactedText}@`)
    .replace(byForm, redactedText)
    .replace(inJson, `$1"${redactedText}"`)
    .replace(inText, `$1${redactedText}`)
}

/** `"password": "x"` inside JSON. */
const inJson = new RegExp(`("${around}${secretName}${around}"\\s{0,8}:\\s{0,8})"(?:[^"\\\\]|\\\\.)*"`, 'gi')

/** The same inside a longer argument, such as the script of `sh -c`. */
const inText = new RegExp(`((?:^|[\\s;'"&])-{0,2}${around}${secretName}${around}=)[^\\s;'"&]+`, 'gi')
