import { expect, test } from 'vitest'
import { hostCondition, serviceCondition } from './names.ts'

test('a service is asked for by its name, with or without .service', () => {
  expect(serviceCondition('nginx')).toEqual({ exact: ['nginx', 'nginx.service'], like: null })
  expect(serviceCondition(undefined)).toEqual({ exact: null, like: null })
})

test('a star is a pattern, and what SQL takes for one is not', () => {
  expect(serviceCondition('a_b%c\\**')).toEqual({ exact: null, like: 'a\\_b\\%c\\\\%' })
  expect(hostCondition('web-*')).toEqual({ exact: null, like: 'web-%' })
  expect(hostCondition('web-3')).toEqual({ exact: ['web-3'], like: null })
})
