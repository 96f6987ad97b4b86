import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { readTracing } from '../../../config/environment.ts';
import { OtlpExporter } from '../../../src/adapters/otlp/otlp-exporter.ts';
import { finalizeBatch } from '../../../src/finalize/finalize-batch.ts';
import { tellAll } from '../../../src/measures/meter.ts';
import { ProcessMeter } from '../../../src/measures/process-meter.ts';
import { TraceMeter } from '../../../src/measures/trace-meter.ts';
import { providerName } from '../../../src/measures/trace-names.ts';
import { ModelCallError } from '../../../src/providers/failure.ts';
import { formatTraceparent, parseTraceparent, traceOfBatch } from '../../../src/runtime/trace-context.ts';
import { processSlice } from '../../../src/slices/process-slice.ts';
import { labelReply, MemoryApp } from '../../helpers/memory/memory-app.ts';
import { keepingLog } from '../../schedules/helpers.ts';

interface SpanJson {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status?: { readonly code: number; readonly message: string };
}

/** A collector of OpenTelemetry that keeps what it is sent. */
async function startCollector(status = 200) {
  const bodies: { readonly path: string; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }[] =
    [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString() });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => void server.close());
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bodies,
    spans: () =>
      bodies.flatMap(({ text }) =>
        (JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: SpanJson[] }[] }[] }).resourceSpans.flatMap(
          ({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
  };
}

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

const SECRET_TEXT = 'the invoice of Mrs Example';

function meterTo(exporter: OtlpExporter) {
  let spans = 0;
  return new TraceMeter({
    emit: (span) => exporter.send(span),
    now: () => 1_790_000_000_000,
    newSpanId: () => {
      spans += 1;
      return spans.toString(16).padStart(16, '0');
    },
    serverOf: (provider) => ({ 'gen_ai.provider.name': provider, 'server.address': 'localhost', 'server.port': 7100 }),
  });
}

const attributesOf = ({ attributes }: SpanJson) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe('traces', () => {
  it('one of a batch has its submission, slices, calls and end, with the names of GenAI and without text', async () => {
    const collector = await startCollector();
    const tracing = readTracing(
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b' },
      [],
    );
    if (tracing === undefined) throw new Error('not configured');
    const exporter = new OtlpExporter({ ...tracing, version: '1.2.3', log: keepingLog() });
    const traces = meterTo(exporter);
    const meter = tellAll([new ProcessMeter(), traces]);
    const app = await MemoryApp.open();
    let calls = 0;
    app.answer = () => {
      calls += 1;
      if (calls === 1) throw new ModelCallError('boom', { failure: 'server_error', billing: 'none', status: 500 });
      return { ...labelReply('bug'), requestId: 'req-1', model: 'small-1-build-7' };
    };
    const batchId = await app.batchOf([SECRET_TEXT]);
    const parent = parseTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const trace = traceOfBatch(batchId, 5, parent);
    const submission = { ...app.submission(batchId), traceparent: formatTraceparent(trace) };
    meter.batchSubmitted?.({
      ...{ batch: batchId, workflow: 'triage', documents: 1, durationMs: 3 },
      traceparent: submission.traceparent,
      parentSpanId: parent?.spanId ?? '',
    });
    const context = { meter, submission: async () => submission };
    await processSlice({ ...app.slices, ...context }, { batch: batchId, slice: 0 });
    await finalizeBatch({ ...app.finalize, ...context }, batchId);
    await exporter.close();

    const spans = collector.spans();
    expect(spans.map(({ name }) => name)).toEqual([
      'submit triage',
      'chat small-1',
      'chat small-1',
      'slice triage',
      'finish triage',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['0af7651916cd43dd8448eb211c80319c']));
    const [submit, failed, answered, slice, finish] = spans as [SpanJson, SpanJson, SpanJson, SpanJson, SpanJson];
    expect(submit.parentSpanId).toBe('b7ad6b7169203331');
    expect([slice.parentSpanId, finish.parentSpanId]).toEqual([submit.spanId, submit.spanId]);
    expect([failed.parentSpanId, answered.parentSpanId]).toEqual([slice.spanId, slice.spanId]);
    expect(failed.status).toEqual({ code: 2, message: 'server_error' });
    expect(attributesOf(failed)['error.type']).toBe('server_error');
    expect(answered.kind).toBe(3);
    expect(BigInt(answered.endTimeUnixNano) - BigInt(answered.startTimeUnixNano)).toBe(5_000_000n);
    expect(attributesOf(answered)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'acme',
      'gen_ai.request.model': 'small-1',
      'gen_ai.response.id': 'req-1',
      'gen_ai.response.model': 'small-1-build-7',
      'gen_ai.usage.input_tokens': '100',
      'gen_ai.usage.output_tokens': '10',
      'gen_ai.usage.cost.currency': 'USD',
      'server.port': '7100',
      'nightmill.batch': batchId,
    });
    const [body] = collector.bodies;
    expect(body).toMatchObject({ path: '/v1/traces', headers: { 'x-key': 'a b', 'content-type': 'application/json' } });
    expect(body?.text).not.toContain('Example');
  });

  it('that the collector refuses, or that come while it is away, are lost, and the log says so once', async () => {
    const collector = await startCollector(503);
    const log = keepingLog();
    const settings = { endpoint: `${collector.endpoint}/v1/traces`, headers: {}, serviceName: 's', attributes: {} };
    const exporter = new OtlpExporter({ ...settings, version: '1', log });
    const traces = meterTo(exporter);
    for (let batch = 0; batch < 600; batch += 1) {
      traces.batchEnded({
        ...{ batch: `b${batch}`, workflow: 'w', state: 'completed', documents: 1 },
        traceparent: undefined,
        durationMs: 1,
      });
    }
    await exporter.close();
    expect(collector.bodies).toHaveLength(2);
    expect(log.lines).toEqual(['traces:lost {"spans":512,"reason":"HTTP 503"}']);
  });

  it('go where the variables of OpenTelemetry say, or nowhere', () => {
    const problems: string[] = [];
    expect(readTracing({}, problems)).toBeUndefined();
    expect(
      readTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' }, problems),
    ).toBeUndefined();
    expect(readTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' }, problems)?.endpoint).toBe(
      'http://c:4318/v1/traces',
    );
    const exact = readTracing(
      {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c/x',
        OTEL_RESOURCE_ATTRIBUTES: 'host.name=a,service.name=night',
        TRACEPARENT: '00-a',
      },
      problems,
    );
    expect(exact).toMatchObject({ endpoint: 'https://c/x', serviceName: 'night', attributes: { 'host.name': 'a' } });
    expect(problems).toEqual([]);
    readTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' }, problems);
    expect(problems).toEqual([expect.stringContaining('must be an http:// or https:// URL')]);
  });

  it('name providers as the conventions do', () => {
    expect(providerName('api.groq.com', 'fast')).toBe('groq');
    expect(providerName('x.openai.azure.com', 'eu')).toBe('azure.ai.openai');
    expect(providerName('127.0.0.1', 'house')).toBe('house');
    expect(providerName('notx.ai', 'other')).toBe('other');
  });

  it('take a traceparent only as W3C writes it', () => {
    expect(parseTraceparent(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`)).toBeUndefined();
    expect(parseTraceparent('00-a')).toBeUndefined();
    const trace = traceOfBatch('b', 1);
    expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
    expect(traceOfBatch('b', 2)).not.toEqual(trace);
  });
});
