import { describe, expect, it } from 'vitest';
import { contentBatchId, isBatchId } from '../../src/batches/batch-id.ts';

describe('isBatchId()', () => {
  it.each(['a', 'night.1', 'A-b_c.9', 'x'.repeat(80)])('takes %s', (id) => {
    expect(isBatchId(id)).toBe(true);
  });

  it.each(['', '.hidden', '-x', 'a..b', 'a/b', 'a:b', 'a b', 'ü', 'x'.repeat(81), 'a\n'])('refuses %j', (id) => {
    expect(isBatchId(id)).toBe(false);
  });
});

describe('contentBatchId()', () => {
  it('is the same for the same workflow, config and content, and differs with each of them', () => {
    const id = contentBatchId('triage', 'config', 'content');
    expect(contentBatchId('triage', 'config', 'content')).toBe(id);
    expect(id).toMatch(/^triage-[0-9a-f]{12}$/);
    expect(isBatchId(id)).toBe(true);
    const others = [
      contentBatchId('other', 'config', 'content'),
      contentBatchId('triage', 'changed', 'content'),
      contentBatchId('triage', 'config', 'changed'),
      contentBatchId('triage', 'confi', 'gcontent'),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });

  it('is a valid id for the longest workflow name', () => {
    expect(isBatchId(contentBatchId('w'.repeat(64), 'a', 'b'))).toBe(true);
  });
});
