import { isFilledString, isRecord } from '../../text/json-value.ts';

/** The error in a body or a choice that came with a success status: an object, or a text. Undefined: there is none. */
export function errorBeside(object: Readonly<Record<string, unknown>>): unknown {
  const { error, base_resp: response } = object;
  if (isFilledString(error) || (isRecord(error) && Object.keys(error).length > 0)) return error;
  // MiniMax says in each reply whether it is one.
  const isFailed = isRecord(response) && response.status_code !== 0 && response.status_code !== undefined;
  if (!isFailed && isErrorAlone(object)) return object;
  return isFailed ? { code: response.status_code, message: response.status_msg } : undefined;
}

/** `{"code": 1113, "msg": "…"}`: a code and a text, and nothing that could be an answer. */
function isErrorAlone(object: Readonly<Record<string, unknown>>): boolean {
  const { code, error_code, choices, content, candidates } = object;
  if (choices !== undefined || content !== undefined || candidates !== undefined) return false;
  const hasText = [object.message, object.msg, object.error_msg].some(isFilledString);
  return hasText && (code !== undefined || error_code !== undefined);
}
