import type { ModelClient } from '../../providers/model-client.ts';
import type { ProviderClientOptions } from '../provider-http/client-options.ts';
import { HttpModelClient } from '../provider-http/http-model-client.ts';
import { keyHeader } from '../provider-http/key-header.ts';
import { generateContentBody } from './generate-content-body.ts';
import { parseGenerateContent } from './parse-generate-content.ts';

/**
 * A client of Google's Gemini API, at `{baseUrl}/models/{id}:generateContent`. The base URL holds the API's version
 * (`https://generativelanguage.googleapis.com/v1beta`). The key goes into a header, never into the URL, where proxies
 * log it.
 *
 * @throws {NightmillError} `config_invalid`
 */
export function createGeminiClient(options: ProviderClientOptions): ModelClient {
  const { capabilities } = options;
  return new HttpModelClient(options, {
    replyName: 'candidate',
    headers: keyHeader('gemini', options),
    path: (modelId) => `/${resourceName(modelId)}:generateContent`,
    body: (request) => generateContentBody(request, capabilities),
    parse: parseGenerateContent,
  });
}

/** `models/ID`, or the id itself where it names its collection (`tunedModels/…`, `publishers/google/models/…`). */
function resourceName(modelId: string): string {
  const name = modelId.includes('/') ? modelId : `models/${modelId}`;
  return name.split('/').map(encodeURIComponent).join('/');
}
