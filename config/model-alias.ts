/**
 * Which model ids stand for one model, and which move. The reasons are in `docs/decisions/0029-pinned-ids.md`; the
 * order of the rules is that of their certainty.
 */

/** `2026-01-01`, `20260101`, `@20260101`, `-0613`, `-001`, `-08-2024`, `-preview-05-20`: a day or a number of a release. */
const VERSION_MARK = /\d{4}-\d{2}-\d{2}|\d{8}|[-@]\d{3,4}\b|-\d{2}-\d{4}$|-preview-\d{2}-\d{2}$/;

/** Vendors' own names: they serve them from newer models when they see fit, and say so. */
const HOSTED_FAMILY =
  /^(?:gpt|chatgpt|codex|o\d|claude|gemini|grok|command|deepseek|kimi|(?:mistral|ministral|magistral|devstral|pixtral)-(?:tiny|small|medium|large|\d+b)|codestral|mistral-saba|qwen[\d.]*-(?:max|plus|turbo|flash|long))(?![a-z])/i;

/** Hosted names without a date that stand for one model nevertheless. */
const FIXED_NAMES: readonly RegExp[] = [
  // Open weights, named by their size.
  /^gpt-oss(?:-safeguard)?-\d+b\b/i,
  // From version 4.6 on, Anthropic's undated names are fixed.
  /^claude-(?:opus|sonnet|haiku|fable)-(?:4-[6-9]|[5-9](?:-\d)?)$/,
  // Google calls these stable; previews, experiments and `-latest` move.
  /^gemini-\d+(?:\.\d+)?-(?:pro|flash|flash-lite|flash-8b)$/,
  // DeepSeek names versions; `deepseek-chat` and `deepseek-reasoner` are whatever is newest.
  /^deepseek-(?:v\d|r\d)[\w.]*(?:-[\w.]+)+$/i,
  /^deepseek-v\d+\.\d[\w.]*$/i,
  /^deepseek-(?:r1-distill|coder|llm|math|moe|vl\d*)-[\w.-]*\d+b\b/i,
  // Moonshot names generations with a number; `kimi-latest` moves.
  /^kimi-k\d/i,
  // Weights that Mistral gives out, named by their size.
  /^(?:mistral|ministral|mixtral)-\d+(?:x\d+)?b-[\w.-]*v\d/i,
];

/** Families of open weights: without a size or a tag, a server such as Ollama takes its newest one. */
const BARE_FAMILY =
  /^(?:llama|codellama|qwen|qwq|gemma|phi|mistral|mistral-nemo|mixtral|deepseek-(?:r|v)|gpt-oss|granite|smollm|olmo|falcon|yi|solar|vicuna|zephyr|glm|command-r)[\d.]*(?:-(?:instruct|chat|coder|text|vision|vl|it|plus))*$/i;

/**
 * Whether a model id may mean another model tomorrow. Names that no rule knows stand: they are those of one's own
 * servers and deployments.
 */
export function isUnpinnedAlias(id: string): boolean {
  if (/(?:^|[-:@/])latest$/i.test(id)) return true;
  // An account or an organisation before the name: `openai/gpt-4o`, `accounts/fireworks/models/…`.
  const name = id.slice(id.lastIndexOf('/') + 1);
  // Hubs write the weights' own name, with capitals; resellers write vendors' names in lower case.
  const isRepository = id.includes('/') && /[A-Z]/.test(name);
  if (VERSION_MARK.test(name) || isRepository) return false;
  if (name.includes(':')) return false;
  if (FIXED_NAMES.some((pattern) => pattern.test(name))) return false;
  return HOSTED_FAMILY.test(name) || BARE_FAMILY.test(name);
}
