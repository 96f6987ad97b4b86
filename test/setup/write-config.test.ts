import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfigValue } from '../../config/load.ts';
import { CLOUD_CHOICES, LOCAL_SERVERS } from '../../src/setup/known-models.ts';
import { proposeFields } from '../../src/setup/propose-fields.ts';
import { SETUP_TASKS, type SetupChoices, writeConfig } from '../../src/setup/write-config.ts';

const PLAIN: SetupChoices = { task: 'classify', clouds: [], batchLimit: 5_000_000_000, today: '2026-11-29' };
const WITH_MODEL = CLOUD_CHOICES.filter(({ large }) => large !== undefined);
const SERVERS = LOCAL_SERVERS.map((server) => ({ ...server, modelId: 'qwen2.5' }));

function load(choices: SetupChoices, env: Readonly<Record<string, string>> = {}) {
  return loadConfigValue(parse(writeConfig(choices)), { env, cwd: '/' });
}

describe('writeConfig()', () => {
  test.each(WITH_MODEL)('with a key of $preset writes a config that loads, with listed prices', (cloud) => {
    for (const task of SETUP_TASKS) {
      const config = load({ ...PLAIN, task, clouds: [cloud] }, { [cloud.key]: 'secret' });
      const { spec, budget } = config.workflows.get(task) ?? {};
      expect(spec?.cascade.map(({ model }) => model.name)).toEqual([
        ...(task === 'classify' ? ['local'] : []),
        ...(cloud.small === undefined ? [] : ['small']),
        'large',
      ]);
      for (const facts of config.modelFacts.values()) expect(facts).toMatchObject({ price: 'catalogue' });
      expect(budget).toMatchObject({ batch: 5_000_000_000, day: 20_000_000_000 });
    }
  });

  test.each(SERVERS)('with the server of $name writes a config that loads, and lets its id move', (server) => {
    for (const task of SETUP_TASKS) {
      const { spec } = load({ ...PLAIN, task, server }).workflows.get(task) ?? {};
      expect(spec?.cascade.at(-1)).toMatchObject({ model: { name: 'own', id: 'qwen2.5' } });
    }
  });

  test('with nothing here answers on this machine, but for what the built-in model cannot do', () => {
    for (const task of ['classify', 'summarize'] as const) {
      const { spec } = load({ ...PLAIN, task }).workflows.get(task) ?? {};
      expect(spec?.cascade.map(({ model }) => model.name)).toEqual(['local']);
    }
    expect(() => writeConfig({ ...PLAIN, task: 'extract' })).toThrow('No model here can extract');
  });

  test('sends chat requests as they are: no columns, and nothing hidden', () => {
    const [openai] = WITH_MODEL as [(typeof WITH_MODEL)[number]];
    const fields = { text: 'custom_id', id: 'nr', isEnglish: true, sensitive: [{ rule: 'email', texts: 3 }] } as const;
    const choices = { ...PLAIN, task: 'chat', clouds: [openai], fields } as const;
    const { spec, input } = load(choices, { OPENAI_API_KEY: 'secret' }).workflows.get('chat') ?? {};
    expect(spec?.cascade.map(({ model, acceptAt }) => [model.name, acceptAt, model.redact])).toEqual([
      ['small', undefined, undefined],
      ['large', undefined, undefined],
    ]);
    expect(input).toEqual({ isRequest: true });
    expect(writeConfig(choices)).toContain('passes on what its provider could not answer');
  });

  test('writes no key, and any label and column as they are', () => {
    const labels = ['a: b', '"quoted"', '#hash', '- dash', 'ünïcode', '{x}', "it's"];
    const fields = {
      text: 'a "b": {c}',
      id: 'x#',
      isEnglish: false,
      sensitive: [{ rule: 'email', texts: 3 }],
    } as const;
    const [openai] = WITH_MODEL as [(typeof WITH_MODEL)[number]];
    const choices = { ...PLAIN, labels, fields, clouds: [openai] };
    expect(writeConfig(choices)).not.toContain('secret');
    const workflow = load(choices, { OPENAI_API_KEY: 'secret' }).workflows.get('classify');
    expect(workflow?.spec).toMatchObject({ labels: [...labels, 'other'].map((label) => ({ label })) });
    expect(workflow?.spec.cascade.map(({ model }) => model.name)).toEqual(['small', 'large']);
    expect(workflow?.spec.cascade[0]?.model.redact).toBeDefined();
    expect(workflow?.input).toMatchObject({ text: 'a "b": {c}', id: 'x#' });
  });
});

describe('proposeFields()', () => {
  const rows = (count: number, row: (index: number) => Record<string, unknown>) =>
    Array.from({ length: count }, (_, index) => row(index));
  const LONG = 'The page does not open and the invoice is wrong. ';

  test('finds the longest text, a unique id and a column of few values', () => {
    const found = proposeFields(
      rows(60, (n) => ({ nr: n, ref: `r${n % 7}`, story: LONG + n, kind: ['bug', 'bill', 'wish'][n % 3] })),
    );
    expect(found).toMatchObject({ text: 'story', id: 'nr', isEnglish: true, sensitive: [] });
    expect(found?.labels?.column).toBe('ref');
  });

  test.each(['ticket_no', 'doc_id', 'orderId', 'ID'])(
    'takes a unique %s for the id, and no column such as paid',
    (name) => {
      const found = proposeFields(rows(30, (n) => ({ paid: `p${n}`, [name]: `T-${n}`, text: LONG + n })));
      expect(found?.id).toBe(name);
    },
  );

  test('takes a column that is called label before one that merely repeats', () => {
    const found = proposeFields(rows(30, (n) => ({ ref: `r${n % 3}`, text: LONG + n, label: `l${n % 5}` })));
    expect(found?.labels).toEqual({ column: 'label', values: ['l0', 'l1', 'l2', 'l3', 'l4'] });
  });

  test.each([
    ['numbers', (n: number) => n % 3],
    ['numbers as text', (n: number) => String(n % 3)],
    ['days', (n: number) => `2026-01-0${1 + (n % 3)}`],
    ['one value', () => 'same'],
    ['long texts', (n: number) => `${n % 3} ${LONG.repeat(2)}`],
  ])('takes %s for no labels', (_, value) => {
    expect(proposeFields(rows(30, (n) => ({ text: LONG.repeat(9) + n, x: value(n) })))?.labels).toBeUndefined();
  });

  test('says what personal data occurs, and in how many texts', () => {
    const found = proposeFields(rows(4, (n) => ({ text: n < 3 ? `Write to a${n}@example.com` : 'Nothing here' })));
    expect(found?.sensitive).toEqual([{ rule: 'email', texts: 3 }]);
  });

  test('sees another language, and finds no text where there is none', () => {
    const german =
      'Die Rechnung ist nicht richtig und ich kann mich nicht anmelden, was soll ich jetzt mit der Karte tun?';
    expect(proposeFields(rows(5, () => ({ text: german })))?.isEnglish).toBe(false);
    expect(proposeFields(rows(5, (n) => ({ a: n })))).toBeUndefined();
  });
});
