import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { REDACTION_RULES } from '../../src/redaction/redaction-policy.ts';
import type { SummarizeWorkflow } from '../../src/workflows/workflow.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load({ policy = '{}', workflow = '', patterns = "{ staff: 'EMP-\\d{4,8}' }", cascade = '[{ model: m }]' }) {
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `
redaction: { patterns: ${patterns} }
providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1/v1", dataPolicy: ${policy} } }
models: { m: { provider: p, id: m-2026-01-01 } }
workflows:
  w: { task: summarize, cascade: ${cascade}, ${workflow} }
  c: { task: classify, labels: [a, b], cascade: [{ model: local }] }
`,
  );
  return loadConfig({ env: {}, cwd });
}

const redactOf = (policy: string) => load({ policy }).models.get('m')?.redact;
const checksOf = (workflow: string) => {
  const spec = load({ workflow }).workflows.get('w')?.spec as SummarizeWorkflow | undefined;
  return spec?.checks;
};

describe('dataPolicy', () => {
  it('redacts nothing unless it says so, everything with true, and what a list names', () => {
    const staff = { name: 'staff', pattern: 'EMP-\\d{4,8}', flags: '' };
    expect(redactOf('{}')).toBeUndefined();
    expect(redactOf('{ redact: false }')).toBeUndefined();
    expect(redactOf('{ redact: true }')).toEqual({ rules: REDACTION_RULES, patterns: [staff] });
    expect(redactOf('{ redact: [staff, email] }')).toEqual({ rules: ['email'], patterns: [staff] });
  });

  it('names unknown rules, taken names and patterns that are not bounded', () => {
    const load2 = () => load({ policy: '{ redact: [mail] }', patterns: "{ email: 'x', long: '/a+b/i' }" });
    expect(load2).toThrow(/providers\.p\.dataPolicy\.redact: there is no rule or pattern "mail"; known: email, phone/);
    expect(load2).toThrow(/redaction\.patterns\.email: this name is taken/);
    expect(load2).toThrow(/redaction\.patterns\.long: "\/a\+b\/i" has "\+", which repeats without end/);
  });
});

describe('private', () => {
  it('lets a workflow use the built-in model and providers that are declared local, and no others', () => {
    const workflow = 'private: true';
    const cascade = '[{ model: local }, { model: m }]';
    expect(load({ workflow, cascade, policy: '{ location: local }' }).workflows.get('w')?.spec.private).toBe(true);
    expect(load({ workflow, cascade: '[{ model: local }]' }).workflows.get('w')?.spec.private).toBe(true);
    expect(() => load({ workflow, cascade })).toThrow(/workflows\.w\.cascade\.1: the workflow is private, and model m/);
    expect(() => load({ workflow, cascade, policy: '{ redact: true }' })).toThrow(/is private/);
    expect(load({ cascade }).workflows.get('w')?.spec.private).toBeUndefined();
  });
});

describe('checks', () => {
  it('are language, numbers and preamble unless the config says otherwise', () => {
    const defaults = { language: true, numbers: true, names: false, preamble: true, forbidden: [] };
    expect(checksOf('')).toEqual(defaults);
    expect(checksOf('checks: { numbers: false, names: true }')).toEqual({ ...defaults, numbers: false, names: true });
    expect(checksOf("checks: { forbidden: [top secret, '/no\\. \\d{1,3}/i'] }")?.forbidden).toEqual([
      { kind: 'phrase', phrase: 'top secret' },
      { kind: 'pattern', pattern: 'no\\. \\d{1,3}', flags: 'i' },
    ]);
  });

  it('refuse a pattern that could take long, and a workflow without summaries', () => {
    expect(() => checksOf("checks: { forbidden: ['/(a|b)*c/'] }")).toThrow(
      /workflows\.w\.checks\.forbidden\.0: .*repeats/,
    );
    writeFileSync(
      join(cwd, 'nightmill.yaml'),
      'workflows: { c: { task: classify, labels: [a, b], checks: {}, cascade: [{ model: local }] } }',
    );
    expect(() => loadConfig({ env: {}, cwd })).toThrow(
      /workflows\.c\.checks: only a summarize workflow has checks; this one has task: classify/,
    );
  });
});
