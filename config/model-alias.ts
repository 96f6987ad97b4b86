/** Families of hosted models whose undated names move from version to version. */
const HOSTED_FAMILY =
  /^(?:[\w.-]+\/)?(?:gpt|chatgpt|o\d|claude|gemini|mistral|codestral|command|deepseek|grok)\b[\w.-]*$/i;

/** `2026-01-01`, `20260101`, `0613`, `-001`, `@20260101`: what hosted names carry when they stand still. */
const VERSION_MARK = /(?:\d{4}-\d{2}-\d{2}|\d{8}|[-@]\d{3,4}\b)/;

/** From version 4.6 on, an undated name of these is one fixed model. */
const FIXED_CLAUDE = /^claude-(?:opus|sonnet|haiku)-(?:4-[6-9]|[5-9](?:-\d)?)$/;

/**
 * Whether a model id may mean another model tomorrow: `…-latest`, or an undated name of a hosted family.
 * Names of one's own servers (`meta-llama/Llama-3.1-8B-Instruct`) stand for the weights that run there.
 */
export function isUnpinnedAlias(id: string): boolean {
  if (/(?:^|[-:@])latest$/i.test(id)) return true;
  return HOSTED_FAMILY.test(id) && !FIXED_CLAUDE.test(id) && !VERSION_MARK.test(id);
}
