import { signal } from '@preact/signals';
import { ApiError, request } from './api.ts';
import type { Batch, Budget } from './api-types.ts';
import { readEvents, readLines } from './read-lines.ts';
import { hearBatch, keepBudget } from './store.ts';

/** Whether what is shown is what is: `lost` means that it may be old. */
export const connection = signal<'connecting' | 'live' | 'lost'>('connecting');

const AGAIN_MS = 2_000;

/**
 * Follows the server's events forever. By fetch(), because an EventSource can send no key; one way for both cases
 * also means that a refusal can be told from a network that is gone.
 */
export async function followEvents(): Promise<never> {
  let lastId = '';
  for (;;) {
    try {
      const response = await request('/api/v1/events', lastId === '' ? {} : { headers: { 'last-event-id': lastId } });
      if (response.body === null) throw new ApiError(0, 'unreachable', 'The event stream has no body.');
      connection.value = 'live';
      for await (const { event, data, id } of readEvents(readLines(response.body))) {
        lastId = id;
        take(event, data);
      }
    } catch {
      // Whatever it was, the next try says whether it is over; meanwhile the page says that it is not live.
    }
    connection.value = 'lost';
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function take(event: string, data: string): void {
  if (event === 'batch') hearBatch(JSON.parse(data) as Batch);
  if (event === 'budget') keepBudget(JSON.parse(data) as Budget);
}
