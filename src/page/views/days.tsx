import { useState } from 'preact/hooks';
import { get, withQuery } from '../api.ts';
import { counted, usd } from '../format.ts';
import { DayPlot } from '../parts/day-plot.tsx';
import { Whole } from '../parts/frame.tsx';
import { largest } from '../parts/series.ts';
import { useLoad } from '../use-load.ts';

interface ReportJson {
  readonly lines: readonly { readonly name: string | null; readonly costUsdByDay: readonly number[] }[];
  readonly days: readonly { readonly day: string; readonly costUsd: number; readonly documents: number }[];
}

const PERIODS = ['7', '30', '90'] as const;
const GROUPS = ['workflow', 'model', 'tenant'] as const;

/** What batches that ended have cost, by day, from their manifests. */
export function Days() {
  const [period, setPeriod] = useState<string>('30');
  const [by, setBy] = useState<string>('workflow');
  const [loaded] = useLoad(`report ${period} ${by}`, (signal) =>
    get<ReportJson>(withQuery('/api/v1/report', { days: period, by }), signal),
  );
  return (
    <section>
      <h2>Dollars a day</h2>
      <p class="buttons">
        <Choice label="Days" values={PERIODS} value={period} choose={setPeriod} />
        <Choice label="By" values={GROUPS} value={by} choose={setBy} />
      </p>
      <Whole loaded={loaded}>
        {({ lines, days }) =>
          lines.length === 0 ? (
            <p class="quiet">No batch has ended in these days.</p>
          ) : (
            <DayPlot
              label={`dollars a day by ${by}`}
              days={days.map(({ day }) => day)}
              series={largest(
                lines.map(({ name, costUsdByDay }) => ({ name: name ?? `(no ${by})`, values: costUsdByDay })),
              )}
              format={usd}
              note={(at) => `, ${counted(days[at]?.documents ?? 0, 'document')}`}
            />
          )
        }
      </Whole>
    </section>
  );
}

function Choice({
  label,
  values,
  value,
  choose,
}: {
  readonly label: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly choose: (value: string) => void;
}) {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {values.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
