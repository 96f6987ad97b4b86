import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
// The one that npm itself judges by; BullMQ has it.
const { satisfies } = createRequire(createRequire(import.meta.url).resolve('bullmq'))('semver') as {
  satisfies(version: string, range: string): boolean;
};

interface Locked {
  readonly engines?: { readonly node?: string };
}

test('every package takes the Node that npm ci installs, since .npmrc silences warnings about the machine’s own', () => {
  const pinned: string = read('package.json').devDependencies.node;
  const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>);
  const refusing = packages.filter(
    ([, { engines }]) => engines?.node !== undefined && !satisfies(pinned, engines.node),
  );
  expect(packages.length).toBeGreaterThan(100);
  expect(refusing.map(([name, { engines }]) => [name, engines?.node])).toEqual([]);
});
