import fc from 'fast-check';
import { ByteWriter, ParquetWriter, parquetWriteBuffer, schemaFromColumnData } from 'hyparquet-writer';
import { afterAll, describe, expect, test } from 'vitest';
import { openDocumentParser } from '../../../src/adapters/document-parser/open-document-parser.ts';
import type { DocumentFormat, ParsedDocument, RandomAccess } from '../../../src/documents/document-parser.ts';
import { StoreError } from '../../../src/errors.ts';
import { DOCTYPES, variantsOf } from '../../helpers/doctypes.ts';
import { makePdf, makePdfBomb } from '../../helpers/make-pdf.ts';

const parser = openDocumentParser();
afterAll(() => parser[Symbol.asyncDispose]());

const LIMIT = 64 * 1024 * 1024;

async function parse(format: DocumentFormat, content: string | Uint8Array, encoding?: string): Promise<ParsedDocument> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return await parser.parse(format, bytes, { encoding, maxTextUnits: LIMIT });
}

describe('parse() of HTML', () => {
  test('gives blocks as lines, headings, list items and cells, and no scripts or styles', async () => {
    const page = `<!doctype html><html><head><title> My  page </title><style>p{}</style></head><body>
      <h1>Head</h1><p>One <b>two</b>, three.<br>Four</p><script>alert(1)</script><noscript>no</noscript>
      <ul><li>first<li>second</ul><pre>a
  b</pre><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></body></html>`;
    for (const variant of variantsOf(page)) {
      expect(await parse('html', variant), variant).toEqual({
        kind: 'text',
        text: expect.stringMatching(
          /^# My page\n\n#+ Head\n\nOne two, three\.\nFour\n\n- first\n- second\n\na\n {2}b\n\n1\t2\n3\t4$/,
        ),
        metadata: { title: 'My page', reading: expect.stringMatching(/^(?:article|content)$/), leftOut: 0 },
      });
    }
  });

  test('gives the article without what surrounds it', async () => {
    const sentence = 'The mill grinds all night, and in the morning, when the miller wakes, the flour is done. ';
    const article = `<article>${`<p>${sentence.repeat(4)}</p>`.repeat(5)}</article>`;
    const links = `<nav><ul>${'<li><a href="/x">Menu entry</a></li>'.repeat(30)}</ul></nav>`;
    const page = `<html><body>${links}${article}<footer>Imprint</footer></body></html>`;
    for (const variant of variantsOf(page)) {
      const parsed = await parse('html', variant);
      expect(parsed).toMatchObject({ text: expect.stringContaining(sentence.trim()) });
      expect(JSON.stringify(parsed)).not.toMatch(/Menu entry|Imprint/);
    }
  });

  test('gives what little there is where no article is found, also without any element', async () => {
    for (const doctype of DOCTYPES) {
      const read = (page: string) => parse('html', doctype + page);
      expect(await read('<body><div>Short</div></body>')).toMatchObject({ text: 'Short' });
      expect(await read('just words')).toMatchObject({ text: 'just words' });
      expect(await read('<script>only()</script>')).toMatchObject({ kind: 'problem', code: 'no_text' });
    }
  });

  test('decodes as the flag, the byte order mark or the page says', async () => {
    for (const doctype of DOCTYPES) {
      const latin1 = (page: string) => Buffer.from(doctype + page, 'latin1');
      const declared = latin1('<meta charset="iso-8859-1"><p>café');
      expect(await parse('html', declared)).toMatchObject({ text: 'café' });
      expect(await parse('html', latin1('<p>café'))).toMatchObject({ code: 'not_utf8' });
      expect(await parse('html', latin1('<p>café'), 'windows-1252')).toMatchObject({ text: 'café' });
      const marked = Buffer.from(`\ufeff${doctype}<p>café`, 'utf16le');
      expect(await parse('html', marked)).toMatchObject({ text: 'café' });
      expect(await parse('html', `${doctype}<meta charset="utf-16"><p>café`)).toMatchObject({ text: 'café' });
    }
  });

  test('reads 10,000 nested elements, and refuses 20 MB', { timeout: 120_000 }, async () => {
    for (const doctype of DOCTYPES.slice(0, 3)) {
      const deep = await parse('html', `${doctype}${'<div>'.repeat(10_000)}deep down`);
      expect(deep).toMatchObject({ kind: 'text', text: 'deep down' });
    }
    const large = await parse('html', '<p>words</p>'.repeat(1_700_000));
    expect(large).toMatchObject({ kind: 'problem', code: 'too_large' });
  });
});

