import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { PRESET_NAMES, PRESETS } from '../../config/presets.ts';
import { usdToNano } from '../../src/money/money.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(yaml: string) {
  writeFileSync(join(cwd, 'nightmill.yaml'), yaml);
  return loadConfig({ env: { KEY: 'secret-key' }, cwd });
}

/** The provider `p` that these fields make. */
function provider(fields: string) {
  return load(`providers: { p: { ${fields} } }`).providers.get('p');
}

function chat(capabilities: object = {}): object {
  const usual = { maxTokensField: 'max_tokens', structuredOutput: 'json_schema', logprobs: true, temperature: true };
  return { ...usual, promptCache: 'automatic', reasoning: 'effort', ...capabilities };
}

const NEWER = { maxTokensField: 'max_completion_tokens' };
const ADDRESS = 'http://127.0.0.1:9000/v1';

/** Every preset with its kind, its address (undefined: it has none) and what its servers can do. */
const EXPECTED: readonly (readonly [string, string, string | undefined, object])[] = [
  ['openai', 'openai', 'https://api.openai.com/v1', chat(NEWER)],
  ['azure', 'openai', undefined, chat(NEWER)],
  [
    'groq',
    'openai',
    'https://api.groq.com/openai/v1',
    chat({ ...NEWER, structuredOutput: 'json_object', logprobs: false }),
  ],
  [
    'deepseek',
    'openai',
    'https://api.deepseek.com/v1',
    chat({ structuredOutput: 'json_object', reasoning: 'thinking' }),
  ],
  [
    'together',
    'openai',
    'https://api.together.xyz/v1',
    chat({ logprobs: false, promptCache: 'none', reasoning: 'switch' }),
  ],
  ['mistral', 'openai', 'https://api.mistral.ai/v1', chat({ logprobs: false, promptCache: 'none' })],
  ['openrouter', 'openai', 'https://openrouter.ai/api/v1', chat({ reasoning: 'object' })],
  ['deepinfra', 'openai', 'https://api.deepinfra.com/v1/openai', chat({ promptCache: 'none' })],
  ['cerebras', 'openai', 'https://api.cerebras.ai/v1', chat({ ...NEWER, promptCache: 'none' })],
  ['xai', 'openai', 'https://api.x.ai/v1', chat({ ...NEWER, logprobs: false })],
  [
    'moonshot',
    'openai',
    'https://api.moonshot.ai/v1',
    chat({ structuredOutput: 'json_object', logprobs: false, reasoning: 'thinking' }),
  ],
  ['fireworks', 'openai', 'https://api.fireworks.ai/inference/v1', chat({ logprobs: false })],
  ['litellm', 'openai', undefined, chat()],
  ['vllm', 'openai', undefined, chat({ reasoning: 'template' })],
  ['llamacpp', 'openai', undefined, chat({ reasoning: 'template' })],
  ['ollama', 'openai', undefined, chat({ promptCache: 'none' })],
  [
    'anthropic',
    'anthropic',
    'https://api.anthropic.com/v1',
    chat({ logprobs: false, temperature: false, promptCache: 'markers', reasoning: 'thinking' }),
  ],
  [
    'gemini',
    'gemini',
    'https://generativelanguage.googleapis.com/v1beta',
    chat({ logprobs: false, reasoning: 'thinking' }),
  ],
];

