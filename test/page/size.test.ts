import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildPage } from '../../scripts/build-page.ts';

const MAX_BYTES = 100_000;

it('the page has under 100 kB in all, packed, and nothing inline that its policy would refuse', async () => {
  const files = await buildPage();
  expect(files.map(({ path }) => path.replace(/-[\w-]{8}\./, '.')).sort()).toEqual([
    'assets/icon.svg',
    'assets/index.css',
    'assets/index.js',
    'index.html',
  ]);
  const bytes = files.reduce((sum, { text }) => sum + gzipSync(text).length, 0);
  expect(bytes).toBeLessThan(MAX_BYTES);
  const html = files.find(({ path }) => path === 'index.html')?.text ?? '';
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
});
