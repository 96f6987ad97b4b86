/** A page of a list as OpenAI's clients page it: the next one is asked for with `after` and the last id. */
export interface ListPage {
  readonly object: 'list';
  readonly data: readonly object[];
  /** Null: the page is empty. */
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** @param found what comes behind the cursor, in order; read no further than one item behind the page */
export async function listPage<T extends { readonly id: string }>(
  found: AsyncIterable<T>,
  options: {
    readonly limit: number;
    readonly isShown: (item: T) => boolean;
    readonly show: (item: T) => object | Promise<object>;
  },
): Promise<ListPage> {
  const items: T[] = [];
  let hasMore = false;
  for await (const item of found) {
    if (!options.isShown(item)) continue;
    hasMore = items.length === options.limit;
    if (hasMore) break;
    items.push(item);
  }
  return {
    object: 'list',
    data: await Promise.all(items.map((item) => options.show(item))),
    first_id: items[0]?.id ?? null,
    last_id: items.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
