import type { ReasoningEffort, ReasoningRequest, ReasoningSpec } from '../src/workflows/reasoning.ts';
import type { ProviderConfig } from './config.ts';
import type { RawConfig } from './schema.ts';

type RawModel = RawConfig['models'][string];

/**
 * Room in the output cap where none is stated. Only a budget is a bound, so this is what an effort seldom exceeds on a
 * short question; Google takes low, medium and high for 1K, 8K and 24K (https://ai.google.dev/gemini-api/docs/openai).
 */
const ROOM_TOKENS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 512,
  low: 2048,
  medium: 8192,
  high: 24_576,
  xhigh: 49_152,
  max: 65_536,
};

/** The least that the API takes (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). */
const MIN_ANTHROPIC_BUDGET = 1024;

/** A model's `reasoning` with its defaults; what its endpoint cannot be told is a problem. */
export function resolveReasoning(
  { reasoning, maxOutputTokens }: { readonly reasoning?: RawModel['reasoning']; readonly maxOutputTokens: number },
  provider: ProviderConfig,
  at: string,
  problems: string[],
): { readonly reasoning?: ReasoningSpec } {
  if (reasoning === undefined) return {};
  const { effort, budget, tokens } = typeof reasoning === 'string' ? { effort: reasoning } : reasoning;
  const report = (message: string): void => {
    problems.push(`${at}.reasoning: ${message}`);
  };
  if (effort === undefined && budget === undefined && tokens === undefined) {
    report('write an effort, a budget, or the tokens that it thinks anyway');
  }
  if (effort !== undefined && budget !== undefined)
    report('an effort and a budget are two ways to say it; leave one out');
  checkEndpoint({ effort, budget }, provider, report);
  const room = tokens ?? budget ?? (effort === undefined ? 0 : ROOM_TOKENS[effort]);
  if (budget !== undefined && room < budget) {
    report(`tokens ${room} is less than the budget ${budget}; thinking would use up the room of the answer`);
  }
  if (room >= maxOutputTokens) {
    report(
      `its ${room} tokens leave no room for an answer in maxOutputTokens ${maxOutputTokens}; raise ${at}.maxOutputTokens`,
    );
  }
  const ask = askOf(effort, budget);
  return { reasoning: { ...(ask === undefined ? {} : { ask }), tokens: room } };
}

function checkEndpoint(
  { effort, budget }: { readonly effort: ReasoningEffort | undefined; readonly budget: number | undefined },
  { name, kind, capabilities }: ProviderConfig,
  report: (message: string) => void,
): void {
  const form = capabilities.reasoning;
  if (effort === undefined && budget === undefined) return;
  if (form === 'none') {
    report(`provider ${name} cannot be told how much to think; write { tokens: N } for the room that thinking needs`);
  } else if (kind === 'gemini' && (effort === 'xhigh' || effort === 'max')) {
    report(`provider ${name} knows none, minimal, low, medium and high; write { budget: N } for more than high`);
  } else if (budget !== undefined && kind === 'openai' && form !== 'object') {
    report(`provider ${name} takes an effort, no budget; write { effort: low, tokens: ${budget} }`);
  } else if (budget !== undefined && kind === 'anthropic' && budget < MIN_ANTHROPIC_BUDGET) {
    report(`the least budget of provider ${name} is ${MIN_ANTHROPIC_BUDGET}, and ${budget} is set`);
  }
}

function askOf(effort: ReasoningEffort | undefined, budget: number | undefined): ReasoningRequest | undefined {
  if (budget !== undefined) return { budget };
  return effort === undefined ? undefined : { effort };
}
