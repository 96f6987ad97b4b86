/** Where thinking ends, as servers leave it in the text that do not set it apart. */
const END_OF_THINKING = new RegExp(
  [
    '</(?:[\\w-]+:)?(?:\\w*think\\w*|thoughts?|reason\\w*|reflection|analysis|scratchpad|plan|monologue)>',
    '\\[/THINK\\]|◁/think▷|<\\|?end_(?:of_)?(?:think|thought|reason)\\w*\\|?>|<unused95>',
    '<\\|channel\\|>\\s*final\\b[^{\\n]*?<\\|message\\|>|assistantfinal(?=[^a-z])',
    // Not inside a text of JSON, which has no line breaks.
    '(?:^|\\n)\\W{0,5}(?:the )?final (?:answer|label|result|output|json)\\b\\W{0,5}(?=\\s*(?:```\\w*\\s*)?\\{)',
  ].join('|'),
  'gi',
);

/** What models write to end their turn, where a server has left it in the text. */
const CONTROL_TOKEN =
  '<\\|(?:im_start|im_end|end|eot_id|eom_id|eot|return|call|endoftext|end_of_text|begin_of_text|start|message|channel|constrain|python_tag|start_header_id|end_header_id|assistant|user|begin_of_solution|end_of_solution|START_RESPONSE|END_RESPONSE|END_OF_TURN_TOKEN)\\|>|</?s>|<(?:end|start)_of_turn>|<eos>|<bos>|<｜[^｜>]{1,30}｜>|\\[/?INST\\]';
const TOKENS_AT_START = new RegExp(`^(?:\\s*(?:${CONTROL_TOKEN})\\s*(?:assistant\\s*\\n)?)+`);
const TOKEN_AT_END = new RegExp(`(?:${CONTROL_TOKEN})$`);
const MAX_TOKENS_AT_END = 10;

/** What a reply says after its thinking, which may try out other answers. */
export function answerPart(text: string): string {
  let end = 0;
  // Not `matchAll()`, which makes the expression anew for each reply.
  while (END_OF_THINKING.test(text)) end = END_OF_THINKING.lastIndex;
  const after = text.slice(end);
  return withoutControlTokens((after.trim() === '' ? text : after).replace(/^\uFEFF/, ''));
}

/** Without those around it. */
export function withoutControlTokens(text: string): string {
  if (!text.includes('<') && !text.includes('INST]')) return text;
  let rest = text.replace(TOKENS_AT_START, '');
  for (let count = 0; count < MAX_TOKENS_AT_END; count++) {
    const end = rest.trimEnd();
    const shorter = end.replace(TOKEN_AT_END, '');
    if (shorter === end) break;
    rest = shorter;
  }
  return rest;
}
