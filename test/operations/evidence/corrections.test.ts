import { describe, expect, test } from 'vitest';
import { goldenOf, mergeGolden, readCorrections } from '../../../src/operations/evidence/corrections.ts';
import { TRIAGE } from '../../helpers/memory/memory-app.ts';

const read = (text: string) => readCorrections(Buffer.from(text));

describe('readCorrections()', () => {
  test('takes filled rows, whatever the spreadsheet has made of delimiter, quotes and the first mark', () => {
    expect(
      read('\uFEFFid;answer;correct;text\r\nd1;billing;ok;"a;\nb"\r\nd2;bug;;x\r\n\'=3;bug;" billing ";y\r\n'),
    ).toEqual({
      kind: 'read',
      corrections: [
        { id: 'd1', wanted: 'ok' },
        { id: '=3', wanted: 'billing' },
      ],
    });
  });

  test('names what it cannot read', () => {
    expect(read('id,answer\nd1,x\n')).toMatchObject({
      kind: 'bad',
      line: 1,
      problem: expect.stringContaining('correct'),
    });
    expect(read('id,correct\nd1,"x\n')).toMatchObject({ kind: 'bad', line: 2 });
    expect(readCorrections(Buffer.from([0x69, 0x64, 0xff]))).toMatchObject({
      problem: expect.stringContaining('UTF-8'),
    });
  });
});

describe('goldenOf()', () => {
  test('takes the answer where a person confirms it, else what they say', () => {
    expect(goldenOf(TRIAGE, { id: 'd', wanted: 'ok' }, { label: 'bug' })).toEqual({ id: 'd', label: 'bug' });
    expect(goldenOf(TRIAGE, { id: 'd' }, { label: 'bug' })).toEqual({ id: 'd', label: 'bug' });
    expect(goldenOf(TRIAGE, { id: 'd', wanted: 'billing' }, { label: 'bug' })).toEqual({ id: 'd', label: 'billing' });
  });

  test('refuses labels that the workflow has not, and rows without an answer', () => {
    expect(goldenOf(TRIAGE, { id: 'd', wanted: 'bilng' }, { label: 'bug' })).toContain('"bilng", which is no label');
    expect(goldenOf(TRIAGE, { id: 'd', wanted: 'ok' }, undefined)).toContain('no answer');
  });

  test('a label that is called ok is a label', () => {
    const workflow = { ...TRIAGE, labels: [...TRIAGE.labels, { label: 'ok', description: 'Fine' }] };
    expect(goldenOf(workflow, { id: 'd', wanted: 'ok' }, { label: 'bug' })).toEqual({ id: 'd', label: 'ok' });
  });
});

test('mergeGolden() adds lines, and replaces those of the same id where they stand', () => {
  const before = '{"id":"a","label":"x","note":1}\n\n{"id":7,"label":"y"}\n';
  expect(mergeGolden(before, [{ id: '7' }, { id: 'b' }])).toEqual({
    text: '{"id":"a","label":"x","note":1}\n{"id":"7"}\n{"id":"b"}\n',
    added: 1,
    replaced: 1,
  });
});
