/** Text of a stream line by line, without line breaks; at its end also a last line that has none. */
export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** Server-sent events as our server writes them: one line of data each. */
export async function* readEvents(lines: AsyncIterable<string>): AsyncGenerator<StreamEvent, void, undefined> {
  let fields: Record<string, string> = {};
  for await (const line of lines) {
    if (line === '') {
      if (fields.data !== undefined) yield { event: fields.event ?? 'message', data: fields.data, id: fields.id ?? '' };
      fields = {};
    }
    const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== '') fields[name] = value;
  }
}
