/**
 * LangChain is no package of the project: `helpers/install-peers.ts` puts it beside this file, on demand. So its types are not
 * there to be checked, and this much of them stands here.
 */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatModel {
  batch(
    prompts: readonly (readonly ChatMessage[])[],
    options: { readonly maxConcurrency: number },
  ): Promise<readonly { readonly content: unknown }[]>;
  withConfig(options: { readonly response_format: object }): ChatModel;
}

export interface ChatOpenAiOptions {
  readonly model: string;
  readonly apiKey: string;
  readonly maxTokens: number;
  readonly configuration: { readonly baseURL: string };
}

interface LangChainOpenAi {
  readonly ChatOpenAI: new (options: ChatOpenAiOptions) => ChatModel;
}

// A name that the compiler does not look up.
const PACKAGE: string = '@langchain/openai';

export async function chatOpenAi(options: ChatOpenAiOptions): Promise<ChatModel> {
  const { ChatOpenAI } = (await import(PACKAGE)) as LangChainOpenAi;
  return new ChatOpenAI(options);
}
