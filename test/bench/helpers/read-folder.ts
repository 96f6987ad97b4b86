import { createHash } from 'node:crypto';
import { openDocumentParser } from '../../../src/adapters/document-parser/open-document-parser.ts';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import { writeSlices } from '../../../src/batches/write-slices.ts';
import { readDocuments } from '../../../src/documents/read-documents.ts';
import { takeTask } from './child-task.ts';

export interface ReadTask {
  readonly folder: string;
  readonly threads: number;
}

export interface ReadFigures {
  readonly documents: number;
  readonly seconds: number;
  readonly peakMb: number;
  /** Of all slices in order. */
  readonly sha256: string;
}

const { folder, threads } = await takeTask<ReadTask>(() => {});
const startedAt = performance.now();
const store = new MemoryStore();
await using parser = openDocumentParser({ threads });
const entries = readDocuments([{ kind: 'path', path: folder, reading: { parser } }]);
const limits = { sliceDocuments: 64, sliceTokens: 100_000, skipInvalid: true };
const written = await writeSlices(store, 'bench', entries, limits);
const seconds = (performance.now() - startedAt) / 1_000;
const hash = createHash('sha256');
const keys: string[] = [];
for await (const { key } of store.list('')) keys.push(key);
for (const key of keys.sort()) hash.update(key).update((await store.get(key)) ?? '');
const figures: ReadFigures = {
  documents: written.documents,
  seconds,
  peakMb: process.resourceUsage().maxRSS / 1_024,
  sha256: hash.digest('hex'),
};
process.send?.(figures);
