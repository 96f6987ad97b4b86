import { describe, expect, it } from 'vitest';
import type { DigestAsking } from '../../src/digests/make-digest.ts';
import { finalizeBatch } from '../../src/finalize/finalize-batch.ts';
import type { CallOwners } from '../../src/ledger/call-owners.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import type { ClassifyWorkflow } from '../../src/workflows/workflow.ts';
import { labelReply, MemoryApp, replyWith, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

const NIGHTLY: ClassifyWorkflow = { ...TRIAGE, digest: { by: 'label', maxWords: 100 } };

const TEXTS = [
  'The invoice of March is wrong.',
  'The printer is broken again.',
  'The invoice of April came twice.',
  'The screen is broken.',
  'nothing at all',
];

/** Runs of their own over the books of a memory cluster. */
function ownersOf({ cluster: { books } }: MemoryApp): CallOwners & { readonly forgotten: string[] } {
  let tokens = 0;
  const forgotten: string[] = [];
  return {
    forgotten,
    async open({ id, ...run }) {
      tokens += 1;
      const batchId = `~${id}`;
      books.fence(batchId).set(0, `run-${tokens}`);
      return { ...run, batchId, slice: 0, token: `run-${tokens}` };
    },
    close: async () => true,
    forget: async (id) => void forgotten.push(id),
    extendLease: async () => true,
    endLease: async () => {},
  };
}

interface Written {
  readonly costNanoUsd: number;
  readonly digest: {
    readonly summary?: string;
    readonly kind?: string;
    readonly withoutText?: { readonly code: string };
    readonly groups: readonly { readonly label: string; readonly documents: number; readonly summary?: string }[];
    readonly read: object;
    readonly failures: readonly { readonly id: string; readonly code: string }[];
    readonly before: { readonly batch: string } | null;
    readonly calls: number;
    readonly costNanoUsd: number;
  };
}

/** A night of five documents, the last of which fails. */
async function makeNight(workflow: ClassifyWorkflow = NIGHTLY) {
  const app = await MemoryApp.open(workflow);
  app.answer = ({ messages }) => {
    const [system, user] = messages.map(({ content }) => content);
    if (system?.includes('Summarize') === true) {
      return replyWith(JSON.stringify({ summary: system.includes('sums up') ? WHOLE : summaryOf(user ?? '') }));
    }
    if (user?.includes('nothing') === true) return replyWith('{}');
    return labelReply(user?.includes('invoice') === true ? 'billing' : 'bug');
  };
  const owners = ownersOf(app);
  const asking: DigestAsking = { models: app.slices, owners };
  const work = async (texts: readonly string[] = TEXTS) => {
    const batchId = await app.batchOf(texts);
    await processSlice(app.slices, { batch: batchId, slice: 0 });
    return batchId;
  };
  const end = async (batchId: string, context: Partial<DigestAsking> | null = {}) => {
    const ended = await finalizeBatch(
      { ...app.finalize, owners, asking: context === null ? undefined : { ...asking, ...context } },
      batchId,
    );
    return { ended, ...(await readNight(app, batchId)) };
  };
  return { app, owners, work, end };
}

const WHOLE = 'billing documents are about the invoice, bug documents are broken';
const summaryOf = (text: string) => (text.includes('invoice') ? 'The invoice is wrong.' : 'The printer is broken.');

async function readNight({ store }: MemoryApp, batchId: string) {
  const read = async (key: string) => Buffer.from((await store.get(key)) ?? '').toString();
  const manifest = await read(storeKeys.manifest(batchId));
  return {
    manifest: (manifest === '' ? undefined : JSON.parse(manifest)) as Written,
    markdown: await read(storeKeys.digest(batchId, 'md')),
    html: await read(storeKeys.digest(batchId, 'html')),
  };
}

describe('a digest', () => {
  it('has a text for each label and one over them, with figures and failures, in manifest, pages and notice', async () => {
    const { app, owners, work, end } = await makeNight();
    const batchId = await work();
    const { ended, manifest, markdown, html } = await end(batchId);
    expect(ended).toBe(true);
    expect(manifest.digest).toMatchObject({
      summary: WHOLE,
      groups: [
        { label: 'billing', documents: 2, summary: 'The invoice is wrong.' },
        { label: 'bug', documents: 2, summary: 'The printer is broken.' },
      ],
      read: { documents: 4, of: 4 },
      failures: [{ id: 'd4', code: 'invalid_shape' }],
      before: null,
      calls: 3,
    });
    expect(markdown).toContain(WHOLE);
    expect(markdown).toContain('The text was written by small from all 4 answers; $');
    expect(markdown).toContain('| d4 | invalid\\_shape |');
    expect(html).toContain('The invoice is wrong.');
    const [notice] = app.notices;
    expect(notice?.digest?.text).toBe(WHOLE);
    expect(JSON.stringify(app.events)).not.toContain('invoice');
    expect(owners.forgotten).toEqual([`digest-${batchId}`]);
  });

  it('is paid for beside the batch, whose own books stay those of its rows', async () => {
    const { app, work, end } = await makeNight();
    const batchId = await work();
    const before = await app.ledger.totals({ name: `batch:${batchId}`, period: '' });
    const { manifest } = await end(batchId);
    expect(manifest.costNanoUsd).toBe(before.settled);
    expect(manifest.digest.costNanoUsd).toBeGreaterThan(0);
    expect(manifest.digest).toMatchObject({
      byModel: [{ model: 'small', calls: 3, costUsd: manifest.digest.costNanoUsd / 1e9, uncertainCalls: 0 }],
    });
    const day = await app.ledger.totals({ name: 'workflow:triage/day', period: '2026-03-01' });
    expect(day.settled).toBe(manifest.costNanoUsd + manifest.digest.costNanoUsd);
  });

  it('has its figures and the reason alone where the batch, or a wider limit, has no room for it', async () => {
    for (const scope of ['batch', 'global/day']) {
      const { app, work, end } = await makeNight();
      const batchId = await work();
      const { settled } = await app.ledger.totals({ name: `batch:${batchId}`, period: '' });
      await app.ledger.setLimit(scope === 'batch' ? `batch:${batchId}` : scope, settled + 10);
      const { ended, manifest, markdown } = await end(batchId);
      expect(ended).toBe(true);
      expect(manifest.digest).toMatchObject({ withoutText: { code: 'budget_reached' }, calls: 0, costNanoUsd: 0 });
      expect(manifest.digest.summary).toBeUndefined();
      expect(manifest.digest.groups).toEqual([
        { label: 'billing', documents: 2 },
        { label: 'bug', documents: 2 },
      ]);
      expect(markdown).toContain('No text was written');
      expect((await app.batches.get(batchId))?.state).toBe('completed');
    }
  });

  it('that is cut off is made again without paying twice', async () => {
    const { app, work, end } = await makeNight();
    const batchId = await work();
    const stop = new AbortController();
    const answer = app.answer;
    app.answer = (request, signal) => {
      stop.abort();
      return answer(request, signal);
    };
    const cut = await end(batchId, { stopping: stop.signal });
    expect(cut).toMatchObject({ ended: false, markdown: '' });
    const asked = app.requests.length;
    app.answer = answer;
    const { ended, manifest } = await end(batchId);
    expect(ended).toBe(true);
    expect(manifest.digest.calls).toBe(3);
    // Five documents, one of them asked twice for its form, and three texts.
    expect(app.requests.length).toBe(9);
    expect(asked).toBeGreaterThan(6);
  });

  it('that is cut off leaves no replies where the batch is ended without one', async () => {
    const { work, end, owners } = await makeNight();
    const batchId = await work();
    expect(await end(batchId, { stopping: AbortSignal.abort() })).toMatchObject({ ended: false });
    expect(owners.forgotten).toEqual([]);
    expect(await end(batchId, null)).toMatchObject({ ended: true });
    expect(owners.forgotten).toEqual([`digest-${batchId}`]);
  });

  it('is not paid for by a second worker that comes to it when the first one has ended the batch', async () => {
    const { app, work, end, owners } = await makeNight();
    const batchId = await work();
    let asked = 0;
    const late: CallOwners = {
      ...owners,
      async open(run) {
        expect(await end(batchId)).toMatchObject({ ended: true });
        asked = app.requests.length;
        owners.forgotten.length = 0;
        return await owners.open(run);
      },
    };
    expect(await end(batchId, { owners: late })).toMatchObject({ ended: false });
    expect(app.requests.length).toBe(asked);
    expect(owners.forgotten).toEqual([`digest-${batchId}`]);
  });

  it('leaves no replies where the process died just when the batch had ended', async () => {
    const { app, work, end, owners } = await makeNight();
    const batchId = await work();
    await end(batchId);
    owners.forgotten.length = 0;
    expect(await finalizeBatch({ ...app.finalize, owners }, batchId)).toBe(true);
    expect(owners.forgotten).toEqual([`digest-${batchId}`]);
  });

  it('compares with the batch before, and has no text where nobody asks models', async () => {
    const { work, end } = await makeNight();
    const first = await work(TEXTS.slice(0, 4));
    await end(first);
    const { manifest, markdown } = await end(await work(TEXTS.slice(0, 3)), null);
    expect(manifest.digest.before?.batch).toBe(first);
    expect(manifest.digest.withoutText?.code).toBe('ended_early');
    expect(markdown).toContain('Beside the batch before');
  });

  it('is chosen by the local model where the cascade has no other', async () => {
    const { app, work, end } = await makeNight({ ...NIGHTLY, digest: { by: 'all', maxWords: 20 } });
    const batchId = await work();
    const local = {
      ...app.local,
      extract: async (text: string) => ({ text: text.split('\n')[0] ?? '', isWhole: false, isEnglish: true }),
    };
    const localOnly = { ...app.submission(batchId).workflow, cascade: [{ model: { ...SMALL, name: 'local' } }] };
    Object.assign(app, { workflow: localOnly });
    const { manifest, markdown } = await end(batchId, { models: { ...app.slices, local } });
    expect(markdown).toContain(
      "The text is made of the documents' own sentences, chosen by local from all 4 answers; $0.00",
    );
    expect(manifest.digest).toMatchObject({ summary: TEXTS[0], kind: 'extract', groups: [], calls: 0 });
  });

  it('takes no link, picture or HTML from a document', async () => {
    const { app, work, end } = await makeNight();
    const batchId = await work();
    const answer = app.answer;
    app.answer = (request, signal) =>
      request.messages[0]?.content.includes('Summarize') === true
        ? replyWith(JSON.stringify({ summary: 'The invoice ![x](http://evil) <img src=x> is broken' }))
        : answer(request, signal);
    const { markdown, html } = await end(batchId);
    expect(markdown).toContain('!\\[x\\](http://evil) \\<img src=x\\>');
    expect(html).not.toContain('<img');
  });
});
