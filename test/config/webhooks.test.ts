import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { secretsOf } from '../../config/secrets.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const HOOK_URL = 'https://hooks.example.com/T0P/secret';
const env = { HOOK: HOOK_URL, TOKEN: '123:secret', OFF: '' };

/** `@{NAME}` stands for the reference to a variable. */
async function load(webhooks: string): Promise<Config> {
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await writeFile(
    join(folder.path, 'nightmill.yaml'),
    `alerts:\n  webhooks: ${webhooks.replaceAll('@{', '$' + '{')}\n`,
  );
  return loadConfig({ env, cwd: folder.path });
}

describe('alerts.webhooks', () => {
  test('takes every kind with its secrets from the environment, and hides them in logs', async () => {
    const config = await load(
      '[{ kind: generic, url: "@{HOOK}" }, { kind: slack, url: "https://hooks.slack.com/@{HOOK}" }, ' +
        '{ kind: telegram, token: "@{TOKEN}", chatId: -100123, baseUrl: "http://127.0.0.1:8081/" }]',
    );
    expect(config.alerts.webhooks).toEqual([
      { kind: 'generic', url: HOOK_URL },
      { kind: 'slack', url: `https://hooks.slack.com/${HOOK_URL}` },
      { kind: 'telegram', token: '123:secret', chatId: '-100123', baseUrl: 'http://127.0.0.1:8081' },
    ]);
    expect(secretsOf(config)).toEqual(expect.arrayContaining([HOOK_URL, '123:secret']));
  });

  test('an empty variable with an empty default turns a webhook off', async () => {
    const config = await load(
      '[{ kind: discord, url: "@{OFF:-}" }, { kind: telegram, token: "@{UNSET:-}", chatId: me }, { kind: discord, url: "@{HOOK}" }]',
    );
    expect(config.alerts.webhooks).toEqual([{ kind: 'discord', url: HOOK_URL }]);
  });

  test.each([
    ['[{ kind: json, url: "@{HOOK}" }]', 'alerts.webhooks.0.kind: use generic, slack, discord, exec, telegram'],
    ['[{ url: "@{HOOK}" }]', 'alerts.webhooks.0.kind: use generic, slack'],
    [
      '[{ kind: slack, url: "https://hooks.example.com/T0P" }]',
      'alerts.webhooks.0.url: a secret must come from the environment',
    ],
    ['[{ kind: slack, url: "@{UNSET:-https://hooks.example.com/T0P}" }]', 'alerts.webhooks.0.url: a secret must come'],
    [
      '[{ kind: telegram, token: "1:T0P", chatId: a }]',
      'alerts.webhooks.0.token: a secret must come from the environment',
    ],
    ['[{ kind: slack, url: "@{UNSET}" }]', 'alerts.webhooks.0.url: the environment has no UNSET'],
    ['[{ kind: slack, url: "ftp://@{HOOK}/T0P" }]', 'alerts.webhooks.0.url: must be an http:// or https:// URL'],
    ['[{ kind: telegram, token: "@{HOOK}", chatId: a }]', 'alerts.webhooks.0.token: must be a bot token'],
    ['[{ kind: telegram, token: "@{TOKEN}" }]', 'alerts.webhooks.0.chatId'],
    ['[{ kind: pager, url: "@{HOOK}" }]', 'alerts.webhooks.0'],
    ['[{ kind: slack, url: "@{HOOK}", token: "@{TOKEN}" }]', 'alerts.webhooks.0'],
  ])('refuses %s and never shows a secret', async (webhooks, message) => {
    const error = await load(webhooks).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toContain(message);
    expect(error?.message).not.toMatch(/T0P|123:secret/);
  });
});
