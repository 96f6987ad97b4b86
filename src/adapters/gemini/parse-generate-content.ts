import type { ModelReply, TokenLogprob } from '../../providers/model-client.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import { errorBeside } from '../provider-http/error-beside.ts';
import type { ParsedReply } from '../provider-http/wire-format.ts';
import { parseUsageMetadata } from './parse-usage-metadata.ts';

const FINISH: ReadonlyMap<unknown, ModelReply['finish']> = new Map<unknown, ModelReply['finish']>([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'refusal'],
  ['RECITATION', 'refusal'],
  ['PROHIBITED_CONTENT', 'refusal'],
  ['BLOCKLIST', 'refusal'],
  ['SPII', 'refusal'],
  ['MODEL_ARMOR', 'refusal'],
]);

/** Reads a parsed body of any shape; never throws. */
export function parseGenerateContent(body: unknown): ParsedReply {
  if (!isRecord(body)) return {};
  const usage = parseUsageMetadata(body.usageMetadata);
  const candidate = Array.isArray(body.candidates) ? body.candidates[0] : undefined;
  const error = errorBeside(body);
  const read = () => (isRecord(candidate) ? parseCandidate(candidate) : parseBlock(body.promptFeedback));
  const answer = error === undefined ? read() : undefined;
  return {
    ...(answer === undefined ? {} : { answer }),
    ...(error === undefined ? {} : { error }),
    ...(usage === undefined ? {} : { usage }),
    ...(body.usageMetadata === undefined || body.usageMetadata === null ? {} : { rawUsage: body.usageMetadata }),
    ...(isFilledString(body.responseId) ? { id: body.responseId } : {}),
    ...(isFilledString(body.modelVersion) ? { model: body.modelVersion } : {}),
  };
}

function parseCandidate(candidate: Readonly<Record<string, unknown>>): ParsedReply['answer'] {
  const { finishReason, finishMessage } = candidate;
  const content = isRecord(candidate.content) ? candidate.content : undefined;
  if (content === undefined && !isFilledString(finishReason)) return undefined;
  const finish = FINISH.get(finishReason) ?? 'other';
  // Without parts where nothing was written: stopped by a filter, or the cap was used up by thinking.
  const text = parseParts(content?.parts ?? []);
  if (text === undefined) return undefined;
  const logprobs = isRecord(candidate.logprobsResult) ? parseLogprobs(candidate.logprobsResult) : undefined;
  return {
    text: finish === 'refusal' && text === '' && isFilledString(finishMessage) ? finishMessage : text,
    finish,
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/** A prompt that the filter stopped has no candidates; it is charged for like any other. */
function parseBlock(feedback: unknown): ParsedReply['answer'] {
  if (!isRecord(feedback) || !isFilledString(feedback.blockReason)) return undefined;
  const message = feedback.blockReasonMessage;
  return { text: isFilledString(message) ? message : '', finish: 'refusal' };
}

function parseParts(parts: unknown): string | undefined {
  if (!Array.isArray(parts)) return undefined;
  const written = parts
    .filter((part) => isRecord(part) && part.thought !== true && typeof part.text === 'string')
    .map((part) => part.text)
    .join('');
  const call: unknown = parts.find((part) => isRecord(part) && isRecord(part.functionCall));
  const given = isRecord(call) && isRecord(call.functionCall) ? call.functionCall.args : undefined;
  return written.trim() === '' && isRecord(given) ? JSON.stringify(given) : written;
}

/** Undefined where there are none or one of them is malformed: half of a confidence is none. */
function parseLogprobs(result: Readonly<Record<string, unknown>>): readonly TokenLogprob[] | undefined {
  const { chosenCandidates, topCandidates } = result;
  if (!Array.isArray(chosenCandidates) || chosenCandidates.length === 0) return undefined;
  const tokens: TokenLogprob[] = [];
  for (const [index, chosen] of chosenCandidates.entries()) {
    const token = parseToken(chosen);
    if (token === undefined) return undefined;
    const step: unknown = Array.isArray(topCandidates) ? topCandidates[index] : undefined;
    const alternatives = isRecord(step) && Array.isArray(step.candidates) ? step.candidates : undefined;
    tokens.push(
      alternatives === undefined
        ? token
        : { ...token, top: alternatives.map(parseToken).filter((top) => top !== undefined) },
    );
  }
  return tokens;
}

function parseToken(value: unknown): { readonly token: string; readonly logprob: number } | undefined {
  if (!isRecord(value) || typeof value.token !== 'string') return undefined;
  // A zero is left out of the JSON, like every default of protocol buffers.
  const logprob = value.logProbability ?? 0;
  return typeof logprob === 'number' ? { token: value.token, logprob } : undefined;
}
