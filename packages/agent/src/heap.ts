import { setFlagsFromString } from 'node:v8'

// The agent makes much short-lived garbage and keeps little: a small young generation, which V8 would let grow with the
// load of the host, costs little time and keeps the agent within its memory. To be imported before all else.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--max-semi-space-size=2')
setFlagsFromString('--optimize-for-size')
