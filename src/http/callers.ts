import Bottleneck from 'bottleneck';
import type { FastifyRequest } from 'fastify';
import { type Caller, RIGHTS, type Right, requireRight } from '../access/api-key.ts';
import type { App } from '../app.ts';
import { NightmillError } from '../errors.ts';
import { callerOf } from '../operations/api-keys.ts';

/** Requests per second of one key; a page that polls needs two or three. */
const REQUESTS_PER_SECOND = 200;
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before every route that is not public. */
    caller: Caller;
  }
}

/** Finds out who asks, once for every request. */
export class Callers {
  readonly #app: App;
  readonly #loopback: boolean;
  readonly #pace = new Bottleneck.Group({
    reservoir: REQUESTS_PER_SECOND,
    reservoirRefreshAmount: REQUESTS_PER_SECOND,
    reservoirRefreshInterval: 1_000,
    highWater: REQUESTS_PER_SECOND,
    strategy: Bottleneck.strategy.OVERFLOW,
  });

  /** @param loopback only this machine can reach the server, so that a request needs no key */
  constructor(app: App, loopback: boolean) {
    this.#app = app;
    this.#loopback = loopback;
  }

  /** @throws {NightmillError} `key_invalid` */
  async identify(request: FastifyRequest): Promise<Caller> {
    const secret = this.#keyOf(request);
    if (secret === undefined) return this.#withoutKey(request);
    const caller = await callerOf(this.#app, secret);
    await this.#paced(caller);
    return caller;
  }

  /** Whether a request that continues may continue. A Redis that does not answer is no reason to end it. */
  async isStillGood(request: FastifyRequest): Promise<boolean> {
    try {
      const secret = this.#keyOf(request);
      if (secret !== undefined) await callerOf(this.#app, secret);
      return true;
    } catch (error) {
      return !(error instanceof NightmillError && error.code === 'key_invalid');
    }
  }

  async close(): Promise<void> {
    for (const { key } of this.#pace.limiters()) await this.#pace.deleteKey(key);
  }

  /** Clients of OpenAI cannot send none: where none is needed, one that is not ours counts as none. */
  #keyOf(request: FastifyRequest): string | undefined {
    const secret = secretOf(request);
    return this.#loopback && secret?.startsWith('nm_') === false ? undefined : secret;
  }

  #withoutKey(request: FastifyRequest): Caller {
    if (!this.#loopback) {
      throw new NightmillError(
        'key_invalid',
        'This needs an API key: send Authorization: Bearer nm_… (nightmill key create makes one).',
      );
    }
    refuseForeignPages(request);
    return { name: 'this machine', rights: new Set(RIGHTS) };
  }

  async #paced({ name }: Caller): Promise<void> {
    try {
      await this.#pace.key(name).schedule(async () => {});
    } catch (error) {
      if (!(error instanceof Bottleneck.BottleneckError)) throw error;
      throw Object.assign(new Error(`More than ${REQUESTS_PER_SECOND} requests per second with the key ${name}.`), {
        statusCode: 429,
      });
    }
  }
}

/** `Authorization: Bearer`, or the header that Azure's clients send, or the one of Anthropic's. */
function secretOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const other = headers['api-key'] ?? headers['x-api-key'];
  const secret = bearer ?? (typeof other === 'string' && other !== '' ? other : undefined);
  if (secret === undefined && headers.authorization !== undefined) {
    throw new NightmillError('key_invalid', 'The header Authorization is not "Bearer nm_…".');
  }
  return secret;
}

/** A web page that the user happens to visit can send requests to this machine too; it must not drive the server. */
function refuseForeignPages({ headers }: FastifyRequest): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  const { origin } = headers;
  if (!LOOPBACK_NAMES.has(name) || (origin !== undefined && origin !== `http://${headers.host}`)) {
    throw new NightmillError(
      'key_invalid',
      'Without a key only this machine itself may ask: use http://127.0.0.1 or http://localhost, from a page of this server.',
    );
  }
}

/** For routes: whoever asks has this right. */
export function allow(right: Right) {
  return async (request: FastifyRequest): Promise<void> => {
    requireRight(request.caller, right);
  };
}

/** The app as this caller changes it, for the audit log. */
export function appFor(app: App, { caller }: FastifyRequest): App {
  return { ...app, actor: caller.name };
}
