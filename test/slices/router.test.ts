import { expect, test } from 'vitest';
import { batchScope } from '../../src/ledger/scope.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import type { AskedRoute, ClassifyWorkflow, RouteSpec } from '../../src/workflows/workflow.ts';
import { labelReply, MemoryApp, replyWith, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const LOCAL = { ...SMALL, name: 'local', provider: 'local', id: 'local' };
const LARGE = { ...SMALL, name: 'large', id: 'large-1' };
const TINY = { ...SMALL, name: 'tiny', id: 'tiny-1' };
const CASCADE = [{ model: SMALL, acceptAt: 0.5 }, { model: LARGE }];
const BY_RULES: RouteSpec = { by: 'rules', rules: [{ tokens: { above: 2 }, start: 'large' }] };
const KINDS: Pick<AskedRoute, 'kinds' | 'start'> = {
  kinds: {
    labels: [
      { label: 'plain', description: 'A short question' },
      { label: 'hard', description: 'A long story' },
    ],
    examples: [],
  },
  start: { hard: 'large' },
};
const BY_MODEL: RouteSpec = { by: 'model', tier: { model: TINY }, ...KINDS };

async function work(workflow: Partial<ClassifyWorkflow>, texts: readonly string[], prepare?: (app: MemoryApp) => void) {
  const app = await MemoryApp.open({ ...TRIAGE, cascade: CASCADE, ...workflow });
  prepare?.(app);
  const batch = await app.batchOf(texts);
  expect(await processSlice(app.slices, { batch, slice: 0 })).toMatchObject({ kind: 'committed' });
  const commit = await app.batches.commitOf(batch, 0);
  return { app, batch, rows: await app.rows(batch), commit, asked: app.requests.map(({ modelId }) => modelId) };
}

test('rules choose the tier at which a document begins; rows and the commit say so', async () => {
  const { rows, commit, asked } = await work({ route: BY_RULES }, ['one two', 'one two three']);
  expect(asked.toSorted()).toEqual(['large-1', 'small-1']);
  expect(rows).toMatchObject([
    { tier: 0, route: { tier: 0, model: 'small', why: 'otherwise' } },
    { tier: 1, route: { tier: 1, model: 'large', why: 'rule 1' } },
  ]);
  expect(commit?.evidence).toEqual({ startedAtTier0: 1, startedAtTier1: 1 });
});

test('where a rule does not hold, documents begin at `otherwise`, and a row without a route has none', async () => {
  const { rows } = await work({ route: { ...BY_RULES, otherwise: 'large' } }, ['one']);
  expect(rows).toMatchObject([{ tier: 1, route: { tier: 1, why: 'otherwise' } }]);
  const { rows: plain, commit } = await work({}, ['one']);
  expect(plain[0]).not.toHaveProperty('route');
  expect(commit?.evidence).toBeUndefined();
});

test('a local first tier does not see what begins behind it', async () => {
  const seen: string[] = [];
  const { rows } = await work(
    { cascade: [{ model: LOCAL, acceptAt: 0.5 }, ...CASCADE], route: BY_RULES },
    ['one two', 'one two three'],
    (app) => {
      app.local = {
        ...app.local,
        classify: async (_, texts) => {
          seen.push(...texts);
          return texts.map(() => ({ label: 'bug', confidence: 0.9, familiar: true }));
        },
      };
    },
  );
  expect(seen).toEqual(['one two']);
  expect(rows).toMatchObject([
    { model: 'local', tier: 0, route: { tier: 0 } },
    { model: 'large', tier: 2, route: { tier: 2 } },
  ]);
});

test('a model’s one word chooses; its calls are held, booked and in the row like any other', async () => {
  const prompts: string[] = [];
  const { app, batch, rows, commit } = await work({ route: BY_MODEL }, ['one two', 'a long story'], (opened) => {
    opened.answer = ({ modelId, messages }) => {
      const said = JSON.stringify(messages);
      if (modelId !== 'tiny-1') return labelReply('billing');
      prompts.push(said);
      return labelReply(said.includes('a long story') ? 'hard' : 'plain', 0.8);
    };
  });
  expect(prompts).toHaveLength(2);
  expect(rows).toMatchObject([
    { model: 'small', tier: 0, calls: 2, route: { tier: 0, why: 'plain', confidence: 0.8 } },
    {
      model: 'large',
      tier: 1,
      calls: 2,
      route: { tier: 1, why: 'hard' },
      spent: [{ tier: 1 }, { tier: 2, model: 'tiny' }],
    },
  ]);
  expect(commit?.models).toMatchObject([
    { model: 'small', tier: 0, calls: 1 },
    { model: 'large', tier: 1, calls: 1 },
    { model: 'tiny', tier: 2, calls: 2, accepted: 0 },
  ]);
  expect((await app.ledger.totals(batchScope(batch))).settled).toBe(4 * (100 * 150 + 10 * 600));
});

test('an answer that is not sure enough, or none at all, leaves a document at `otherwise`', async () => {
  const unsure = await work({ route: { ...BY_MODEL, acceptAt: 0.9 } }, ['one'], (app) => {
    app.answer = ({ modelId }) => labelReply(modelId === 'tiny-1' ? 'hard' : 'billing', 0.8);
  });
  expect(unsure.rows).toMatchObject([{ tier: 0, route: { tier: 0, why: 'unsure: hard', confidence: 0.8 } }]);
  const failed = await work({ route: { ...BY_MODEL, otherwise: 'large' } }, ['one'], (app) => {
    app.answer = ({ modelId }) => (modelId === 'tiny-1' ? replyWith('no idea') : labelReply('billing'));
  });
  const why = expect.stringMatching(/^failed: /);
  expect(failed.rows).toMatchObject([{ status: 'succeeded', tier: 1, route: { tier: 1, why } }]);
  expect(failed.commit?.evidence).toEqual({ startedAtTier1: 1, routeFailed: 1 });
});

test('the built-in model chooses for the whole slice at once, and what it does not know counts as none', async () => {
  const { rows, commit, asked } = await work(
    { route: { by: 'local', tier: { model: LOCAL }, acceptAt: 0.5, ...KINDS } },
    ['one', 'two', 'three'],
    (app) => {
      app.local = {
        ...app.local,
        classify: async (spec, texts) => {
          expect(spec.labels).toHaveLength(2);
          return texts.map((text) => ({ label: 'hard', confidence: 0.9, familiar: text !== 'two' }));
        },
      };
    },
  );
  expect(asked.toSorted()).toEqual(['large-1', 'large-1', 'small-1']);
  expect(rows).toMatchObject([{ tier: 1 }, { tier: 0, route: { why: 'unsure: hard' } }, { tier: 1 }]);
  expect(commit?.models).toContainEqual(expect.objectContaining({ model: 'local', tier: 2, calls: 3, cost: 0 }));
});

test('an audited document goes through the tiers that the others pass by, and its answer is the last tier’s', async () => {
  const { rows, commit } = await work({ route: BY_RULES, audit: 1 }, ['a long story', 'one long story'], (app) => {
    app.answer = ({ modelId, messages }) =>
      labelReply(modelId === 'small-1' && JSON.stringify(messages).includes('one long') ? 'bug' : 'billing');
  });
  expect(rows).toMatchObject(
    Array(2).fill({ tier: 1, model: 'large', result: { label: 'billing' }, route: { tier: 1, audited: true } }),
  );
  expect(rows[0]?.['attempts']).toMatchObject([
    { tier: 0, reason: 'audited' },
    { tier: 1, reason: 'accepted' },
  ]);
  expect(commit?.evidence).toMatchObject({ startedAtTier1: 2, routeAudited: 2, routeNeedless: 1 });
});

test('what the first tier says of documents that pass it by is no error of the promise', async () => {
  const calibration = {
    target: 0.9,
    delta: 0.1,
    metric: 'agreement',
    calibratedAt: '2026-03-01',
    sha256: 'c'.repeat(64),
  };
  const { commit } = await work({ route: BY_RULES, audit: 1, calibration }, ['one', 'a long story'], (app) => {
    app.answer = ({ modelId, messages }) =>
      labelReply(modelId === 'small-1' && JSON.stringify(messages).includes('story') ? 'bug' : 'billing');
  });
  expect(commit?.evidence).toMatchObject({ auditedDocuments: 2, routeAudited: 1 });
  expect(commit?.evidence).not.toHaveProperty('auditDisagreements');
});

test('documents with the same text take the first one’s answer and begin nowhere', async () => {
  const app = await MemoryApp.open({ ...TRIAGE, cascade: CASCADE, route: BY_MODEL });
  app.answer = ({ modelId }) => labelReply(modelId === 'tiny-1' ? 'hard' : 'billing');
  const document = (id: string) => ({ kind: 'document', document: { id, text: 'same' }, tokens: 1 }) as const;
  const batch = await app.batchOf([document('a'), { ...document('b'), duplicateOf: { slice: 0, position: 0 } }]);
  await processSlice(app.slices, { batch, slice: 0 });
  const [first, second] = await app.rows(batch);
  expect(app.requests.map(({ modelId }) => modelId)).toEqual(['tiny-1', 'large-1']);
  expect(first).toMatchObject({ route: { tier: 1 } });
  expect(second).toMatchObject({ result: { label: 'billing' } });
  expect(second).not.toHaveProperty('route');
});

test('a batch that ends keeps what was paid for at the tier where it was asked', async () => {
  const app = await MemoryApp.open({ ...TRIAGE, cascade: CASCADE, route: BY_RULES });
  const batch = await app.batchOf(['a long story', 'another long story']);
  app.answer = ({ messages }) => {
    if (JSON.stringify(messages).includes('another')) {
      for (const run of app.runs) run.stop({ kind: 'shutdown' });
    }
    return labelReply('billing');
  };
  expect(await processSlice(app.slices, { batch, slice: 0 })).toMatchObject({ kind: 'stopped' });
  const paid = app.requests.length;
  expect(await processSlice(app.slices, { batch, slice: 0 }, 'cancelled')).toMatchObject({ kind: 'committed' });
  expect(app.requests).toHaveLength(paid);
  expect(await app.rows(batch)).toMatchObject([{ status: 'succeeded', tier: 1 }, {}]);
});
