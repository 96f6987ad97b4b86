import type { ModelClient } from '../../providers/model-client.ts';
import type { ProviderClientOptions } from '../provider-http/client-options.ts';
import { HttpModelClient } from '../provider-http/http-model-client.ts';
import { keyHeader } from '../provider-http/key-header.ts';
import type { ParsedReply } from '../provider-http/wire-format.ts';
import { chatCompletionBody } from './chat-completion-body.ts';
import { LearnedParameters } from './learned-parameters.ts';
import { parseChatCompletion } from './parse-chat-completion.ts';

/**
 * A client of any server with OpenAI's chat completions, at `{baseUrl}/chat/completions`.
 *
 * @throws {NightmillError} `config_invalid`
 */
export function createOpenAiClient(options: ProviderClientOptions): ModelClient {
  const learned = new LearnedParameters(
    options.capabilities,
    { provider: options.name, baseUrl: options.baseUrl },
    options.lessons,
  );
  return new HttpModelClient(options, {
    replyName: 'chat completion',
    headers: keyHeader('openai', options),
    path: () => '/chat/completions',
    body: (request) => chatCompletionBody(learned.adapt(request), learned.capabilitiesFor(request.modelId)),
    ready: () => learned.ready(),
    learn: (request, body) => learned.learn(request, body),
    parse: options.authHeader === 'api-key' ? parseOfDeployment : parseChatCompletion,
  });
}

/** Azure asks for a deployment, whose name is the user's, and answers with the name of the model behind it: no other model. */
function parseOfDeployment(body: unknown): ParsedReply {
  const { model: _, ...reply } = parseChatCompletion(body);
  return reply;
}
