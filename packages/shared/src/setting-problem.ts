/** What is wrong with settings that are right one by one: what a CodedError is made of. */
export interface SettingProblem {
  readonly code: string
  readonly message: string
  readonly hint: string
}
