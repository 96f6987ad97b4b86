/**
 * Like `Promise.all`, but a rejection waits until all have settled: calls in flight are paid for, so nobody may
 * continue as if they did not exist.
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const values: T[] = [];
  let failure: { readonly reason: unknown } | undefined;
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'fulfilled') values.push(result.value);
    else failure ??= { reason: result.reason };
  }
  if (failure !== undefined) throw failure.reason;
  return values;
}
