/** A provider that a first config can use, by the environment variable that its vendor's own tools read. */
export interface CloudChoice {
  /** The preset, which is the provider's name in the file too. */
  readonly preset: string;
  readonly key: string;
  /** A cheap model with a pinned id and a listed price. */
  readonly small?: string;
  /** A strong one of the same vendor. */
  readonly large?: string;
  /** What has to be written by hand, where no model of it can be named. */
  readonly byHand?: string;
}

/** In the order in which they are preferred where several keys are set. A test holds the ids to the price list. */
export const CLOUD_CHOICES: readonly CloudChoice[] = [
  { preset: 'openai', key: 'OPENAI_API_KEY', small: 'gpt-5.4-nano-2026-03-17', large: 'gpt-5.4-2026-03-05' },
  { preset: 'anthropic', key: 'ANTHROPIC_API_KEY', small: 'claude-haiku-4-5-20251001', large: 'claude-sonnet-5' },
  { preset: 'gemini', key: 'GEMINI_API_KEY', small: 'gemini-2.5-flash-lite', large: 'gemini-3.8-flash' },
  { preset: 'mistral', key: 'MISTRAL_API_KEY', small: 'mistral-small-2603', large: 'mistral-large-2512' },
  { preset: 'deepseek', key: 'DEEPSEEK_API_KEY', small: 'deepseek-v4-flash', large: 'deepseek-v4-pro' },
  { preset: 'groq', key: 'GROQ_API_KEY', small: 'openai/gpt-oss-20b', large: 'openai/gpt-oss-120b' },
  {
    preset: 'together',
    key: 'TOGETHER_API_KEY',
    small: 'meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo',
    large: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  },
  {
    preset: 'fireworks',
    key: 'FIREWORKS_API_KEY',
    small: 'accounts/fireworks/models/gpt-oss-20b',
    large: 'accounts/fireworks/models/gpt-oss-120b',
  },
  { preset: 'moonshot', key: 'MOONSHOT_API_KEY', small: 'kimi-k2.5', large: 'kimi-k3' },
  { preset: 'cerebras', key: 'CEREBRAS_API_KEY', large: 'gpt-oss-120b' },
  { preset: 'xai', key: 'XAI_API_KEY', large: 'grok-4-0709' },
  { preset: 'deepinfra', key: 'DEEPINFRA_API_KEY', large: 'zai-org/GLM-4.5' },
  { preset: 'openrouter', key: 'OPENROUTER_API_KEY', byHand: 'its models need a price: copy it from openrouter.ai' },
  { preset: 'azure', key: 'AZURE_OPENAI_API_KEY', byHand: 'it needs the address and the deployments of your resource' },
];

/** A server for your own models, where it listens unless told otherwise. */
export interface LocalServer {
  readonly name: string;
  readonly preset?: string;
  readonly baseUrl: string;
}

export const LOCAL_SERVERS: readonly LocalServer[] = [
  { name: 'ollama', preset: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1' },
  { name: 'llamacpp', preset: 'llamacpp', baseUrl: 'http://127.0.0.1:8080/v1' },
  { name: 'vllm', preset: 'vllm', baseUrl: 'http://127.0.0.1:8000/v1' },
  { name: 'lmstudio', baseUrl: 'http://127.0.0.1:1234/v1' },
];
