import { expect, test } from 'vitest'
import { nearestWord } from './nearest-word.ts'

test('a word with a wrong, missing, added or swapped letter is recognised', () => {
  const known = ['natsUrl', 'postgresUrl', 'httpPort']
  for (const typed of ['natsURL', 'natUrl', 'natssUrl', 'nastUrl']) expect(nearestWord(typed, known)).toBe('natsUrl')
})

test('a word that is like none of them is not guessed', () => {
  expect(nearestWord('colour', ['natsUrl', 'httpPort'])).toBeUndefined()
  expect(nearestWord('x', [])).toBeUndefined()
})
