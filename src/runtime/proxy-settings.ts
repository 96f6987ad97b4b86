/**
 * The proxies on the way out, for calls, doctor, webhooks and the S3 store alike. URLs may hold a password, so no message
 * shows them whole.
 */
export interface ProxySettings {
  /** For `http://` targets; empty: none. */
  readonly http: string;
  /** For `https://` targets; empty: none. */
  readonly https: string;
  /** Hosts that are reached directly, as in `NO_PROXY`. */
  readonly noProxy: string;
}

/** What must not be shown of the proxies: their passwords, also in the form in which they are sent. */
export function proxySecrets(proxy: ProxySettings | undefined): readonly string[] {
  return [proxy?.http ?? '', proxy?.https ?? ''].flatMap((text) => {
    const url = URL.parse(text);
    if (url === null || url.password === '') return [];
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    return [url.password, password, Buffer.from(`${user}:${password}`).toString('base64')];
  });
}
