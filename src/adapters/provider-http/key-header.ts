interface Key {
  readonly apiKey?: string;
  readonly authHeader?: 'api-key';
}

/**
 * The header in which an API of this kind wants its key, lower-case name; none for a key that is absent or empty.
 *
 * @param key `authHeader` is for OpenAI-compatible servers only: Azure wants `api-key`
 */
export function keyHeader(
  kind: 'openai' | 'anthropic' | 'gemini',
  { apiKey, authHeader }: Key,
): Readonly<Record<string, string>> {
  if (apiKey === undefined || apiKey === '') return {};
  if (kind === 'anthropic') return { 'x-api-key': apiKey };
  if (kind === 'gemini') return { 'x-goog-api-key': apiKey };
  return authHeader === 'api-key' ? { 'api-key': apiKey } : { authorization: `Bearer ${apiKey}` };
}