describe('a provider’s preset', () => {
  it('is tested here, every one of them', () => {
    expect(EXPECTED.map(([name]) => name)).toEqual(PRESET_NAMES);
  });

  it.each(EXPECTED)('%s fills in kind, address and capabilities', (name, kind, baseUrl, capabilities) => {
    const resolved = provider(
      `preset: ${name}, apiKey: "$\{KEY}"${baseUrl === undefined ? `, baseUrl: "${ADDRESS}"` : ''}`,
    );
    expect(resolved).toMatchObject({
      name: 'p',
      kind,
      preset: name,
      baseUrl: baseUrl ?? ADDRESS,
      apiKey: 'secret-key',
      headers: {},
      timeoutMs: 120_000,
      capabilities,
      limits: { concurrency: 32 },
    });
    expect(resolved?.capabilities).toEqual(capabilities);
    expect(resolved?.authHeader).toBe(name === 'azure' ? 'api-key' : undefined);
  });

  it.each(EXPECTED.filter(([, , baseUrl]) => baseUrl === undefined))(
    '%s asks for the address with an example',
    (name) => {
      expect(() => provider(`preset: ${name}`)).toThrow(
        new RegExp(`providers\\.p\\.baseUrl: preset ${name} needs its address, e\\.g\\. https?://`),
      );
    },
  );

  it.each(PRESET_NAMES)('%s loses to every value that is written', (name) => {
    const written = {
      maxTokensField: 'max_tokens',
      structuredOutput: 'prompt',
      temperature: false,
      promptCache: 'none',
      reasoning: 'none',
    };
    const resolved = provider(
      `preset: ${name}, baseUrl: "http://proxy.internal/v1/", headers: { x-team: mill }, ` +
        Object.entries(written)
          .map(([key, value]) => `${key}: ${value}`)
          .join(', '),
    );
    expect(resolved).toMatchObject({ baseUrl: 'http://proxy.internal/v1', headers: { 'x-team': 'mill' } });
    expect(resolved?.capabilities).toMatchObject(written);
  });

  it('may be left out: the kind alone is enough, and of an unknown chat server the usual is assumed', () => {
    expect(provider(`kind: openai, baseUrl: "${ADDRESS}"`)).toMatchObject({ kind: 'openai', capabilities: chat() });
    expect(provider(`kind: openai, baseUrl: "${ADDRESS}"`)).not.toHaveProperty('preset');
    expect(provider('kind: anthropic')).toMatchObject({ baseUrl: 'https://api.anthropic.com/v1' });
    expect(provider('kind: gemini')).toMatchObject({ baseUrl: expect.stringMatching(/googleapis/) });
  });
});

describe('the page about providers', () => {
  const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');

  it('has a row for every preset, with what the preset says', () => {
    for (const name of PRESET_NAMES) {
      const row = new RegExp(`^\\| \`${name}\` \\|(.*)\\|$`, 'm').exec(page)?.[1]?.split('|') ?? [];
      const [address, cap, json, , , cache] = row.map((cell) => cell.trim());
      const { baseUrl, kind, capabilities } = PRESETS[name];
      expect([name, address]).toEqual([name, baseUrl === undefined ? 'yours' : 'known']);
      if (kind !== 'gemini') expect(cap, name).toMatch(new RegExp(`^\`${capabilities.maxTokensField}\``));
      expect(json, name).toMatch(capabilities.structuredOutput === 'json_object' ? /^object/ : /^schema/);
      expect(cache, name).toBe(capabilities.promptCache === 'markers' ? 'marked' : capabilities.promptCache);
    }
  });

  it('shows only configs that load', () => {
    const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block]) => block ?? '');
    expect(blocks).toHaveLength(5);
    for (const block of blocks) {
      const yaml = block.startsWith('providers:') ? block : `providers:\n${block.replace(/^/gm, '  ')}`;
      writeFileSync(join(cwd, 'nightmill.yaml'), yaml);
      const env = Object.fromEntries([...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 'key']));
      expect(loadConfig({ env, cwd }).providers.size).toBeGreaterThan(0);
    }
  });
});

