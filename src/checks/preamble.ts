/** Only the beginning says what kind of reply it is. */
const BEGINNING_CHARS = 300;

const SUMMARY_WORD =
  '(?:summary|overview|synopsis|summarization|recap|zusammenfassung|résumé|resumen|resumo|riassunto|samenvatting|streszczenie|sammanfattning)';

/** A summary that speaks of itself: nothing is lost but words, and readers of many summaries lose their patience. */
const PREAMBLES: readonly RegExp[] = [
  new RegExp(
    `^(?:(?:sure|certainly|of course|absolutely|okay|ok|gladly|gerne|natürlich|bien sûr|claro|certo)[,!.:]? {0,2})?(?:here(?:['’]s| is| are| you go)|below (?:is|are)|this is|the following is|hier ist|hier sind|voici|aquí (?:está|tienes)|aqui está|ecco|hier is)\\b[^.:\\n]{0,80}${SUMMARY_WORD}`,
    'iu',
  ),
  new RegExp(`^(?:\\*\\*|#{1,4} )?${SUMMARY_WORD}(?:\\*\\*)?(?: of [^:\\n]{1,80})?:`, 'iu'),
  /^(?:sure|certainly|of course|absolutely|gladly)[,!] {0,2}(?:here|i |i['’])/i,
  /^(?:以下是|下面是|以下は|다음은)[^。\n]{0,30}(?:摘要|总结|總結|要約|요약)/u,
];

/** The model speaks as a model, or declines. */
const REFUSALS: readonly RegExp[] = [
  /\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b/i,
  /\bals (?:ki|ein sprachmodell|eine? künstliche intelligenz)\b/iu,
  /\ben tant qu(?:['’]ia|['’]intelligence artificielle|e modèle de langage)\b/iu,
  /\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje)\b/iu,
  /^(?:i['’]m|i am) (?:very )?(?:sorry|afraid|unable)\b/i,
  /^(?:sorry|unfortunately|i apologi[sz]e)\b[^.\n]{0,40}\b(?:i|we) (?:can['’]?t|cannot|am unable|won['’]t|could not|couldn['’]t)\b/i,
  /^i (?:can['’]?t|cannot|can not|won['’]t|am not able|don['’]t (?:have|see)) [^.\n]{0,60}\b(?:summar|document|text|provide|request|help|assist|comply)/i,
  /^(?:please|kindly) (?:provide|share|paste|send) (?:me )?(?:the|a|your) (?:text|document|content)/i,
  /^(?:es tut mir leid|leider kann ich|je suis désolée?|lo siento|mi dispiace)\b[^.\n]{0,80}(?:nicht|pas|no puedo|non posso|kein)/iu,
];

/**
 * The words of a summary that talk about the summary or decline to write one; undefined where there are none, or where
 * the source itself has them.
 */
export function findPreamble(summary: string, source: string): string | undefined {
  const beginning = summary.trimStart().slice(0, BEGINNING_CHARS);
  for (const pattern of [...PREAMBLES, ...REFUSALS]) {
    const found = pattern.exec(beginning)?.[0];
    if (found !== undefined && !source.includes(found)) return found;
  }
  return undefined;
}
