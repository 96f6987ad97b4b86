import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type RunningSimulator, startSimulator } from '../../src/simulator/start-simulator.ts';

/** The provider simulator in this process, with the models of the documented sample config. */
export async function startTestSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  return await startSimulator({ tokenCounting: 'bytes/4', ...options });
}

/** Replaces the rates of all faults. */
export async function setFaults(simulator: RunningSimulator, faults: Readonly<Record<string, number>>): Promise<void> {
  await control(simulator, '/faults', faults);
}

/** Replaces the state, e.g. `{ outOfCredit: true }`. */
export async function setState(simulator: RunningSimulator, state: Readonly<Record<string, boolean>>): Promise<void> {
  await control(simulator, '/state', state);
}

async function control(simulator: RunningSimulator, path: string, body: object): Promise<void> {
  const response = await fetch(new URL(path, simulator.url), { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}
