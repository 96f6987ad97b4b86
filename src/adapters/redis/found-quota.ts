import type { FoundQuota } from '../../ledger/ledger.ts';

const NAMES = ['requestsPerMinute', 'tokensPerMinute', 'inputTokensPerMinute', 'outputTokensPerMinute'] as const;
const RAMP = 1;

/** @param pool the pool's HASH, as `scripts/quota.ts` and `scripts/found-limit.ts` keep it */
export function readFoundQuota(pool: Readonly<Record<string, string>>): FoundQuota | undefined {
  const four = (fields: readonly string[], scale: number) =>
    Object.fromEntries(
      fields.flatMap((field, index) => {
        const value = Number(pool[field] ?? 0);
        return value > 0 ? [[NAMES[index], Math.round(value * scale)]] : [];
      }),
    );
  const isStarting = Number(pool.fm ?? 0) === RAMP;
  const told = four(['sr', 'st', 'si', 'so'], 1);
  const found = isStarting ? {} : four(['fr', 'ft', 'fi', 'fo'], Number(pool.fk ?? 0));
  const silentUntil = Number(pool.after ?? 0);
  const isSilent = Number(pool.sil ?? 0) > 0 || silentUntil > Number(pool.at ?? 0);
  const overruns = Object.fromEntries(
    Object.entries(pool).flatMap(([field, value]) =>
      field.startsWith('over:') ? [[field.slice('over:'.length), Number(value)]] : [],
    ),
  );
  const blipShare = Number(pool.fb ?? 0);
  const isKnown = Object.keys({ ...told, ...found, ...overruns }).length > 0 || blipShare > 0;
  if (!isKnown && !isSilent && !isStarting) return undefined;
  return {
    told,
    found,
    isStarting,
    overruns,
    ...(blipShare > 0 ? { blipShare } : {}),
    ...(pool.fs === undefined || isStarting ? {} : { foundAt: Math.round(Number(pool.fs)) }),
    ...(isSilent ? { silentUntil } : {}),
  };
}
