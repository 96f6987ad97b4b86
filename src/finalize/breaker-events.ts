import type { BreakerEvent } from '../ledger/breaker-event.ts';

/**
 * The breaker's history of one batch from that of its workflow and its own: in the order of time, and one `opened` for
 * each breach. Slices that stop together each open it, for the workflow and for their batch.
 *
 * @param since ISO time; what was before is not the batch's
 */
export function breakerEvents(events: readonly BreakerEvent[], since: string): readonly BreakerEvent[] {
  const ordered = events.filter(({ at }) => at >= since).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const open = new Set<string>();
  return ordered.filter(({ event, scope, reason }) => {
    if (event === 'closed' || event === 'resumed') {
      open.clear();
      return true;
    }
    // Two causes of one scope are one breach; where there is none, the words tell them apart.
    const breach = `${event} ${scope ?? reason}`;
    if (open.has(breach)) return false;
    open.add(breach);
    return true;
  });
}
