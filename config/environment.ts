import type { TracingSettings } from '../src/runtime/tracing-settings.ts';

/** The few things that are read from the environment outside the configuration file. */
export function readEnvironment() {
  return {
    all: process.env,
    searchPath: process.env['PATH'],
    logLevel: process.env['NIGHTMILL_LOG'],
  } as const;
}

/**
 * Where traces go, as OpenTelemetry's variables say; undefined where none names a collector.
 *
 * @param problems gets what cannot be used
 */
export function readTracing(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): TracingSettings | undefined {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const [name, endpoint] = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
    ? (['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']] as const)
    : (['OTEL_EXPORTER_OTLP_ENDPOINT', base && `${base.replace(/\/+$/, '')}/v1/traces`] as const);
  if (!endpoint || env['OTEL_SDK_DISABLED'] === 'true') return undefined;
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    problems.push(
      `${name}: cannot use ${JSON.stringify(env[name])}: it must be an http:// or https:// URL of a collector`,
    );
  }
  const { 'service.name': named, ...attributes } = readPairs(env['OTEL_RESOURCE_ATTRIBUTES']);
  const traceparent = env['TRACEPARENT'];
  return {
    endpoint,
    headers: {
      ...readPairs(env['OTEL_EXPORTER_OTLP_HEADERS']),
      ...readPairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS']),
    },
    serviceName: env['OTEL_SERVICE_NAME'] || named || 'nightmill',
    attributes,
    ...(traceparent ? { traceparent } : {}),
  };
}

/** `name=value,name=value`, percent-encoded. */
function readPairs(text = ''): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a command of the config may see: where programs are and whose files are read, no key. */
export function commandEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(['PATH', 'HOME'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
