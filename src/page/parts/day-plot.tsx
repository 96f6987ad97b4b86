import { useState } from 'preact/hooks';
import type { Series } from './series.ts';

export interface DayPlotProps {
  readonly label: string;
  readonly days: readonly string[];
  /** The first stands at the bottom. At most `COLOURS`. */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** What else is said of a day. */
  readonly note: (day: number) => string;
}

const WIDTH = 720;
const HEIGHT = 160;

/**
 * Upright bars, one a day, with a part for each series. The legend has the values of one day: that under the pointer, or the one
 * that the slider stands at, which keys, fingers and screen readers can move.
 */
export function DayPlot({ label, days, series, format, note }: DayPlotProps) {
  const last = days.length - 1;
  const [chosen, setChosen] = useState(last);
  const day = Math.min(chosen, last);
  const total = (at: number) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0);
  const most = Math.max(...days.map((_, at) => total(at)));
  const step = WIDTH / days.length;
  const said = `${days[day]}: ${format(total(day))}${note(day)}`;
  return (
    <figure class="plot">
      <figcaption>
        {label}, at most {format(most)}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onPointerMove={({ currentTarget, clientX }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          setChosen(Math.max(0, Math.min(last, Math.floor(((clientX - left) / width) * days.length))));
        }}
      >
        <rect class="chosen" x={day * step} width={step} height={HEIGHT} />
        {days.map((name, at) => (
          <Bar key={name} parts={series.map(({ values }) => values[at] ?? 0)} most={most} x={at * step} step={step} />
        ))}
      </svg>
      <div class="days">
        <span>{days[0]}</span>
        <span>{days[last]}</span>
      </div>
      <input
        type="range"
        min={0}
        max={last}
        value={day}
        aria-label={`day of ${label}`}
        aria-valuetext={said}
        onInput={({ currentTarget }) => setChosen(Number(currentTarget.value))}
      />
      <p class="said">{said}</p>
      <ul class="legend">
        {series.map(({ name, values }, at) => (
          <li key={name}>
            <svg class="key" viewBox="0 0 12 12" aria-hidden="true">
              <rect class={`colour-${at}`} width="12" height="12" />
            </svg>
            {name} <span class="number">{format(values[day] ?? 0)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Bar({
  parts,
  most,
  x,
  step,
}: {
  readonly parts: readonly number[];
  readonly most: number;
  readonly x: number;
  readonly step: number;
}) {
  let top = HEIGHT;
  return (
    <>
      {parts.map((value, at) => {
        const height = most === 0 ? 0 : (value / most) * HEIGHT;
        top -= height;
        return <rect key={at} class={`colour-${at}`} x={x + step * 0.1} y={top} width={step * 0.8} height={height} />;
      })}
    </>
  );
}
