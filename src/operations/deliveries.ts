import type { Delivery } from '../budgets/delivery-log.ts';

/** A delivery as JSON gives it. */
export function deliveryJson({ at, reason, ...delivery }: Delivery): object {
  return { at: new Date(at).toISOString(), ...delivery, reason: reason ?? null };
}
