import { readFileSync } from 'node:fs';
import type { ModelFailureClass } from '../../src/providers/failure.ts';

export type ProviderApi = 'openai' | 'anthropic' | 'gemini';

/** An error answer as it comes over the wire, and what has to be made of it. */
export interface ErrorSample {
  readonly api: ProviderApi;
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly failure: ModelFailureClass;
  readonly providerCode?: string;
  readonly retryAfterMs?: number;
}

/** Written after the providers' documentation and reports of their users. */
export const ERROR_SAMPLES: readonly ErrorSample[] = JSON.parse(
  readFileSync(new URL('../fixtures/provider-errors.json', import.meta.url), 'utf8'),
);

export function bodyText({ body }: ErrorSample): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
