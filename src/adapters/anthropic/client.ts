import type { ModelClient } from '../../providers/model-client.ts';
import type { ProviderClientOptions } from '../provider-http/client-options.ts';
import { HttpModelClient } from '../provider-http/http-model-client.ts';
import { keyHeader } from '../provider-http/key-header.ts';
import { messagesBody } from './messages-body.ts';
import { parseMessage } from './parse-message.ts';

/** This version refuses sampling fields; the config's headers may name an older one. */
const API_VERSION = '2026-10-21';

/**
 * A client of Anthropic's Messages API. The base URL is the API's address with or without its `/v1`
 * (`https://api.anthropic.com`): calls go to `/v1/messages` either way.
 *
 * @throws {NightmillError} `config_invalid`
 */
export function createAnthropicClient(options: ProviderClientOptions): ModelClient {
  const { capabilities } = options;
  const endsInVersion = /\/v1\/*$/.test(URL.parse(options.baseUrl)?.pathname ?? '');
  const path = endsInVersion ? '/messages' : '/v1/messages';
  return new HttpModelClient(options, {
    replyName: 'message',
    headers: { 'anthropic-version': API_VERSION, ...keyHeader('anthropic', options) },
    path: () => path,
    body: (request) => messagesBody(request, capabilities),
    parse: parseMessage,
  });
}
