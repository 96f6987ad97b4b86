import type { ErrorBody } from './read-error-body.ts';

/**
 * What a refusal means, by its words: lists of the vendors' own wordings are never complete. Each is a subject and what is
 * the matter with it, in either order and not far apart.
 */

const WORDING_CHARACTERS = 300;

/**
 * The words that tell: the codes, and the beginning of the message without what it quotes. What follows may be the document, and
 * a document must not be able to say what is wrong.
 */
export function wordsOf({ codes, message }: ErrorBody): string {
  const names = codes.map((code) => code.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_.-]+/g, ' '));
  const said = message.slice(0, WORDING_CHARACTERS).replace(/"[^"]{20,}"|“[^”]{20,}”/g, ' ');
  // Pydantic's words for any field: "temperature: Input should be less than or equal to 1".
  return `${names.join('. ')}. ${said.replace(/[_*`]+/g, ' ').replace(/\bInput should (?=be\b)/g, 'Value should ')}`;
}

function inEitherOrder(subject: string, matter: string, between = 60): RegExp {
  return new RegExp(
    `\\b(?:${subject})\\b[^.]{0,${between}}?(?:${matter})|(?:${matter})[^.]{0,${between}}?\\b(?:${subject})\\b`,
    'i',
  );
}

/** The subject is what was sent. */
const LENGTH = inEitherOrder(
  'contexts?|context (?:window|length|size)|prompts?|inputs?|input (?:length|text)|sequences?|tokens?|conversation|messages?|document|texts?|content length|payload|body|characters|chars|n ctx|num ctx|max (?:input|seq|sequence|model) (?:len|length)',
  [
    'exceed\\w*|too (?:long|large|big|many|lengthy)|oversized?|overflow\\w*|overlong',
    '(?:long|great|larg|bigg|high|few)er than|(?:more|less) than|at most|no more than|surpass\\w*|beyond|over (?:the|its|our|this) ',
    "(?:do(?:es)? not|doesn't|don't|can ?not|can't|won't|will not|unable to|not) (?:\\w+ )?(?:fit|be accommodated|accommodate|handle (?:more|so))",
    'out of range|not enough (?:room|space|context)|(?:allowed|permitted|supported) (?:maximum|length)|(?:maximum|max|limit|limited|cap(?:ped)?)\\b|only (?:accepts?|supports?|takes?|handles?|[\\d,]+) ',
    'shorten|truncate|reduce (?:the|your)|should be \\[|split (?:the|your)',
  ].join('|'),
);
const LENGTH_ELSEWHERE = new RegExp(
  [
    'too (?:long|large) (?:a )?(?:prompt|input|request|document|context)|request (?:is |entity |body |was )?(?:too (?:large|long|big)|oversized)',
    'max(?:imum)? ?length\\b[^.]{0,20}\\bactual\\b|\\bn ctx ?[=:] ?\\d',
    '(?:超出|超过|超過|超长|過長|过长)[^。]{0,30}|(?:长度|上下文|字数|トークン|文字)[^。]{0,20}(?:超|上限|限制|最大|長すぎ)|(?:最大|上限)[^。]{0,12}(?:长度|上下文|トークン|文字)',
    '(?:tokens?|输入|輸入|文本|内容|提示|入力|リクエスト)[^。]{0,12}(?:过多|過多|太长|太長|過長|長すぎ|超え)',
    'zu (?:lang|gro(?:ß|ss))\\b|zu viele (?:token|zeichen)|(?:länge|kontext|token)[^.]{0,30}überschr',
    'trop long|dépass\\w*[^.]{0,40}(?:longueur|taille|limite|contexte|tokens)',
    '(?:supera|excede|sobrepasa|ultrapassa)\\w*[^.]{0,40}(?:longitud|tamaño|l[ií]mite|contexto|contesto|comprimento|lunghezza|tokens?)|(?:demasiado|troppo) (?:larg|lung)|muito long',
    'превыш[^.]{0,40}(?:длин|размер|контекст|токен|лимит)|слишком (?:длин|больш)',
    '(?:토큰|입력|길이|컨텍스트|프롬프트)[^.]{0,20}(?:초과|넘|너무)',
  ].join('|'),
  'i',
);
const OUTPUT_CAP =
  /max[ _](?:completion[ _]|output[ _]|new[ _])?tokens|maxOutputTokens|(?:completion|output|generated|response) (?:tokens|length)/i;
/** "tokens per minute" are a rate; an access token is a key. */
const OTHER_TOKENS =
  /per (?:minute|second|hour|day|min)\b|\b[TR]P[MDS]\b|throttl|please wait\b|(?:access|auth\w*|bearer|security|session|refresh) token|token (?:is |has )?(?:expired|invalid|revoked)|unexpected token|invalid token/i;

/** Of the whole request; not of the reply's cap, and not of a rate. */
export function speaksOfLength(words: string): boolean {
  if (OUTPUT_CAP.test(words) && !/prompt|input (?:tokens?|length|is)|context/i.test(words)) return false;
  if (OTHER_TOKENS.test(words)) return false;
  return LENGTH.test(words) || LENGTH_ELSEWHERE.test(words);
}

const SIZE =
  /tokens?\b|length|context|window|\blong|\blarge|\bbig\b|\bsize|charact|\bchars\b|sequence|capacity|truncat|positions?\b|l(?:ä|ae)nge|longueur|longitud|lunghezza|comprimento|contexto?|taille|tamaño|длин|размер|токен|контекст|长|長|上下文|字数|トークン|토큰|길이|컨텍스트/i;

/**
 * Any word about size, or no word at all: such a refusal may be about the request's length, in a wording that is in no list.
 */
export function maySpeakOfLength(words: string): boolean {
  return (SIZE.test(words) && !OTHER_TOKENS.test(words)) || !/[\p{L}\p{N}]/u.test(words);
}

const MONEY = inEitherOrder(
  'credits?|balance|funds?|money|wallet|prepay(?:ment)?|pre ?paid|credit limit|payment|invoices?|billing|budget|spend(?:ing)?|allowance|deposit',
  [
    'insufficient|not enough|too low|low on|out of|run out|ran out|running out|no (?:more |remaining |available )?|exhausted|depleted|used up|consumed|negative|empty|zero|below',
    'overdue|past due|unpaid|outstanding|delinquent|declined|failed|required|needed|not active|inactive|disabled|suspended|expired|needs? (?:a |to )?',
    'exceed(?:s|ed)?|reached|hit|over (?:your|the|its)|used all|spent|top.?up|recharge|refill|replenish|add (?:more )?|buy|purchase|hard limit|(?:limit|cap|alert|threshold)\\b',
  ].join('|'),
  40,
);
const MONEY_ELSEWHERE = new RegExp(
  [
    "account[^.]{0,20}(?:overdue|in arrears|arrears|delinquent|past due|unpaid|good standing)|in arrears|arrearage|overdue (?:account|bill)|subscription[^.]{0,20}(?:expired|lapsed|ended|inactive|cancell?ed)|trial[^.]{0,20}(?:ended|expired|over)|can(?:not|'t|not| only) afford|pay(?:ing)? (?:your|the) (?:bill|invoice)",
    '(?:invalid|missing|no|valid) (?:payment (?:instrument|method|details)|credit card|billing account)|billing account[^.]{0,40}(?:not found|closed|missing)|assigned quota',
    // What is gone for a week or a month is gone for this night.
    "\\b(?:month|week)(?:ly)?\\b[^.]{0,40}\\b(?:limit|quota|usage|allowance|allocation)\\b|\\b(?:limit(?:ed)?|quota|usage|allowance|allocation)\\b[^.]{0,40}\\b(?:month|week)(?:ly)?\\b|your (?:current )?plan (?:does not|doesn't)",
    '余额|欠费|充值|额度[^。]{0,8}(?:用完|用尽|不足|耗尽)|额度已用完|剩余额度|资源包[^。]{0,8}(?:用|耗)尽|残高|クレジット[^。]{0,8}(?:不足|切れ)|크레딧|잔액',
    'guthaben|solde insuffisant|crédits? (?:insuffisant|épuisé)|saldo insuf|créditos? (?:insuf|agotad|esgotad)|недостаточно средств|пополните',
  ].join('|'),
  'i',
);
/** Gemini words its limits per minute as "exceeded your current quota, please check your plan and billing details". */
const QUOTA_AND_BILLING = /(?:check|see|view) your plan and billing( details)?/gi;

/** The account has no money left, or its owner has set a limit: no wait ends it. */
export function speaksOfMoney(words: string): boolean {
  const said = words.replace(QUOTA_AND_BILLING, ' ');
  return MONEY.test(said) || MONEY_ELSEWHERE.test(said);
}

const CONTENT = inEitherOrder(
  'content|safety|guard ?rails?|moderation|polic(?:y|ies)|guidelines?|terms of (?:service|use)|acceptable use|responsible ai|classifiers?|prompt|input|text|message|output|request',
  [
    'violat\\w+|breach\\w*|against (?:our|the)|prohibited|disallowed|forbidden by|not permitted by|unsafe|harmful|inappropriate|sensitive|offensive|toxic|explicit|jailbreak|objectionable|abusive',
    'flagged|filtered|moderated|censored|(?:blocked|stopped|refused|rejected|intercepted|denied|declined) (?:by|due to|because of|for|on) (?:\\w+ ){0,3}(?:content|safety|guard ?rails?|moderation|polic|filter|harm|security polic|risk|ai )',
    '(?:content|safety|moderation|prompt) (?:filter|system|check|review|shield)',
  ].join('|'),
);
const CONTENT_ELSEWHERE = new RegExp(
  [
    'content[ _-]?(?:filter|policy|moderation|safety|management)|guard ?rail|safety (?:system|filter|policy|settings|reasons|check)|moderation|risk control|high[ -]risk',
    '(?:content|text|input|prompt|output|completion|response)[^.]{0,60}\\b(?:is|was|were|been|being) (?:blocked|censored|withheld|filtered)|censor',
    'personal(?:ly identifiable)? (?:data|information)|\\bPII\\b|data loss prevention|\\bDLP\\b|prompt[ -]?injection|jail ?break|model armor',
    '敏感|不安全|违规|违反|審核|审核|不適切|ポリシー[^。]{0,4}違反|부적절|유해|정책[^.]{0,4}위반',
    'verstö(?:ß|ss)t|contenu (?:inapproprié|interdit)|enfrein|contenido (?:inapropiado|no permitido)|infringe|наруша|недопустим',
  ].join('|'),
  'i',
);

/** A filter has stopped this text. */
export function speaksOfContent(words: string): boolean {
  return CONTENT.test(words) || CONTENT_ELSEWHERE.test(words);
}

const THROTTLE =
  /throttl|rate.?limit|rate (?:exceeded|of requests)|too many (?:requests|concurrent|calls|simultaneous)|concurren(?:t|cy)[^.]{0,40}(?:limit|exceed|maximum|many)|(?:requests?|tokens?|calls?) per (?:second|minute|hour|day|min)\b|\b(?:QPS|RPM|TPM)\b|slow down|quota (?:exceeded|exhausted|used|limit|violation)|(?:request|call|usage|daily|hourly)s? (?:\w+ )?limit (?:is |was |has been )?(?:reached|exceeded|hit)|(?:exceed|over|used up)\w*[^.]{0,30}quota|request frequency|frequency limit|限流|频率|频繁|并发/i;

/** It has to come later. */
export function speaksOfThrottle(words: string): boolean {
  return THROTTLE.test(words);
}

/** The server's own trouble, whatever status it has chosen. */
export function speaksOfTrouble(words: string): boolean {
  return TROUBLE.test(words.replace(AFTER_A_CHANGE, ' '));
}

const TROUBLE =
  /overload|server (?:is )?busy|\bbusy\b|temporar(?:y|ily)|(?:try|retry)(?: your request)? (?:again|later)|please retry|unavailable|internal (?:server )?error|timed? ?out|upstream|connection (?:error|reset|refused|closed|aborted|lost)|\bengine ?core|\bcuda\b|out of memory|worker (?:lost|died|crashed|exited)|\bcrashed\b|loading (?:the )?model|model is loading|繁忙|稍后/i;
/** "Reformat your input and try again": the same once more would not help. */
const AFTER_A_CHANGE =
  /(?:reformat|correct|fix|shorten|reduce|change|check|adjust|modify|remove|revise|review)\b[^.]{0,60}\b(?:re)?try(?: your request)?(?: again)?/gi;
const KEY = new RegExp(
  [
    '(?:incorrect|invalid|missing|wrong|bad|expired|revoked|unknown|no) (?:api ?key|access ?key|subscription key|(?:cookie )?auth(?:entication|orization)?\\b|credentials?|access token|bearer)',
    '(?:api ?key|access ?key|access token|bearer token|auth(?:entication|orization)? (?:key|token|header)|credentials?)\\b[^.]{0,30}(?:invalid|incorrect|missing|expired|revoked|not (?:valid|found|provided|recogni[sz]ed)|required|no longer)',
    'authentication (?:failed|required|error)|unauthori[sz]ed|not authenticated|unauthenticated',
  ].join('|'),
  'i',
);

/** The key is wrong, or there is none. */
export function speaksOfKey(words: string): boolean {
  return KEY.test(words);
}

const MODEL = new RegExp(
  [
    // Only the model's own name may come between: "the model `x` does not exist".
    '\\bmodel(?: +(?:id|name))?:?(?: +[\'`"]?[\\w./:@-]+[\'`"]?)? +(?:does not exist|(?:was |is |could )?not (?:be )?(?:found|available|valid)|has been (?:decommissioned|retired|removed|deprecated|withdrawn)|(?:has reached|is at) (?:its )?end of life|is (?:no longer|not) (?:supported|available|served|offered)(?! (?:with|for|by|in))|is (?:deprecated|retired|unknown))',
    '(?:is not a valid|(?:invalid|unknown|unrecognized|no such|nonexistent|unsupported)) model\\b(?! (?:input|output|param|option))',
    '(?:unable to|can ?not|could not) (?:access|find|load) (?:the )?model\\b',
    '模型不存在|モデルが見つかりません',
  ].join('|'),
  'i',
);

/** The model is not there, or not any more. */
export function speaksOfModel(words: string): boolean {
  return MODEL.test(words);
}

/** "Limit 2000, Requested 2903", in any order: alone it is over the limit, so no wait helps. */
export function isAloneOverLimit(message: string): boolean {
  const start = message.slice(0, 2 * WORDING_CHARACTERS);
  const numberAfter = (words: string) =>
    new RegExp(`\\b(?:${words})\\b(?: \\w+){0,2}?["'\\s:=(]+([\\d,]+)`, 'i').exec(start)?.[1];
  const limit = numberAfter('limit|maximum|max');
  const requested = numberAfter('requested|needed|request size|this request');
  if (limit === undefined || requested === undefined) return false;
  const read = (text: string) => Number(text.replaceAll(',', ''));
  return read(requested) > read(limit);
}
