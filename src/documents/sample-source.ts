import { createHash } from 'node:crypto';
import type { DocumentSource } from './document-source.ts';

/**
 * Documents from everywhere in a source, evenly spread, so that files sorted by length or age are seen as a whole.
 *
 * @param total documents of the source
 * @param count documents wanted; all where there are fewer
 */
export function sampleSource(source: DocumentSource, total: number, count: number): DocumentSource {
  const wanted = Math.min(count, total);
  return {
    names: source.names.map((name) => `${wanted} of ${total} documents of ${name}`),
    fingerprint: async (signal) =>
      createHash('sha256')
        .update(`${await source.fingerprint(signal)}\0${wanted}/${total}`)
        .digest('hex'),
    async *read(options) {
      let ordinal = 0;
      for await (const entry of source.read(options)) {
        if (entry.kind === 'problem') continue;
        // The middle of each of the equal stretches that the source is cut into.
        if (Math.floor(((ordinal + 0.5) * wanted) / total) !== Math.floor(((ordinal - 0.5) * wanted) / total))
          yield entry;
        ordinal += 1;
      }
    },
  };
}