describe('parse() of PDF', () => {
  test('joins pages, and counts them', async () => {
    const parsed = await parse('pdf', makePdf(['Hello (world)\nSecond line', '', 'Page three']));
    expect(parsed).toEqual({
      kind: 'text',
      text: 'Hello (world)\nSecond line\n\nPage three',
      metadata: { pages: 3 },
      warnings: ['pages_without_text: 1 of 3 pages have no text (scans, or blank)'],
    });
  });

  test.each([
    ['pages without text', makePdf(['', '']), 'no_text', 'OCR'],
    ['a password', makePdf(['secret'], { encrypted: true }), 'no_text', 'encrypted'],
    ['a page tree that holds itself', makePdf(['x'], { loop: true }), 'unreadable_file', 'circular'],
    ['a cut off end', makePdf(['x'.repeat(500)]).subarray(0, 300), 'unreadable_file', 'damaged'],
    ['no PDF at all', Buffer.from('%PDF-1.7 nothing'), 'unreadable_file', 'damaged'],
  ])('makes a problem of %s', async (_, bytes, code, what) => {
    expect(await parse('pdf', bytes)).toMatchObject({ kind: 'problem', code, message: expect.stringContaining(what) });
  });
});

describe('parse() of e-mail', () => {
  const head =
    'From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nSubject: Offer\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n';

  test('gives subject, sender, date and the plain part, and counts attachments', async () => {
    const mail = `${head}Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\nContent-Type: text/plain\r\n\r\nDear all,\r\nbye\r\n--X\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nJVBERi0=\r\n--X--\r\n`;
    expect(await parse('mail', mail)).toEqual({
      kind: 'text',
      text: 'Subject: Offer\nFrom: Jürgen <j@example.org>\nDate: 2024-01-01T10:00:00.000Z\n\nDear all,\nbye',
      metadata: { subject: 'Offer', from: 'Jürgen <j@example.org>', date: '2024-01-01T10:00:00.000Z', attachments: 1 },
      warnings: ['attachments_not_read: 1 (a.pdf)'],
    });
  });

  test('converts the HTML part where there is no other', async () => {
    const parsed = await parse(
      'mail',
      `${head}Content-Type: text/html\r\n\r\n<style>x</style><p>Dear all</p><p>bye</p>`,
    );
    expect(parsed).toMatchObject({ text: expect.stringMatching(/\n\nDear all\n\nbye$/) });
  });

  test('makes a problem of 10,000 nested parts and of a mail without words', async () => {
    const nested = Array.from(
      { length: 10_000 },
      (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
    );
    expect(await parse('mail', nested.join(''))).toMatchObject({ kind: 'problem', code: 'unreadable_file' });
    expect(await parse('mail', '\r\n\r\n')).toMatchObject({ kind: 'problem', code: 'no_text' });
  });
});

describe('the parser', () => {
  test('never fails on random or damaged files', { timeout: 60_000 }, async () => {
    const whole = {
      html: Buffer.from('<html><body><p>a</p><table><tr><td>'),
      pdf: makePdf(['text']),
      mail: Buffer.from('Subject: a\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\n\r\nb'),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<DocumentFormat>('html', 'pdf', 'mail'),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(600),
        async (format, noise, at) => {
          const file = whole[format];
          const bytes = Buffer.concat([file.subarray(0, at), noise, file.subarray(at + noise.length)]);
          const parsed = await parse(format, bytes);
          if (parsed.kind === 'text') expect(parsed.text.length).toBeGreaterThan(0);
          else expect(parsed.message).not.toBe('');
        },
      ),
      { numRuns: 150 },
    );
  });

  test('ends a document that takes too long, and reads the next one', { timeout: 60_000 }, async () => {
    // A page of 500,000 elements takes several times as long, on a fast machine too.
    await using hasty = openDocumentParser({ timeLimitMs: 1_000 });
    const options = { maxTextUnits: LIMIT };
    const slow = await hasty.parse('html', Buffer.from('<p>w</p>'.repeat(500_000)), options);
    expect(slow).toMatchObject({
      kind: 'problem',
      code: 'unreadable_file',
      message: expect.stringMatching(/\b1 seconds?\b/),
    });
    // The thread that was ended is replaced; on a busy machine the new one may need more than one try to start in time.
    const next = async () => await hasty.parse('mail', Buffer.from('Subject: s\r\n\r\nb'), options);
    await expect.poll(next, { timeout: 50_000 }).toMatchObject({ text: 'Subject: s\n\nb' });
  });

  test('ends a document that takes too much memory, and reads the next one', { timeout: 60_000 }, async () => {
    await using small = openDocumentParser({ heapLimitMb: 48 });
    const large = await small.parse('html', Buffer.from('<p>words</p>'.repeat(300_000)), { maxTextUnits: LIMIT });
    expect(large).toMatchObject({
      kind: 'problem',
      code: 'unreadable_file',
      message: expect.stringContaining('48 MB'),
    });
    const next = await small.parse('mail', Buffer.from('Subject: s\r\n\r\nbody'), { maxTextUnits: LIMIT });
    expect(next).toMatchObject({ text: 'Subject: s\n\nbody' });
  });

  test('ends a PDF that unpacks to a hundred megabytes, and reads the next one', { timeout: 180_000 }, async () => {
    await using small = openDocumentParser({ growthLimitMb: 64, threads: 2, timeLimitMs: 170_000 });
    const bomb = makePdfBomb(100);
    expect(bomb.length).toBeLessThan(1_000_000);
    const beside = makePdf(['beside'], { packed: true });
    // What the threads load once is no growth then.
    await Promise.all([beside, beside].map((file) => small.parse('pdf', file, { maxTextUnits: LIMIT })));
    const [parsed, other] = await Promise.all(
      [bomb, beside].map((file) => small.parse('pdf', file, { maxTextUnits: LIMIT })),
    );
    expect(parsed).toMatchObject({ kind: 'problem', message: expect.stringContaining('64 MB') });
    expect(other).toMatchObject({ text: 'beside' });
    const next = await small.parse('pdf', makePdf(['next'], { packed: true }), { maxTextUnits: LIMIT });
    expect(next).toMatchObject({ text: 'next' });
  });

  test('throws what the store throws while a table is read, and is as good as new after it', async () => {
    const file = Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'text', data: ['a'], type: 'STRING' }] }));
    const source: RandomAccess = { byteLength: file.length, read: async (start, end) => file.subarray(start, end) };
    const broken: RandomAccess = {
      byteLength: file.length,
      read: () => Promise.reject(new StoreError('store_unavailable', 'The store is away')),
    };
    await expect(parser.openParquet(broken)).rejects.toMatchObject({ code: 'store_unavailable' });
    const table = await parser.openParquet(source);
    expect(table.columns).toEqual(['text']);
    expect(await Array.fromAsync(table.rows([0]))).toEqual([[['a']]]);
  });

  test('refuses a row group that does not fit in memory, saying how to write smaller ones', async () => {
    const columnData = [{ name: 'text', data: ['a'], type: 'STRING' as const }];
    const bytes = new ByteWriter();
    const writer = new ParquetWriter({ writer: bytes, schema: schemaFromColumnData({ columnData }) });
    writer.write({ columnData });
    const described = writer.row_groups[0]?.columns[0]?.meta_data;
    if (described === undefined) throw new Error('The file describes no column');
    described.total_uncompressed_size = 280_000_000n;
    writer.finish();
    const file = Buffer.from(bytes.getBuffer());
    const table = await parser.openParquet({
      byteLength: file.length,
      read: async (start, end) => file.subarray(start, end),
    });
    await expect(Array.fromAsync(table.rows([0]))).rejects.toThrow(/row group 1 has 280000000 bytes.*row_group_size/);
  });
});
