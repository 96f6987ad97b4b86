import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { makePdf } from '../helpers/make-pdf.ts';
import { configYaml, expectBalanced, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

async function makeWorkspace(files: Readonly<Record<string, string | Uint8Array>>, workflow = ''): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow }),
    ...files,
  });
}

const mail =
  'From: a@example.org\r\nSubject: Broken page\r\nContent-Type: text/plain\r\n\r\nThe page fails to open.\r\n';

describe('input and output formats of nightmill run', () => {
  it('CSV in, CSV and Parquet out: the same rows in all three, with the columns that were named', async () => {
    await using workspace = await makeWorkspace({
      'tickets.csv.gz': gzipSync('nr;note;city\n1;"The invoice; is\nwrong";Köln\n2;Page is down;Bonn\n'),
    });
    const args = ['tickets.csv.gz', '--text-field', 'note', '--id-field', 'nr', '--metadata-fields', 'city'];
    const finished = await workspace.run(['run', ...args, '-w', 'triage', '-o', 'out', '--format', 'csv,parquet']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ['1', '2']);
    expect(output.results.map((row) => row.metadata)).toEqual([{ city: 'Köln' }, { city: 'Bonn' }]);
    const csv: Record<string, string>[] = parse(await readFile(workspace.path('out/results.csv')), { columns: true });
    const bytes = await readFile(workspace.path('out/results.parquet'));
    const parquet = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
    for (const [at, row] of output.results.entries()) {
      expect(csv[at]).toMatchObject({
        id: row.id,
        label: row.result?.label,
        metadata: JSON.stringify(row.metadata),
        inputTokens: String(row.usage.inputTokens),
      });
      expect(Number(csv[at]?.costUsd)).toBe(row.costUsd);
      expect(parquet[at]).toMatchObject({ id: row.id, label: row.result?.label, costUsd: row.costUsd });
    }
    expect(await readFile(workspace.path('out/errors.csv'), 'utf8')).toMatch(/^id,status,errorCode,errorMessage,/);
    const plan = await workspace.json<{ documents: number; problems: number }>(['plan', ...args, '-w', 'triage']);
    expect(plan).toMatchObject({ documents: 2, problems: 0 });
    // The same documents, read in the same way, are the same batch.
    const again = await workspace.run(['run', ...args, '-w', 'triage', '-o', 'again']);
    expect(again.stderr).toContain('were done before');
    const [{ id } = { id: '' }] = await workspace.json<{ id: string }[]>(['status']);
    const results = await workspace.run(['results', id, '-o', 'later', '--format', 'parquet']);
    expect(results, results.stderr).toMatchObject({ code: 0 });
    expect((await readFile(workspace.path('later/results.parquet'))).equals(bytes)).toBe(true);
  });

  it('Parquet in, with the columns that the workflow names', async () => {
    const columnData = [
      { name: 'key', data: [7n, 8n], type: 'INT64' as const },
      { name: 'remark', data: ['The invoice is wrong', 'The page is down'], type: 'STRING' as const },
    ];
    const input = 'input: { text: remark, id: key }';
    await using workspace = await makeWorkspace(
      { 'in.parquet': Buffer.from(parquetWriteBuffer({ columnData })) },
      input,
    );
    const finished = await workspace.run(['run', 'in.parquet', '-w', 'triage', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ['7', '8']);
    const plan = await workspace.json<{ documents: number }>(['plan', 'in.parquet', '-w', 'triage']);
    expect(plan.documents).toBe(2);
  });

  it('a folder of Markdown, HTML, PDF and e-mail, whose bad files become error rows', async () => {
    await using workspace = await makeWorkspace({
      'inbox/a.md': '# Invoice\n\nIt is wrong.',
      'inbox/b.html': '<title>Page</title><script>evil()</script><p>The page is down.</p>',
      'inbox/c.pdf': makePdf(['The order is late.']),
      'inbox/d.eml': mail,
      'inbox/e.pdf': makePdf(['']),
      'inbox/f.docx': 'left out',
    });
    const refused = await workspace.run(['run', 'inbox', '-w', 'triage', '-o', 'out']);
    expect(refused, refused.stderr).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/inbox\/e\.pdf: The PDF has no text.*\(no_text\)/);
    const finished = await workspace.run(['run', 'inbox', '-w', 'triage', '-o', 'out', '--skip-invalid']);
    expect(finished, finished.stderr).toMatchObject({ code: 4 });
    expect(finished.stderr).toContain('f.docx');
    const output = await workspace.readOutput('out');
    expectBalanced(output, ['a.md', 'b.html', 'c.pdf', 'd.eml', 'inbox/e.pdf']);
    expect(output.errors).toMatchObject([{ id: 'inbox/e.pdf', status: 'skipped', error: { code: 'no_text' } }]);
    expect(output.results[3]?.metadata).toEqual({ subject: 'Broken page', from: 'a@example.org', attachments: 0 });
    const sent = JSON.stringify(model.calls);
    for (const text of ['The page is down.', 'The order is late.', 'The page fails to open.'])
      expect(sent).toContain(text);
    expect(sent).not.toContain('evil()');
  });

  it.each([
    [['--text-field', ''], 'empty --text-field'],
    [['--encoding', 'klingon'], 'windows-1252'],
    [['--max-documents', '0'], 'whole number'],
    [['--max-documents', '1'], 'more than 1 documents'],
    [['--metadata-fields', 'a,,b'], '--metadata-fields'],
    [['--format', 'xlsx'], 'jsonl, csv or parquet'],
    [['--text-field', 'nope'], 'Its columns: "id", "text"'],
  ])('refuses %j before anything is stored', async (flags, what) => {
    await using workspace = await makeWorkspace({ 'in.csv': 'id,text\n1,a\n2,b\n' });
    const finished = await workspace.run(['run', 'in.csv', '-w', 'triage', '-o', 'out', ...flags]);
    expect(finished, finished.stderr).toMatchObject({ code: 2 });
    expect(finished.stderr).toContain(what);
    expect(model.calls).toHaveLength(0);
  });
});
