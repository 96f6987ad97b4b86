import { describe, expect, test } from 'vitest';
import { readRedisUrl } from '../../config/redis-url.ts';

describe('readRedisUrl()', () => {
  test('reads every part', () => {
    expect(readRedisUrl('rediss://me:p%40ss%2Fw%25@queue.internal:7000/3')).toEqual({
      host: 'queue.internal',
      port: 7000,
      username: 'me',
      password: 'p@ss/w%',
      database: 3,
      tls: true,
    });
    expect(readRedisUrl('redis://localhost')).toEqual({ host: 'localhost', port: 6379, database: 0, tls: false });
    expect(readRedisUrl('redis://[::1]:6380/')).toMatchObject({ host: '::1', port: 6380, database: 0 });
    expect(readRedisUrl('unix:///run/redis.sock')).toEqual({ path: '/run/redis.sock' });
  });

  test.each([
    'redis://:s3cret/word@host:6379',
    'redis://user:123/s3cret@host',
    'redis://:s3cret%@host',
    'redis://:s3cret%zz@host',
    'redis://:s3cret%ff@host',
    'redis://:s3cret#word@host',
    'redis://:s3cret?word@host',
  ])('says how to write a password that cannot be read, and does not repeat it: %s', (url) => {
    const read = readRedisUrl(url);
    expect(read).toMatchObject({ problem: expect.stringContaining('write "%" as %25, "/" as %2F') });
    expect(JSON.stringify(read)).not.toContain('s3cret');
  });

  test.each(['redis://host/foo', 'redis://host/1/2', 'redis://host/-1', 'redis://host/1.5'])(
    'refuses a database that is no number: %s',
    (url) => expect(readRedisUrl(url)).toMatchObject({ problem: expect.stringContaining('number of a database') }),
  );

  test('refuses a socket without its whole path', () => {
    expect(readRedisUrl('unix://redis.sock')).toMatchObject({ problem: expect.stringContaining('whole path') });
  });
});
