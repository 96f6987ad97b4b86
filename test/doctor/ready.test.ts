import { describe, expect, it } from 'vitest';
import { type Readiness, readyBoxes } from '../../src/doctor/ready.ts';

const TIER = {
  model: 'small',
  provider: 'acme',
  isPinned: true,
  fallbacks: ['spare'],
  limits: ['60 requests/min'],
  isPriced: true,
};
const COMPLETE: Readiness = {
  workflows: [
    {
      name: 'triage',
      isPaid: true,
      tiers: [TIER],
      budgets: ['batch $5.00'],
      golden: { file: 'golden/triage.jsonl', lines: 24, cases: new Set(['long', 'hostile', 'multilingual']) },
      gate: { isOpen: true, detail: 'evaluation e1, today', next: '' },
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
  readyBoxes(readiness)
    .filter(({ isDone }) => !isDone)
    .map(({ workflow, name }) => (workflow === undefined ? name : `${workflow}: ${name}`));

describe('readyBoxes()', () => {
  it('a complete config has every box ticked, each with its evidence', () => {
    expect(open(COMPLETE)).toEqual([]);
    for (const { detail, name } of readyBoxes(COMPLETE)) expect(detail, name).not.toMatch(/undefined|^$/);
  });

  it('a fresh config has every box open, each with what to do', () => {
    const fresh: Readiness = {
      workflows: [
        {
          name: 'triage',
          isPaid: true,
          tiers: [{ model: 'small', provider: 'acme', isPinned: false, fallbacks: [], limits: [], isPriced: false }],
          budgets: [],
        },
      ],
      webhooks: 0,
      missingSecrets: ['ACME_API_KEY'],
      evidence: { file: 'readiness.yaml', candidates: [] },
    };
    const boxes = readyBoxes(fresh);
    expect(boxes.filter(({ isDone }) => isDone)).toEqual([]);
    expect(boxes).toHaveLength(readyBoxes(COMPLETE).length);
    for (const { detail, name, next } of boxes) expect(`${detail} ${next}`, name).not.toMatch(/undefined|^ /);
  });

  it.each([
    ['golden set', { golden: { file: 'g', lines: 19, cases: new Set(['long', 'hostile', 'multilingual']) } }],
    ['gate', { gate: { isOpen: false, detail: 'its prompt has changed', next: 'nightmill eval' } }],
    ['hard cases', { golden: { file: 'g', lines: 20, cases: new Set(['long', 'multilingual']) } }],
    ['fallback', { tiers: [TIER, { ...TIER, fallbacks: [] }] }],
    ['rate limits', { tiers: [{ ...TIER, limits: [] }] }],
    ['model ids', { tiers: [{ ...TIER, isPinned: false }] }],
    ['budget', { budgets: [] }],
  ])('without its evidence, %s is open', (name, change) => {
    const [workflow] = COMPLETE.workflows;
    const workflows = workflow === undefined ? [] : [{ ...workflow, ...change }];
    expect(open({ ...COMPLETE, workflows })).toEqual([`triage: ${name}`]);
  });

  it('names the places in the config where something is to be written, each once', () => {
    const [workflow] = COMPLETE.workflows;
    const tiers = ['small', 'large'].map((model) => ({ ...TIER, model, limits: [], isPinned: false }));
    const boxes = readyBoxes({ ...COMPLETE, workflows: workflow === undefined ? [] : [{ ...workflow, tiers }] });
    const nextOf = (name: string) => boxes.find((box) => box.name === name)?.next;
    expect(nextOf('rate limits')).toMatch(/ at providers\.acme\.limits$/);
    expect(nextOf('model ids')).toMatch(/: models\.small\.id and models\.large\.id$/);
  });

  it('a rollback that is named and not there is open; free workflows have no boxes', () => {
    const evidence = { ...COMPLETE.evidence, rollback: { file: 'gone.md', exists: false } };
    expect(open({ ...COMPLETE, evidence })).toEqual(['way back']);
    const free = readyBoxes({ ...COMPLETE, workflows: [{ name: 'free', isPaid: false, tiers: [], budgets: [] }] });
    expect(free.map(({ name }) => name)).toEqual(['keys', 'alerts', 'candidates', 'JSON validity', 'way back']);
  });
});