describe('a provider that cannot work', () => {
  it.each([
    [
      'apiKey: x',
      /providers\.p\.kind: write a kind \(openai, anthropic, gemini, local\) or a preset \(openai, azure, groq,.*xai/,
    ],
    ['kind: openai', /providers\.p\.baseUrl: kind openai needs its address, e\.g\. https:/],
    ['preset: anthropic, kind: openai', /providers\.p\.kind: preset anthropic is of kind anthropic, not openai/],
    ['preset: opnai', /providers\.p\.preset: /],
    ['kind: local, baseUrl: "http://x/v1"', /providers\.p\.baseUrl: a provider of kind local .* has no settings/],
    ['kind: local, preset: openai', /providers\.p\.preset: a provider of kind local/],
    ['kind: local, limits: { requestsPerMinute: 1 }', /providers\.p\.limits: a provider of kind local/],
  ])('with %s is refused', (fields, message) => {
    expect(() => provider(fields)).toThrow(message);
  });

  it.each(['groq', 'together', 'mistral', 'anthropic', 'gemini'])(
    'with preset %s and log-probabilities is refused',
    (preset) => {
      expect(() => provider(`preset: ${preset}, logprobs: true`)).toThrow(
        new RegExp(`providers\\.p\\.logprobs: preset ${preset} has no log-probabilities`),
      );
      expect(provider(`preset: ${preset}, logprobs: false`)).toBeDefined();
    },
  );
});

describe('a model', () => {
  const on = (fields: string, model: string) =>
    load(`providers: { p: { ${fields} } }\nmodels: { m: { provider: p, ${model} } }`).models.get('m');

  it('takes the way of asking for JSON from its provider, and asks for log-probabilities only if told to', () => {
    expect(on('preset: groq', 'id: llama-3.3-70b')).toMatchObject({ structuredOutput: 'json_object', logprobs: false });
    expect(on('preset: openai', 'id: gpt-4.1-2025-04-14')).toMatchObject({ logprobs: false });
    expect(on('preset: openai, logprobs: true', 'id: gpt-4.1-2025-04-14')).toMatchObject({ logprobs: true });
  });

  it('with a temperature is refused where the endpoint refuses it, and the message says how to resume', () => {
    const model = 'id: claude-opus-5, temperature: 0';
    expect(() => on('preset: anthropic', model)).toThrow(
      /models\.m\.temperature: provider p refuses a temperature, and 0 is set; leave it out, or write providers\.p\.temperature: true/,
    );
    expect(on('preset: anthropic, temperature: true', model)).toMatchObject({ temperature: 0 });
    expect(() => on(`kind: openai, baseUrl: "${ADDRESS}", temperature: false`, 'id: x, temperature: 1')).toThrow(
      /models\.m\.temperature/,
    );
  });

  it('of Anthropic and Google has its listed price at their own hosts, and none at others', () => {
    const claude = 'id: claude-haiku-4-5-20251001';
    expect(on('preset: anthropic', claude)?.price).toMatchObject({
      inputPerMillion: usdToNano(1),
      outputPerMillion: usdToNano(5),
      cachedInputPerMillion: usdToNano('0.1'),
      cacheWritePerMillion: usdToNano('1.25'),
    });
    const gemini = on('preset: gemini', 'id: gemini-2.5-flash, allowAlias: true');
    expect(gemini?.price?.inputPerMillion).toBe(usdToNano('0.3'));
    expect(on('kind: anthropic, baseUrl: "https://proxy.internal"', claude)).not.toHaveProperty('price');
  });

  it('on a provider of kind local is the built-in one by another name: no client, no quota, no cost', () => {
    const config = load(
      'providers: { here: { kind: local } }\nmodels: { free: { provider: here, id: local } }\n' +
        'workflows: { w: { task: summarize, cascade: [{ model: free }] } }',
    );
    expect(config.workflows.get('w')?.spec.cascade[0]?.model).toEqual(config.models.get('local'));
    expect([config.providers.size, config.pools.size]).toEqual([0, 0]);
    expect(() => load('providers: { here: { kind: local } }\nmodels: { free: { provider: here, id: llama } }')).toThrow(
      /models\.free\.id: the only model of kind local is local; write id: local/,
    );
  });
});
