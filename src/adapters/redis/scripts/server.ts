import { script } from './run-script.ts';

/**
 * The clock and the identity of the server that has our keys; on a cluster, another node answers commands without a key.
 *
 * KEYS  1 any key of ours
 * Returns { milliseconds of its clock, its INFO server }
 */
export const SERVER = script(`
local time = redis.call('TIME')
return { string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), redis.call('INFO', 'server') }
`);
