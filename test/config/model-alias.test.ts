import { describe, expect, it } from 'vitest';
import { isUnpinnedAlias } from '../../config/model-alias.ts';

describe('isUnpinnedAlias()', () => {
  it.each([
    'gpt-4.1-mini',
    'gpt-4o',
    'o3',
    'chatgpt-4o-latest',
    'claude-3-5-sonnet-latest',
    'claude-sonnet-4-5',
    'gemini-2.5-flash',
    'mistral-large-latest',
    'openai/gpt-4o',
    'deepseek-chat',
    'llama3:latest',
  ])('%s may point at another model tomorrow', (id) => {
    expect(isUnpinnedAlias(id)).toBe(true);
  });

  it.each([
    'gpt-4.1-mini-2025-04-14',
    'gpt-4-0613',
    'claude-3-5-sonnet-20241022',
    'claude-3-5-sonnet@20240620',
    'gemini-2.0-flash-001',
    'openai/gpt-4o-2024-08-06',
    'meta-llama/Llama-3.1-8B-Instruct',
    'small-2026-01-01',
    'qwen2.5:7b',
  ])('%s stands still', (id) => {
    expect(isUnpinnedAlias(id)).toBe(false);
  });
});
