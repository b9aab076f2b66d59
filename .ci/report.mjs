// Reads the reports of vitest that .ci/run had written:
//   node .ci/report.mjs failed-files FILE              the files with a failed test, one a line
//   node .ci/report.mjs summary FOLDER [FAILED_STEP…]  which tests and steps failed, and how many tests
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const [, , command, path, ...failedSteps] = process.argv
if (command === 'failed-files') {
  for (const { name, status } of testFiles(path)) if (status === 'failed') console.log(relative(process.cwd(), name))
} else {
  let passed = 0
  const failed = []
  const unsteady = []
  for (const step of ['test', 'faults', 'kernel']) {
    const first = testFiles(join(path, `${step}.json`))
    const again = new Map(testFiles(join(path, `${step}.again.json`)).map((file) => [file.name, file]))
    for (const file of first) {
      const last = again.get(file.name) ?? file
      const failedAtFirst = failuresOf(file)
      const failedLast = failuresOf(last)
      passed += last.assertionResults.filter(({ status }) => status === 'passed').length
      failed.push(...failedLast)
      unsteady.push(...failedAtFirst.filter((test) => !failedLast.includes(test)))
    }
  }
  console.log('')
  for (const test of unsteady) console.log(`failed at first, passed alone: ${test}`)
  for (const test of failed) console.log(`failed: ${test}`)
  for (const step of failedSteps) console.log(`failed step: ${step}`)
  // A step that is no test, or whose tests have no report, counts as a test of its own.
  console.log(`${passed} passed, ${failed.length === 0 ? failedSteps.length : failed.length} failed`)
}

function testFiles(report) {
  return existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : []
}

/** Names of the tests that failed; of a file that could not even begin, the file's. */
function failuresOf({ name, status, assertionResults }) {
  const file = relative(process.cwd(), name)
  const tests = assertionResults.filter((test) => test.status === 'failed')
  if (tests.length === 0 && status === 'failed') return [file]
  return tests.map(({ fullName }) => `${file}: ${fullName}`)
}
