import { type Dispatcher, request } from 'undici';
import type { Span, SpanValue } from '../../measures/trace-meter.ts';
import type { Log } from '../../runtime/log.ts';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';
import type { TracingSettings } from '../../runtime/tracing-settings.ts';
import { openAgent } from '../outbound/proxy.ts';

export interface OtlpOptions extends TracingSettings {
  readonly version: string;
  readonly log: Log;
  readonly proxy?: ProxySettings | undefined;
  /** How long spans are gathered. Default 5 s. */
  readonly everyMs?: number;
}

/** Spans in one request. */
const MAX_AT_ONCE = 512;
/** Spans that wait while the collector is away; later ones are lost. */
const MAX_WAITING = 4_096;
const TIMEOUT_MS = 5_000;
const KINDS = { client: 3, producer: 4, consumer: 5 } as const;
const ERROR_STATUS = 2;

/**
 * Sends spans to an OpenTelemetry collector, as OTLP over HTTP in JSON. It never fails or delays the work: what the
 * collector does not take is lost, and the log says so once.
 */
export class OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #agent: Dispatcher;
  readonly #timer: NodeJS.Timeout;
  #waiting: Span[] = [];
  #lost = 0;
  #isAway = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#agent = openAgent(options.proxy, { connections: 1 });
    this.#timer = setInterval(() => this.#flush(), options.everyMs ?? 5_000);
    this.#timer.unref();
  }

  send(span: Span): void {
    if (this.#waiting.length >= MAX_WAITING) this.#lost += 1;
    else this.#waiting.push(span);
    if (this.#waiting.length === MAX_AT_ONCE) this.#flush();
  }

  /** Sends what waits, for five seconds at most a request. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    await this.#sending;
    await this.#agent.destroy();
  }

  #flush(): void {
    this.#sending = this.#sending.then(async () => {
      while (this.#waiting.length > 0) {
        const spans = this.#waiting.slice(0, MAX_AT_ONCE);
        this.#waiting = this.#waiting.slice(MAX_AT_ONCE);
        await this.#post(spans);
      }
    });
  }

  async #post(spans: readonly Span[]): Promise<void> {
    const { endpoint, headers, log } = this.#options;
    let problem: string;
    try {
      const { statusCode, body } = await request(endpoint, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'nightmill' },
        body: tracesJson(spans, this.#options),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await body.dump();
      if (statusCode >= 200 && statusCode < 300) {
        this.#isAway = false;
        return;
      }
      problem = `HTTP ${statusCode}`;
    } catch (error) {
      const { code, name } = error as { readonly code?: unknown; readonly name: string };
      problem = typeof code === 'string' ? code : name;
    }
    this.#lost += spans.length;
    if (!this.#isAway) log.warn('traces:lost', { spans: this.#lost, reason: problem });
    this.#isAway = true;
  }
}

/** `ExportTraceServiceRequest` in JSON: ids in hexadecimal, 64-bit numbers as text. */
export function tracesJson(
  spans: readonly Span[],
  { serviceName, attributes, version }: Pick<OtlpOptions, 'serviceName' | 'attributes' | 'version'>,
): string {
  const resource = { ...attributes, 'service.name': serviceName, 'service.version': version };
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesJson(resource) },
        scopeSpans: [{ scope: { name: 'nightmill', version }, spans: spans.map(spanJson) }],
      },
    ],
  });
}

function spanJson({ traceId, spanId, parentSpanId, name, kind, startedAt, endedAt, attributes, error }: Span): object {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: attributesJson(attributes),
    ...(error === undefined ? {} : { status: { code: ERROR_STATUS, message: error } }),
  };
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n);
}

function attributesJson(attributes: Readonly<Record<string, SpanValue>>): readonly object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueJson(value) }],
  );
}

function valueJson(value: NonNullable<SpanValue>): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map(valueJson) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
