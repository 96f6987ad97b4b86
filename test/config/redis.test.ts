import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { passwordsOf } from '../../config/redis-target.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

async function load(redis: string) {
  await using folder = await makeTemporaryFolder('config');
  await writeFile(`${folder.path}/nightmill.yaml`, `redis: ${redis}\n`);
  await writeFile(`${folder.path}/ca.pem`, 'authority');
  return loadConfig({ env: {}, cwd: folder.path }).redis;
}

test.each([
  ['redis://localhost:6379', { url: 'redis://localhost:6379' }],
  ['{ url: "rediss://h", tls: { ca: ca.pem } }', { url: 'rediss://h', tls: { ca: 'authority' } }],
  ['{ cluster: ["redis://a:1", "redis://b:2"] }', { cluster: ['redis://a:1', 'redis://b:2'] }],
  [
    '{ sentinels: ["redis://:x@a:1"], name: mill, password: y }',
    { sentinels: ['redis://:x@a:1'], name: 'mill', password: 'y' },
  ],
])('redis: %s is read', async (text, target) => {
  expect(await load(text)).toEqual(target);
});

test.each([
  ['{ cluster: [] }', /redis(\.cluster|: cluster): Too small/],
  ['{ cluster: ["redis://a/3"] }', /redis: cluster: leave out the number of the database/],
  ['{ cluster: ["redis://:x@a", "redis://:y@b"] }', /user, password and redis:\/\/ or rediss:\/\/ must be the same/],
  ['{ cluster: ["unix:///run/redis.sock"] }', /a list names servers by host and port/],
  [
    '{ cluster: ["redis://a"], url: "redis://b" }',
    /name the servers in one way: url, cluster or sentinels; it has url and cluster/,
  ],
  ['{ tls: {} }', /it has none of them/],
  ['{ sentinels: ["redis://a"] }', /sentinels need name/],
  ['{ url: "redis://a", password: x }', /password go with sentinels; here they stand in the URL/],
  ['{ url: "redis://a", tls: { cert: ca.pem } }', /cert and key go together/],
  ['{ url: "redis://a", tls: { ca: nowhere.pem } }', /redis\.tls\.ca: cannot read .*nowhere\.pem/],
  ['{ url: "redis://a", nodes: 3 }', /redis: Unrecognized key: "nodes"/],
  ['{ url: "redis://:p/w@a" }', /redis: url: cannot be read as a URL/],
])('redis: %s is refused with path and cure', async (text, message) => {
  await expect(load(text)).rejects.toThrow(message);
});

test('every password of a target is known as a secret', () => {
  expect(passwordsOf({ sentinels: ['redis://:x%2F@a'], name: 'm', password: 'y' })).toEqual(['x/', 'y']);
  expect(passwordsOf({ cluster: ['redis://u:z@a'] })).toEqual(['z']);
});
