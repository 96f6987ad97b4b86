import { isRecord } from '../../text/json-value.ts';
import { askServer } from './ask-server.ts';
import type { Connections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';

/** How many calls a llama.cpp server works on at once, which it says at `GET /props`. Asked once, beside the calls. */
export class SlotCount {
  readonly #connections: Connections;
  readonly #endpoint: Endpoint;
  readonly #isLlamaCpp: boolean;
  #asked = false;
  #slots: number | undefined;

  constructor(connections: Connections, endpoint: Endpoint, isLlamaCpp: boolean) {
    this.#connections = connections;
    this.#endpoint = endpoint;
    this.#isLlamaCpp = isLlamaCpp;
  }

  /**
   * Looks at a reply's headers, and asks where they are those of llama.cpp.
   *
   * @returns what the server has said so far
   */
  after(headers: Readonly<Record<string, string>>): number | undefined {
    if (!this.#asked && (this.#isLlamaCpp || headers['server'] === 'llama.cpp')) {
      this.#asked = true;
      void this.#ask();
    }
    return this.#slots;
  }

  /** A server that does not answer this is asked as any other. */
  async #ask(): Promise<void> {
    try {
      const props = await askServer(this.#connections.dispatcher, this.#endpoint, '/props');
      const slots = isRecord(props) ? props.total_slots : undefined;
      if (typeof slots === 'number' && Number.isInteger(slots) && slots > 0) this.#slots = slots;
    } catch {
      // Its calls say more than this could.
    }
  }
}
