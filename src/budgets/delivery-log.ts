/** What became of one message to one webhook. */
export interface Delivery {
  /** Milliseconds since the epoch, when it was handed over. */
  readonly at: number;
  /** The same for every webhook that the message went to, and the `webhook-id` header. */
  readonly message: string;
  /** Its place in the config, e.g. `alerts.webhooks.0`; URLs are secrets. */
  readonly webhook: string;
  readonly kind: string;
  readonly event: string;
  /** The scope, batch, workflow, worker or key that it is about. */
  readonly subject: string;
  readonly outcome: 'delivered' | 'lost';
  readonly attempts: number;
  /** Why it was lost. */
  readonly reason?: string;
}

/** The latest deliveries of the cluster; bounded. */
export interface DeliveryLog {
  append(delivery: Delivery): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<readonly Delivery[]>;
}

/** A delivery as JSON gives it: `at` is an ISO time; `reason` is null where it was delivered. */
export type DeliveryJson = Omit<Delivery, 'at' | 'reason'> & { readonly at: string; readonly reason: string | null };

export function deliveryJson({ at, reason, ...delivery }: Delivery): DeliveryJson {
  return { at: new Date(at).toISOString(), ...delivery, reason: reason ?? null };
}
