/** What may be removed by its age, in the order of the documentation. */
export const RETAINED = ['results', 'inputs', 'cache', 'uploads', 'audit', 'batches', 'evaluations', 'books'] as const;

/** How long each is kept, milliseconds; absent: for good. */
export type Retention = Readonly<Partial<Record<(typeof RETAINED)[number], number>>>;

const UNIT_MS = { h: 3_600_000, d: 86_400_000 } as const;

/** `12h` or `30d` in milliseconds; undefined: neither. */
export function readRetentionTime(text: string): number | undefined {
  const [, amount, unit] = /^([1-9]\d{0,4})([hd])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** @param written the section of the config, checked */
export function resolveRetention(written: Readonly<Partial<Record<keyof Retention, string | undefined>>>): Retention {
  const times = Object.entries(written).flatMap(([what, text]) => {
    const time = text === undefined ? undefined : readRetentionTime(text);
    return time === undefined ? [] : [[what, time] as const];
  });
  return Object.fromEntries(times);
}
