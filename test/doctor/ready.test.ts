import { describe, expect, it } from 'vitest';
import { type Readiness, readyChecks } from '../../src/doctor/ready.ts';

const TIER = { model: 'small', isPinned: true, fallbacks: ['spare'], limits: ['60 requests/min'], isPriced: true };
const COMPLETE: Readiness = {
  workflows: [
    {
      name: 'triage',
      isPaid: true,
      tiers: [TIER],
      budgets: ['batch $5.00'],
      golden: { file: 'golden/triage.jsonl', lines: 24, cases: new Set(['long', 'hostile', 'multilingual']) },
    },
  ],
  webhooks: 1,
  missingSecrets: [],
  evidence: {
    file: 'readiness.yaml',
    candidates: ['a', 'b', 'c'],
    jsonValidity: 0.998,
    rollback: { file: 'rollback.md', exists: true },
  },
};

const open = (readiness: Readiness) =>
  readyChecks(readiness)
    .filter(({ state }) => state !== 'ok')
    .map(({ name }) => name);

describe('readyChecks()', () => {
  it('a complete config has every box ticked, each with its evidence', () => {
    expect(open(COMPLETE)).toEqual([]);
    for (const { detail, name } of readyChecks(COMPLETE)) expect(detail, name).not.toMatch(/undefined|^$/);
  });

  it('a fresh config has every box open, each with what to do', () => {
    const fresh: Readiness = {
      workflows: [
        {
          name: 'triage',
          isPaid: true,
          tiers: [{ model: 'small', isPinned: false, fallbacks: [], limits: [], isPriced: false }],
          budgets: [],
        },
      ],
      webhooks: 0,
      missingSecrets: ['ACME_API_KEY'],
      evidence: { file: 'readiness.yaml', candidates: [] },
    };
    const checks = readyChecks(fresh);
    expect(checks.every(({ state }) => state === 'failed')).toBe(true);
    expect(checks).toHaveLength(readyChecks(COMPLETE).length);
    for (const { detail, name } of checks) expect(detail, name).not.toMatch(/undefined/);
  });

  it.each([
    ['golden set', { golden: { file: 'g', lines: 19, cases: new Set(['long', 'hostile', 'multilingual']) } }],
    ['hostile case', { golden: { file: 'g', lines: 20, cases: new Set(['long', 'multilingual']) } }],
    ['fallback', { tiers: [TIER, { ...TIER, fallbacks: [] }] }],
    ['limits', { tiers: [{ ...TIER, limits: [] }] }],
    ['ids', { tiers: [{ ...TIER, isPinned: false }] }],
    ['budget', { budgets: [] }],
  ])('without its evidence, %s is open', (name, change) => {
    const [workflow] = COMPLETE.workflows;
    const workflows = workflow === undefined ? [] : [{ ...workflow, ...change }];
    expect(open({ ...COMPLETE, workflows })).toEqual([`triage: ${name}`]);
  });

  it('a rollback that is named and not there is open; free workflows have no boxes', () => {
    const evidence = { ...COMPLETE.evidence, rollback: { file: 'gone.md', exists: false } };
    expect(open({ ...COMPLETE, evidence })).toEqual(['rollback']);
    const free = readyChecks({ ...COMPLETE, workflows: [{ name: 'free', isPaid: false, tiers: [], budgets: [] }] });
    expect(free.map(({ name }) => name)).toEqual(['keys', 'alerts', 'candidates', 'JSON validity', 'rollback']);
  });
});
