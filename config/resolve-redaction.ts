import { patternProblem } from '../src/checks/safe-pattern.ts';
import { LITERAL } from '../src/redaction/placeholder.ts';
import {
  REDACTION_RULES,
  type RedactionPattern,
  type RedactionPolicy,
  type RedactionRule,
} from '../src/redaction/redaction-policy.ts';
import { readPattern } from '../src/tasks/summarize/resolve-checks.ts';
import { knownNames } from '../src/text/known-names.ts';
import type { ModelSpec } from '../src/workflows/workflow.ts';
import type { RawConfig } from './schema.ts';

/** The models, each with what its provider must not see. */
export function withRedaction(
  models: ReadonlyMap<string, ModelSpec>,
  raw: RawConfig,
  problems: string[],
): ReadonlyMap<string, ModelSpec> {
  const patterns = resolvePatterns(raw, problems);
  const policies = new Map<string, RedactionPolicy>();
  for (const [name, provider] of Object.entries(raw.providers)) {
    const policy = resolvePolicy(
      provider.dataPolicy?.redact,
      patterns,
      `providers.${name}.dataPolicy.redact`,
      problems,
    );
    if (policy !== undefined) policies.set(name, policy);
  }
  return new Map(
    [...models].map(([name, model]) => {
      const redact = policies.get(model.provider);
      return [name, redact === undefined ? model : { ...model, redact }];
    }),
  );
}

function resolvePatterns(raw: RawConfig, problems: string[]): readonly RedactionPattern[] {
  return Object.entries(raw.redaction.patterns).map(([name, text]) => {
    const at = `redaction.patterns.${name}`;
    if (name === LITERAL || REDACTION_RULES.some((rule) => rule === name))
      problems.push(`${at}: this name is taken by a built-in rule; choose another`);
    const written = readPattern(text) ?? { pattern: text, flags: '' };
    const problem = patternProblem(written.pattern, written.flags);
    if (problem !== undefined) problems.push(`${at}: ${JSON.stringify(text)} ${problem}`);
    return { name, ...written };
  });
}

function resolvePolicy(
  redact: boolean | readonly string[] | undefined,
  patterns: readonly RedactionPattern[],
  at: string,
  problems: string[],
): RedactionPolicy | undefined {
  if (redact === undefined || redact === false) return undefined;
  if (redact === true) return { rules: REDACTION_RULES, patterns };
  const names = [...REDACTION_RULES, ...patterns.map(({ name }) => name)];
  for (const name of redact) {
    if (!names.includes(name))
      problems.push(`${at}: there is no rule or pattern ${JSON.stringify(name)}; ${knownNames(names)}`);
  }
  const rules = REDACTION_RULES.filter((rule: RedactionRule) => redact.includes(rule));
  return { rules, patterns: patterns.filter(({ name }) => redact.includes(name)) };
}
