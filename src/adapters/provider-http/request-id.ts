/** The provider's id of a request: `x-request-id` of OpenAI and most, `request-id` of Anthropic. */
export function readRequestId(headers: Readonly<Record<string, string>>): string | undefined {
  return headers['x-request-id'] ?? headers['request-id'];
}
