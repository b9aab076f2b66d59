import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where kernels, modules and guest images are kept between runs. It may be deleted at any time. */
export const labCacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'whokilled', 'kernel-lab')
