import type { Config } from '../../config/config.ts';
import type { LessonBook } from '../providers/lesson-book.ts';
import { ProviderGate } from '../providers/provider-gate.ts';
import type { Clock } from '../runtime/clock.ts';
import { openModelClient } from './open-model-client.ts';

/** A gate with its client for each provider of the config; `stack` closes the clients. */
export function openProviders(
  config: Config,
  clock: Clock,
  lessons: LessonBook,
  stack: AsyncDisposableStack,
): ReadonlyMap<string, ProviderGate> {
  const gates = new Map<string, ProviderGate>();
  for (const provider of config.providers.values()) {
    const { concurrency, startConcurrency } = provider.limits;
    const client = stack.adopt(openModelClient(provider, lessons), (opened) => opened.close());
    const outageToleranceMs = config.worker.providerPatienceMs;
    gates.set(
      provider.name,
      new ProviderGate({
        name: provider.name,
        client,
        concurrency,
        ...(startConcurrency === undefined ? {} : { startConcurrency }),
        timeLimitMs: provider.timeoutMs,
        outageToleranceMs,
        clock,
        hasPromptCache: provider.capabilities.promptCache !== 'none',
      }),
    );
  }
  return gates;
}

/** Those that run on the own network. */
export function localProviders({ providers }: Config): ReadonlySet<string> {
  return new Set([...providers.values()].filter(({ isLocal }) => isLocal).map(({ name }) => name));
}
