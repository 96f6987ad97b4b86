type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** A copy without the keys whose value is undefined: an optional setting is then absent, as the types say. */
export function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
