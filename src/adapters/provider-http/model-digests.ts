import { isRecord } from '../../text/json-value.ts';
import { askServer } from './ask-server.ts';
import type { Connections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';

/** What Ollama gives every model as its fingerprint: it tells nothing but who answers. */
export function saysLittle(fingerprint: string | undefined): boolean {
  return fingerprint === 'fp_ollama';
}

/** A model can be pulled again at any time. */
const KNOWN_FOR_MS = 60_000;

/** The digests of the models that an Ollama server has, which it lists at `GET /api/tags`. */
export class ModelDigests {
  readonly #connections: Connections;
  readonly #endpoint: Endpoint;
  #asked: Promise<ReadonlyMap<string, string>> | undefined;
  #askedAt = 0;

  constructor(connections: Connections, endpoint: Endpoint) {
    this.#connections = connections;
    this.#endpoint = endpoint;
  }

  /** @returns `sha256:…`, or undefined where the server does not say */
  async of(modelId: string): Promise<string | undefined> {
    const now = performance.now();
    if (this.#asked === undefined || now - this.#askedAt > KNOWN_FOR_MS) {
      this.#askedAt = now;
      this.#asked = this.#ask();
    }
    const digests = await this.#asked;
    return digests.get(modelId) ?? digests.get(`${modelId}:latest`);
  }

  async #ask(): Promise<ReadonlyMap<string, string>> {
    try {
      return digestsOf(await askServer(this.#connections.dispatcher, this.#endpoint, '/api/tags'));
    } catch {
      // A reply that was paid for is not lost for this.
      return new Map();
    }
  }
}

function digestsOf(tags: unknown): ReadonlyMap<string, string> {
  const models: readonly unknown[] = isRecord(tags) && Array.isArray(tags.models) ? tags.models : [];
  return new Map(
    models.flatMap((model) =>
      isRecord(model) && typeof model.name === 'string' && typeof model.digest === 'string'
        ? [[model.name, `sha256:${model.digest.replace(/^sha256:/, '')}`] as const]
        : [],
    ),
  );
}
