import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { DEFAULT_CONFIG } from '../../config/defaults.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const published = z.fromJSONSchema(JSON.parse(read('docs/config.schema.json')));
const accepts = (value: unknown) => published.safeParse(value).success;

describe('docs/config.schema.json', () => {
  it.each(['docker/nightmill.yaml', 'scripts/nightly.yaml'])('accepts %s, which names it', (file) => {
    const text = read(file);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../docs/config.schema.json');
    expect(published.safeParse(parse(text)).error?.issues ?? []).toEqual([]);
  });

  it('accepts the embedded defaults', () => {
    expect(accepts(DEFAULT_CONFIG)).toBe(true);
  });

  it('accepts variables where text or a number is expected', () => {
    const [url, slices, day] = ['REDIS_URL', 'SLICES:-8', 'DAY'].map((reference) => `$\{${reference}}`);
    expect(accepts({ redis: url, worker: { slices }, budget: { day } })).toBe(true);
  });

  it.each([
    ['an unknown key', { redi: 'redis://localhost' }],
    ['a URL of another kind', { redis: 'http://localhost' }],
    ['a number that is too large', { worker: { slices: 257 } }],
    ['a fraction of a whole number', { worker: { slices: 1.5 } }],
    ['text that is no number', { worker: { slices: 'many' } }],
    ['a cascade without tiers', { workflows: { a: { task: 'classify', cascade: [] } } }],
    ['a confidence above 1', { workflows: { a: { task: 'classify', cascade: [{ model: 'local', acceptAt: 2 }] } } }],
  ])('refuses %s', (_, value) => {
    expect(accepts(value)).toBe(false);
  });
});
