import { randomBytes } from 'node:crypto';
import type { Config } from '../../../config/config.ts';
import { version } from '../../../config/version.ts';
import { type Meter, tellAll } from '../../measures/meter.ts';
import { TraceMeter } from '../../measures/trace-meter.ts';
import { providerName, TRACE_NAMES } from '../../measures/trace-names.ts';
import type { Log } from '../../runtime/log.ts';
import { systemClock } from '../system/system-clock.ts';

/** The same options with a meter that also makes traces, where the environment names a collector. */
export async function withTracing<T extends { readonly config: Config; readonly log: Log; readonly meter?: Meter }>(
  options: T,
  stack: AsyncDisposableStack,
): Promise<T> {
  const { config, log, meter } = options;
  const { tracing, proxy } = config;
  if (tracing === undefined) return options;
  // Its HTTP client is loaded only where there is a collector.
  const { OtlpExporter } = await import('./otlp-exporter.ts');
  const exporter = stack.adopt(new OtlpExporter({ ...tracing, version: version(), log, proxy }), (opened) =>
    opened.close(),
  );
  const traces = new TraceMeter({
    emit: (span) => exporter.send(span),
    now: () => systemClock.now(),
    newSpanId: () => randomBytes(8).toString('hex'),
    serverOf: serversOf(config),
  });
  return { ...options, meter: meter === undefined ? traces : tellAll([meter, traces]) };
}

function serversOf({ providers }: Config) {
  const servers = new Map(
    [...providers.values()].map(({ name, baseUrl }) => {
      const url = URL.parse(baseUrl);
      if (url === null) return [name, { [TRACE_NAMES.provider]: name }] as const;
      const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
      return [
        name,
        {
          [TRACE_NAMES.provider]: providerName(url.hostname, name),
          'server.address': url.hostname,
          'server.port': port,
        },
      ] as const;
    }),
  );
  return (provider: string) => servers.get(provider) ?? { [TRACE_NAMES.provider]: provider };
}
