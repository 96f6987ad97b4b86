import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageDocuments } from '../../scripts/nightly/package-documents.ts';
import { verifyDownload } from '../../scripts/nightly/verify-download.ts';

function temporaryFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'nm-nightly-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

describe('packageDocuments()', () => {
  it('gives the prose files of all packages, nested ones included, in the order of their ids', () => {
    const folder = temporaryFolder({
      'b/README.md': 'Second',
      'b/CHANGELOG.md': '1.0',
      'a/node_modules/@x/c/docs/readme.markdown': 'Nested',
      '@x/c/History.md': '0.1',
      'b/README': 'Second',
      'b/history.js': 'export {};',
      'b/readmes.md': 'Not one',
      'd/README.md': ' \n',
      'e/README.md': new Uint8Array([0x50, 0x4b, 0]),
      'f/README.md': new Uint8Array([0xff, 0xfe, 0x41]),
    });
    expect(packageDocuments(folder)).toEqual([
      { id: '@x/c/History.md', text: '0.1', metadata: { package: '@x/c', kind: 'changelog' } },
      { id: 'a/node_modules/@x/c/docs/readme.markdown', text: 'Nested', metadata: { package: '@x/c', kind: 'readme' } },
      { id: 'b/CHANGELOG.md', text: '1.0', metadata: { package: 'b', kind: 'changelog' } },
      { id: 'b/README', text: 'Second', metadata: { package: 'b', kind: 'readme' } },
      { id: 'b/README.md', text: 'Second', metadata: { package: 'b', kind: 'readme' } },
    ]);
  });
});

describe('verifyDownload()', () => {
  const sent = ['a', 'b'].map((id) => ({ id, text: id, metadata: { package: id, kind: 'readme' as const } }));
  const rows = sent.map(({ id, metadata }) => ({
    id,
    status: 'succeeded',
    result: { label: 'testing' },
    metadata,
    costUsd: 0,
  }));
  const [first, second] = rows as [(typeof rows)[number], (typeof rows)[number]];
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const part = gzipSync(lines(rows));
  const file = {
    key: 'batches/n/output/part-000000.jsonl.gz',
    bytes: part.length,
    sha256: createHash('sha256').update(part).digest('hex'),
    lines: 2,
  };
  const documents = { total: 2, succeeded: 2, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
  const manifest = {
    batch: 'n',
    state: 'completed',
    workflow: 'topic',
    documents,
    files: [file],
    costUsd: 0,
    uncertainUsd: 0,
  };

  function verify(change: {
    manifest?: object;
    results?: readonly object[];
    errors?: readonly object[];
    part?: Uint8Array;
  }) {
    const folder = temporaryFolder({
      'out/manifest.json': JSON.stringify({ ...manifest, ...change.manifest }),
      'out/results.jsonl': lines(change.results ?? rows),
      'out/errors.jsonl': lines(change.errors ?? []),
      [`store/${file.key}`]: change.part ?? part,
    });
    const paths = { output: join(folder, 'out'), store: join(folder, 'store') };
    return verifyDownload({ ...paths, batchId: 'n', workflow: 'topic', sent });
  }

  it('finds nothing wrong with a complete batch and counts its labels', () => {
    expect(verify({})).toMatchObject({ problems: [], costUsd: 0, labels: new Map([['testing', 2]]) });
  });

  it.each<[string, Parameters<typeof verify>[0], string]>([
    ['a missing document', { results: [first] }, '1 result rows, the manifest counts 2'],
    ['a document with two rows', { results: [first, first, second] }, 'a document has more than one row'],
    ['an unknown document', { results: [first, { ...second, id: 'c' }] }, 'the rows are not of the documents sent'],
    ['another order', { results: [second, first] }, 'results.jsonl is not in input order'],
    ['a failed document', { errors: [{ id: 'b', status: 'failed', costUsd: 0 }], results: [first] }, 'b failed'],
    ['an empty answer', { results: [first, { ...second, result: { label: ' ' } }] }, 'b has no answer'],
    ['other metadata', { results: [first, { ...second, metadata: {} }] }, 'b came back with other metadata'],
    ['a damaged object', { part: gzipSync(lines([second, first])) }, `${file.key} has another checksum`],
    [
      'counts that do not add up',
      { manifest: { documents: { ...documents, failed: 1 } } },
      'outcomes add up to 3, not 2',
    ],
    ['a batch that did not complete', { manifest: { state: 'expired' } }, 'the batch is expired'],
    ['the manifest of another batch', { manifest: { batch: 'm' } }, 'the manifest is of batch m'],
    ['money spent on the free model', { manifest: { costUsd: 0.01 } }, 'the local model cost money'],
  ])('finds %s', (_, change, problem) => {
    expect(verify(change).problems.join('\n')).toContain(problem);
  });
});
