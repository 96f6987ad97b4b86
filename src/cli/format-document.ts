import { formatUsd, usdToNano } from '../money/money.ts';
import type { ShownDocument } from '../operations/show-document.ts';

const TEXT_SHOWN = 2_000;

interface Row {
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly model?: string;
  readonly tier?: number;
  readonly calls?: number;
  readonly costUsd?: number;
  readonly durationMs?: number;
  readonly usage?: Readonly<Record<string, number>>;
  readonly warnings?: readonly unknown[];
  readonly route?: { readonly tier: number; readonly model: string; readonly why: string; readonly audited?: boolean };
  readonly attempts?: readonly {
    readonly tier: number;
    readonly model: string;
    readonly label?: string;
    readonly confidence?: number;
    readonly reason: string;
    readonly costUsd: number;
  }[];
}

/** One document for people: what became of it, what was tried, what it cost, and the text. */
export function documentText({ batch, id, slice, state, document, row }: ShownDocument): string {
  const { result, error, model, tier, calls, costUsd, durationMs, usage, warnings, attempts, route } = (row ??
    {}) as Row;
  const lines = [
    `${printable(id)}  ${state === 'open' ? 'has no answer yet' : state}  (${batch}, slice ${slice})`,
    ...(result === undefined ? [] : [`  answer     ${printable(JSON.stringify(result))}`]),
    ...(error === undefined ? [] : [`  error      ${error.code}: ${printable(error.message)}`]),
    ...(model === undefined ? [] : [`  by         ${model}, tier ${tier}, ${((durationMs ?? 0) / 1000).toFixed(1)} s`]),
    ...(route === undefined ? [] : [routeLine(route)]),
    ...(attempts ?? []).map(attemptLine),
    ...(warnings ?? []).map(
      (warning) => `  warning    ${printable(typeof warning === 'string' ? warning : JSON.stringify(warning))}`,
    ),
    ...(costUsd === undefined
      ? []
      : [
          `  cost       ${formatUsd(usdToNano(costUsd))} for ${calls} ${calls === 1 ? 'call' : 'calls'}: ${usageText(usage)}`,
        ]),
    ...(document?.metadata === undefined ? [] : [`  metadata   ${printable(JSON.stringify(document.metadata))}`]),
    ...(document?.warnings ?? []).map((warning) => `  reading    ${printable(warning)}`),
    ...(document === null
      ? []
      : [`  text       ${document.tokens.toLocaleString('en')} tokens`, '', shorten(printable(document.text))]),
  ];
  return `${lines.join('\n')}\n`;
}

function routeLine({ tier, model, why, audited }: NonNullable<Row['route']>): string {
  const sampled = audited === true ? '; asked from the first tier on as a sample' : '';
  return `  began      at ${model}, tier ${tier} (${printable(why)})${sampled}`;
}

function attemptLine({
  tier,
  model,
  label,
  confidence,
  reason,
  costUsd,
}: NonNullable<Row['attempts']>[number]): string {
  const said = label === undefined ? '' : ` said ${printable(label)}`;
  const sure = confidence === undefined ? '' : ` (${confidence})`;
  return `  asked      ${model}, tier ${tier}:${said}${sure} ${reason}, ${formatUsd(usdToNano(costUsd))}`;
}

function usageText(usage: Row['usage'] = {}): string {
  const { inputTokens = 0, cachedInputTokens = 0, outputTokens = 0 } = usage;
  return `${inputTokens.toLocaleString('en')} tokens in (${cachedInputTokens.toLocaleString('en')} cached), ${outputTokens.toLocaleString('en')} out`;
}

/** A document must not move the cursor of whoever looks at it. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '');
}

function shorten(text: string): string {
  return text.length <= TEXT_SHOWN
    ? text
    : `${text.slice(0, TEXT_SHOWN).toWellFormed()}… (${(text.length - TEXT_SHOWN).toLocaleString('en')} characters more; --json has all)`;
}
