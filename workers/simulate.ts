import { readSimulatorFlags } from '../src/simulator/read-flags.ts';
import { SimulatorOptionsError } from '../src/simulator/resolve-options.ts';
import { startSimulator } from '../src/simulator/start-simulator.ts';

/**
 * The provider simulator as a process. Standard output has two JSON lines: `{"url"}` once it listens, and its totals
 * when a SIGTERM or SIGINT has ended it.
 */
try {
  const simulator = await startSimulator(readSimulatorFlags(process.argv.slice(2)));
  process.stdout.write(`${JSON.stringify({ url: simulator.url })}\n`);
  const stop = async (): Promise<void> => {
    await simulator.close();
    process.stdout.write(`${JSON.stringify(simulator.totals())}\n`);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  if (!(error instanceof SimulatorOptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
