/** Where thinking ends, as servers leave it in the text that do not set it apart. */
const END_OF_THINKING =
  /<\/(?:think|thinking|thought|reasoning)>|\[\/THINK\]|<\|channel\|>final<\|message\|>|◁\/think▷/gi;

/** What a reply says after its thinking, which may try out other answers. */
export function answerPart(text: string): string {
  const [last] = [...text.matchAll(END_OF_THINKING)].slice(-1);
  const after = last === undefined ? text : text.slice(last.index + last[0].length);
  return (after.trim() === '' ? text : after).replace(/^\uFEFF/, '');
}
