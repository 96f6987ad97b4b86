/** A page that needs nothing from elsewhere and can be sent as a mail: no script, no outside file. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d5dae1;--fill:#2f6f9f;--other:#c9d6e2;--bad:#a3341f;--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#a3adba;--line:#3a4350;--fill:#6aaede;--other:#33475a;--bad:#f0907a;--paper:#141a21}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}.soft{color:var(--soft)}.bad{color:var(--bad)}
.figures{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin:1.2rem 0}.figures b{display:block;font-size:1.4rem;font-weight:600}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}th{font-weight:600;color:var(--soft)}
svg{display:block;max-width:100%}svg text{fill:var(--soft);font:11px system-ui,sans-serif}td svg{display:inline-block;margin-right:.5rem;vertical-align:middle}
th.n{white-space:normal}.wide+p{margin-top:1rem}
@media (max-width:40rem){svg text{font-size:20px}}
</style>
<body>
${body}
</body></html>
`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export interface Column {
  readonly title: string;
  /** A number: right-aligned. */
  readonly isNumber?: boolean;
}

/** @param rows cells that are HTML already */
export function htmlTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const kind = (at: number) => (columns[at]?.isNumber === true ? ' class="n"' : '');
  const head = columns.map(({ title }, at) => `<th${kind(at)}>${escapeHtml(title)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell, at) => `<td${kind(at)}>${cell}</td>`).join('')}</tr>`);
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What the value is, in words. */
  readonly text: string;
}

const WIDTH = 720;
const HEIGHT = 150;
/** Room for the words above and below, which are larger on a phone. */
const ABOVE = 26;
const BELOW = 30;

/** Upright bars, the first at the left; every bar says its value when pointed at, and the highest one says it always. */
export function barPlot(name: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value), 0);
  const step = WIDTH / Math.max(1, bars.length);
  const labelEvery = Math.max(1, Math.ceil(bars.length / 10));
  const shapes = bars.map(({ label, value, text }, at) => {
    const height = most === 0 ? 0 : (value / most) * HEIGHT;
    const x = at * step;
    const middle = (x + step / 2).toFixed(1);
    const top = (ABOVE + HEIGHT - height).toFixed(1);
    const shown =
      value === most && most > 0
        ? `<text x="${middle}" y="${Number(top) - 5}" text-anchor="middle">${escapeHtml(text)}</text>`
        : '';
    const under =
      at % labelEvery === 0
        ? `<text x="${middle}" y="${ABOVE + HEIGHT + 22}" text-anchor="middle">${escapeHtml(label)}</text>`
        : '';
    return (
      `<rect x="${(x + step * 0.15).toFixed(1)}" y="${top}" width="${(step * 0.7).toFixed(1)}" height="${height.toFixed(1)}" fill="var(--fill)">` +
      `<title>${escapeHtml(`${label}: ${text}`)}</title></rect>${shown}${under}`
    );
  });
  return (
    `<svg role="img" aria-label="${escapeHtml(name)}" viewBox="0 0 ${WIDTH} ${ABOVE + HEIGHT + BELOW}" width="${WIDTH}">` +
    `<line x1="0" x2="${WIDTH}" y1="${ABOVE + HEIGHT}" y2="${ABOVE + HEIGHT}" stroke="var(--line)"/>${shapes.join('')}</svg>`
  );
}

/** One lying bar whose filled part is a share. */
export function shareBar(name: string, share: number): string {
  const filled = (Math.min(1, Math.max(0, share)) * 160).toFixed(1);
  return (
    `<svg role="img" aria-label="${escapeHtml(name)}" viewBox="0 0 160 12" width="160" height="12"><rect width="160" height="12" fill="var(--other)"/>` +
    `<rect width="${filled}" height="12" fill="var(--fill)"/></svg>`
  );
}
