import type { EndpointReport } from '../../src/doctor/doctor-provider.ts';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function check(report: EndpointReport, name: string): string {
  const found = report.checks.find((one) => one.name === name);
  return found === undefined ? 'absent' : `${found.state}: ${found.detail}`;
}

export function states(report: EndpointReport): readonly string[] {
  return [...new Set(report.checks.map(({ state }) => state))];
}

export function completion(content: string, more: object = {}, choice: object = {}): Answer {
  const usage = { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 };
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', ...choice }];
  return { body: { id: 'c-1', object: 'chat.completion', choices, usage, ...more } };
}

export const LOGPROBS = { logprobs: { content: [{ token: '{', logprob: -0.1, top_logprobs: [] }] } };
export const YES = '{"verdict":"yes"}';
