import type { Usage } from '../../money/usage.ts';
import type { ModelReply, ModelRequest } from '../../providers/model-client.ts';

/** What one API looks like on the wire; everything else is the same for all of them. */
export interface WireFormat {
  /** What a success body holds, for messages: "holds no …". */
  readonly replyName: string;
  /** The key and the API's version, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** What follows the base URL, from its slash. */
  path(modelId: string): string;
  /** The request's JSON. The order of keys is fixed, so the same request gives the same bytes. */
  body(request: ModelRequest): string;
  /**
   * Told of each refusal with 400 or 422, which costs nothing. True: it has taught how this model wants to be asked, so that the same
   * request can be sent once more in another form.
   */
  learn?(request: ModelRequest, body: string): Promise<boolean>;
  /** Done before each call: what the cluster has learnt of this provider is known then. */
  ready?(): Promise<void>;
  /** Reads a parsed success body of any shape; never throws. */
  parse(body: unknown): ParsedReply;
}

/** What a success body holds. `answer` is absent where it is no reply of this API; its usage may still be readable. */
export interface ParsedReply {
  readonly answer?: Pick<ModelReply, 'text' | 'finish' | 'logprobs'>;
  readonly usage?: Usage;
  readonly rawUsage?: unknown;
  /** What the call has cost in dollars, in the provider's words. */
  readonly statedUsd?: unknown;
  readonly id?: string;
  /** An error in a success: what comes beside it is no answer. */
  readonly error?: unknown;
  /** The model that answered, in the provider's words. */
  readonly model?: string;
  readonly fingerprint?: string;
}
