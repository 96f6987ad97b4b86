import { writeFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { type Outcome, playScene } from '../../adapters/redis/paced-cluster.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';
import { printTable } from './table.ts';

/** Calls per minute that the provider allows, each for so long: half of what it was, then the double, then what it was. */
const STEPS = [
  { perMinute: 1_500, seconds: 300 },
  { perMinute: 750, seconds: 300 },
  { perMinute: 1_500, seconds: 300 },
] as const;
const SECONDS = STEPS.reduce((sum, { seconds }) => sum + seconds, 0);
/** From then on, after the start and after each change, at least 95 % should be used. */
const SETTLE_SECONDS = 180;
/** What one point of the curve covers. */
const POINT_SECONDS = 10;

interface Curve {
  readonly workers: number;
  readonly seconds: Outcome['seconds'];
}

/**
 * How workers that nobody has told a limit find it and follow its changes, by what the provider lets in each second: the real
 * scripts in virtual time. The provider tells nothing but its 429.
 *
 * @param svg where the picture goes; absent: only the table
 */
export async function printQuotaCurve(workers: readonly number[], svg: string | undefined): Promise<void> {
  const curves: Curve[] = [];
  await using server = await startRedisServer();
  for (const count of workers) curves.push({ workers: count, seconds: await play(await server.connect(), count) });
  const rows: string[][] = [
    ['limit a minute', ...workers.flatMap((count) => [`${count} used %`, `${count} refused %`])],
  ];
  for (const { perMinute, from, to } of stepsWithTimes()) {
    const cells = curves.flatMap(({ seconds }) => {
      const counted = seconds.slice(from + SETTLE_SECONDS, to);
      const [admitted, refused] = (['admitted', 'refused'] as const).map((what) =>
        counted.reduce((sum, second) => sum + second[what], 0),
      ) as [number, number];
      const allowed = (perMinute * counted.length) / 60;
      return [((100 * admitted) / allowed).toFixed(1), ((100 * refused) / (admitted + refused)).toFixed(2)];
    });
    rows.push([perMinute.toLocaleString('en'), ...cells]);
  }
  printTable({
    caption: `A limit that nobody has stated and that changes, ${SETTLE_SECONDS} s after the start and after each change on, with ${workers.join(', ')} workers`,
    rows,
  });
  if (svg !== undefined) await writeFile(svg, drawing(curves));
}

function stepsWithTimes(): readonly { readonly perMinute: number; readonly from: number; readonly to: number }[] {
  let to = 0;
  return STEPS.map(({ perMinute, seconds }) => {
    const from = to;
    to += seconds;
    return { perMinute, from, to };
  });
}

async function play(redis: Redis, workers: number): Promise<Outcome['seconds']> {
  const [first, ...later] = stepsWithTimes().map(({ perMinute, from }) => ({
    afterSeconds: from,
    limits: { requestsPerMinute: perMinute },
  }));
  const { seconds } = await playScene(redis, {
    manners: { headers: 'none', waits: 'none' },
    limits: first?.limits ?? {},
    changes: later,
    workers,
    seconds: SECONDS,
    countFrom: 0,
  });
  return seconds;
}

const WIDTH = 860;
const HEIGHT = 360;
const LEFT = 60;
const TOP = 30;
const PLOT = { width: WIDTH - LEFT - 20, height: HEIGHT - TOP - 70 };
const MOST_PER_MINUTE = 2_000;
const COLOURS = ['#0072b2', '#d55e00', '#009e73'];

/** Readable on a light and on a dark page, since it has a ground of its own. */
function drawing(curves: readonly Curve[]): string {
  const x = (second: number) => (LEFT + (PLOT.width * second) / SECONDS).toFixed(1);
  const y = (perMinute: number) =>
    (TOP + PLOT.height * (1 - Math.min(perMinute, MOST_PER_MINUTE) / MOST_PER_MINUTE)).toFixed(1);
  const limit = stepsWithTimes().flatMap(({ perMinute, from, to }) => [
    `${x(from)},${y(perMinute)}`,
    `${x(to)},${y(perMinute)}`,
  ]);
  const lines = curves.map(({ workers, seconds }, index) => {
    const points = Array.from({ length: Math.floor(SECONDS / POINT_SECONDS) }, (_, point) => {
      const part = seconds.slice(point * POINT_SECONDS, (point + 1) * POINT_SECONDS);
      const admitted = part.reduce((sum, second) => sum + second.admitted, 0);
      return `${x((point + 0.5) * POINT_SECONDS)},${y((admitted * 60) / POINT_SECONDS)}`;
    });
    const colour = COLOURS[index % COLOURS.length];
    const key = LEFT + 190 + index * 120;
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.6"/>
<line x1="${key}" y1="${HEIGHT - 14}" x2="${key + 22}" y2="${HEIGHT - 14}" stroke="${colour}" stroke-width="3"/>
<text x="${key + 28}" y="${HEIGHT - 10}">${workers} ${workers === 1 ? 'worker' : 'workers'}</text>`;
  });
  const rules = [0, 500, 1_000, 1_500, 2_000].map(
    (value) => `<line x1="${LEFT}" y1="${y(value)}" x2="${LEFT + PLOT.width}" y2="${y(value)}" stroke="#ddd"/>
<text x="${LEFT - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value.toLocaleString('en')}</text>`,
  );
  const minutes = Array.from(
    { length: SECONDS / 60 + 1 },
    (_, minute) => `<text x="${x(minute * 60)}" y="${TOP + PLOT.height + 18}" text-anchor="middle">${minute}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222" role="img" aria-label="Calls per minute that a provider lets in, beside its limit, over ${SECONDS / 60} minutes">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="18">calls a minute that the provider lets in (means of ${POINT_SECONDS} s)</text>
${rules.join('\n')}
${minutes.join('\n')}
<text x="${LEFT + PLOT.width}" y="${TOP + PLOT.height + 36}" text-anchor="end">minutes from the start</text>
<polyline points="${limit.join(' ')}" fill="none" stroke="#222" stroke-width="1.2" stroke-dasharray="5 4"/>
${lines.join('\n')}
<line x1="${LEFT}" y1="${HEIGHT - 14}" x2="${LEFT + 22}" y2="${HEIGHT - 14}" stroke="#222" stroke-dasharray="5 4"/>
<text x="${LEFT + 28}" y="${HEIGHT - 10}">the provider's limit</text>
</svg>
`;
}
