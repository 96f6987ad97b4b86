import { runScenario } from './run-scenario.ts';
import type { ScenarioOptions } from './scenario.ts';

/** A process of its own for one seed, which `npm run chaos` starts: `one-seed.ts SEED OPTIONS`. Sends the outcome to its parent. */
const [seed = '', options = '{}'] = process.argv.slice(2);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
// Nobody waits for it any more.
process.on('disconnect', () => process.exit(1));
const outcome = await runScenario(Number(seed), JSON.parse(options) as ScenarioOptions);
process.send?.(outcome, () => process.exit(0));
