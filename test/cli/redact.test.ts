import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const CONFIG = `providers:
  cloud: { kind: openai, baseUrl: "http://127.0.0.1:9/v1", dataPolicy: { redact: [email] } }
  house: { kind: openai, baseUrl: "http://127.0.0.1:9/v1", dataPolicy: { location: local } }
models: { a: { provider: cloud, id: a-1 }, b: { provider: house, id: b-1 } }
workflows: { w: { task: summarize, cascade: [{ model: a }, { model: b }] } }
`;

describe('nightmill redact', () => {
  it('shows each document as the providers of a workflow see it, and what all rules would hide', async () => {
    await using folder = await makeTemporaryFolder();
    writeFileSync(join(folder.path, 'nightmill.yaml'), CONFIG);
    writeFileSync(
      join(folder.path, 'd.jsonl'),
      '{"id": "d1", "text": "Write to jane@example.com, card 4111 1111 1111 1111."}\n',
    );
    const redact = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(folder.path, ['redact', 'd.jsonl', ...args]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { text: string; seenBy?: string[]; hidden: object });
    };
    const [all] = await redact();
    expect(all).toEqual({
      id: 'd1',
      text: 'Write to [EMAIL_1], card [CARD_1].',
      hidden: { email: 1, card: 1 },
    });
    const [cloud, house] = await redact('-w', 'w');
    expect(cloud).toMatchObject({ seenBy: ['a'], hidden: { email: 1 } });
    expect(cloud?.text).toBe('Write to [EMAIL_1], card 4111 1111 1111 1111.');
    expect(house).toMatchObject({ seenBy: ['b'], hidden: {} });
    expect(house?.text).toContain('jane@example.com');
  });
});
