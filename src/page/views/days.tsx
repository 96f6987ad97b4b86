import { useState } from 'preact/hooks';
import { get, withQuery } from '../api.ts';
import { counted, minutes, usd } from '../format.ts';
import { DayPlot } from '../parts/day-plot.tsx';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { largest } from '../parts/series.ts';
import { PowerTime, Usd } from '../parts/values.tsx';
import { useLoad } from '../use-load.ts';

interface ReportJson {
  readonly lines: readonly { readonly name: string | null; readonly costUsdByDay: readonly number[] }[];
  readonly days: readonly { readonly day: string; readonly costUsd: number; readonly documents: number }[];
  readonly servers: readonly ServerTime[];
}

interface ServerTime {
  readonly provider: string;
  readonly seconds: number;
  readonly costUsd: number | null;
  /** Of it, while no open batch needed it. */
  readonly idle: { readonly seconds: number; readonly costUsd: number | null };
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
        {({ lines, days, servers }) => (
          <>
            {lines.length === 0 ? (
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
            )}
            <Servers servers={servers} />
          </>
        )}
      </Whole>
    </section>
  );
}

/** Time of servers of one's own: none of it is in the dollars of batches. */
function Servers({ servers }: { readonly servers: readonly ServerTime[] }) {
  if (servers.length === 0) return null;
  return (
    <>
      <h3>Servers of your own</h3>
      <p class="quiet">Their time is booked beside the dollars of batches, in whole days (UTC).</p>
      <TableFrame label="servers">
        <table>
          <thead>
            <tr>
              <th scope="col">Server</th>
              <th scope="col" class="number">
                On
              </th>
              <th scope="col" class="number">
                Cost
              </th>
              <th scope="col">No open batch needed it</th>
            </tr>
          </thead>
          <tbody>
            {servers.map(({ provider, seconds, costUsd, idle }) => (
              <tr key={provider}>
                <th scope="row">{provider}</th>
                <td class="number nowrap" data-label="on">
                  {minutes(seconds)}
                </td>
                <td class="number" data-label="cost">
                  <Usd amount={costUsd} none="not known: set price.perHour" />
                </td>
                <td data-label="no open batch needed it">
                  {idle.seconds === 0 ? <span class="quiet">never</span> : <PowerTime {...idle} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </>
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
