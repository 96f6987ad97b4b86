import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { openDocumentParser } from '../../src/adapters/document-parser/open-document-parser.ts';
import { formatSliceEntry } from '../../src/batches/slice-entry.ts';
import type { InputEntry } from '../../src/documents/document.ts';
import { readDocuments } from '../../src/documents/read-documents.ts';

/** Small files of the kinds whose text was lost or garbled, which are beside the project where there are any. */
const FOLDER =
  ['../../../', '../../../../']
    .map((parent) => fileURLToPath(new URL(`${parent}shared/cases/files/`, import.meta.url)))
    .find((path) => existsSync(path)) ?? '';
const parser = openDocumentParser();
afterAll(() => parser[Symbol.asyncDispose]());

async function read(name: string): Promise<readonly InputEntry[]> {
  return await Array.fromAsync(readDocuments([{ kind: 'path', path: `${FOLDER}${name}`, reading: { parser } }]));
}
/** The text of each document; `code: message` of a problem. */
const said = (entries: readonly InputEntry[]) =>
  entries.map((entry) =>
    entry.kind === 'document' ? entry.document.text : `${entry.problem.code}: ${entry.problem.message}`,
  );

const GERMAN = 'Grüße aus Köln, die Lieferung für März fehlt noch.';
/** What the only entry of each file must have, and must not have. */
const ONE: readonly (readonly [name: string, has: readonly (string | RegExp)[]])[] = [
  ['no-charset-latin1.eml', [`${GERMAN} Bitte um Rückruf.`]],
  ['us-ascii-8bit.eml', [`${GERMAN} Bitte um Rückruf.`]],
  ['cp850.eml', [GERMAN]],
  ['utf-7.eml', [GERMAN]],
  ['html-meta-charset.eml', [GERMAN]],
  [
    'calendar-only.eml',
    [
      'Budget for the new warehouse',
      'Please bring the three offers and the plan of the yard.',
      'Room 4',
      '09:00',
      '10:00',
    ],
  ],
  ['no-boundary.eml', ['Forty pallets at 18 francs each.']],
  ['markdown-body.eml', ['Forty pallets at 18 francs each.']],
  ['letter-as-attachment.eml', ['forty pallets at 18 francs each']],
  ['plain-stub.eml', ['forty pallets from April at 18 francs each', 'answer by Friday']],
  ['html-mail-with-doctype.eml', ['We offer forty pallets from April at 18 francs each.', 'Please answer by Friday.']],
  ['header-8bit.eml', ['Lieferung für Köln', 'Jörg Müller']],
  ['bounce.eml', ['550 mailbox is full', 'Forty pallets leave on Monday.']],
  ['sup.html', [/10\^6 litres|10⁶ litres/, /25 m²|m\^2/, 'H2O', /note(?!3)/]],
  ['deleted-text.html', ['The price is 80 francs a pallet, valid until May.']],
  ['head-not-closed.html', ['# Lift of hall 3', 'The lift stands still since Monday.', 'Two loads wait in the yard.']],
  ['minimal.html', ['Forty pallets in April.', 'Answer by Friday.']],
  ['utf16le-no-mark.txt', ['My parcel is late and nobody answers.', 'Please call me back.']],
  ['word-file-named.txt', [/unreadable_file: .*a ZIP archive \(\.docx/]],
];
const TABLES: readonly (readonly [name: string, texts: readonly string[]])[] = [
  ['quote-swallows.tsv', ['"27 inch screen, no picture', 'Parcel is late', 'I wanted the one of 15"', 'Refund please']],
  ['quote-inch.tsv', ['"27 inch screen, no picture', 'Parcel is late', 'Wrong cable in the box', 'Refund please']],
  [
    'quote-at-start.tsv',
    [
      '"Blue" is the colour of the new lamp',
      'The lamp came broken',
      'Where is my parcel?',
      '"Green" would be better',
      'Thank you',
    ],
  ],
];

describe.skipIf(FOLDER === '')('files whose text was lost or garbled', () => {
  test.each(ONE)('%s', async (name, has) => {
    const [text = '', ...more] = said(await read(name));
    expect(more).toEqual([]);
    for (const part of has) {
      if (typeof part === 'string') expect(text).toContain(part);
      else expect(text).toMatch(part);
    }
    expect(text).not.toMatch(/[\ufffd\0]/);
  });

  test.each(TABLES)('%s', async (name, texts) => {
    expect(said(await read(name))).toEqual(texts);
  });

  test('big-numbers.jsonl', async () => {
    const [entry] = await read('big-numbers.jsonl');
    if (entry?.kind !== 'document') throw new Error(JSON.stringify(entry));
    expect(formatSliceEntry({ kind: 'document', document: entry.document, tokens: 4 })).toContain(
      '"metadata":{"order":12345678901234567890,"tax":1e400,"price":19.90,"small":0.1234567890123456789}',
    );
  });
});
