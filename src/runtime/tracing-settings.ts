/** Where traces go, from the environment as OpenTelemetry names it. */
export interface TracingSettings {
  /** The collector's URL for traces. */
  readonly endpoint: string;
  /** Sent with every request; secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Of the process, such as its host. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The span that this process runs in. */
  readonly traceparent?: string;
}
