import { useState } from 'preact/hooks';
import { apiPath, request, send } from '../api.ts';
import { type Batch, type ErrorRow, hasEnded } from '../api-types.ts';
import { count, counted } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { Usd } from '../parts/values.tsx';
import { readLines } from '../read-lines.ts';
import { batchHref } from '../route.ts';
import { useLoad } from '../use-load.ts';

/** The page reads no more of errors.jsonl; the whole file is a download. */
const MAX_READ = 200;
/** Rows before somebody asks for more: hundreds that failed alike would put the end of the page out of reach. */
const SHOWN_AT_FIRST = 20;

/** Why documents failed, the reasons with their counts first, and a way to ask them again. */
export function FailedDocuments({ batch }: { readonly batch: Batch }) {
  const { documents, id } = batch;
  const unanswered = documents.failed + documents.skipped + documents.cancelled + documents.expired;
  const [loaded] = useLoad(`errors ${id} ${unanswered} ${batch.state}`, (signal) =>
    unanswered === 0 ? Promise.resolve([]) : readRows(id, !hasEnded(batch), signal),
  );
  if (unanswered === 0) return null;
  return (
    <section>
      <h2>Not answered ({count(unanswered)})</h2>
      <Whole loaded={loaded}>
        {(rows) => (
          <>
            {rows.length < unanswered && (
              <p class="quiet">
                Reasons of the first {counted(rows.length, 'document')}; the download has{' '}
                {hasEnded(batch) ? 'all' : 'those so far'}.
              </p>
            )}
            <Reasons batch={batch} rows={rows} unanswered={unanswered} />
            <Rows rows={rows} />
          </>
        )}
      </Whole>
    </section>
  );
}

async function readRows(id: string, partial: boolean, signal: AbortSignal): Promise<readonly ErrorRow[]> {
  const response = await request(`${apiPath('batches', id, 'errors')}${partial ? '?partial=true' : ''}`, { signal });
  const rows: ErrorRow[] = [];
  if (response.body === null) return rows;
  for await (const line of readLines(response.body)) {
    if (line !== '') rows.push(JSON.parse(line) as ErrorRow);
    if (rows.length === MAX_READ) break;
  }
  return rows;
}

interface ReasonsProps {
  readonly batch: Batch;
  readonly rows: readonly ErrorRow[];
  /** Documents without an answer; more than `rows` where not all of them were read. */
  readonly unanswered: number;
}

function Reasons({ batch, rows, unanswered }: ReasonsProps) {
  const { failed, cancelled, expired } = batch.documents;
  const whole = rows.length >= unanswered;
  const byCode = Map.groupBy(rows, ({ error }) => error.code);
  const retry = (body: object) => async () => {
    const answer = await send<{ retry: string }>('POST', apiPath('batches', batch.id, 'retry'), body);
    if (answer !== undefined) location.hash = batchHref(answer.retry);
  };
  return (
    <ul class="reasons">
      {[...byCode].map(([code, { length }]) => (
        <li key={code}>
          <code>{code}</code> {whole ? count(length) : `${count(length)} or more`}{' '}
          {hasEnded(batch) && <Act label={`Retry ${code}`} act={retry({ codes: [code] })} />}
        </li>
      ))}
      {hasEnded(batch) && (byCode.size > 1 || !whole) && (
        <li>
          <Act label={`Retry all ${count(failed + cancelled + expired)}`} act={retry({})} />
        </li>
      )}
    </ul>
  );
}

function Rows({ rows }: { readonly rows: readonly ErrorRow[] }) {
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  return (
    <>
      <TableFrame label="documents that were not answered">
        <table>
          <thead>
            <tr>
              <th scope="col">Document</th>
              <th scope="col">Reason</th>
              <th scope="col" class="number wide">
                Calls
              </th>
              <th scope="col" class="number wide">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map(({ id, status, error, calls, costUsd }) => (
              <tr key={id}>
                <th scope="row" class="breakable">
                  {id}
                </th>
                <td>
                  <code>{error.code}</code> {status !== 'failed' && <span class="quiet">({status})</span>}{' '}
                  {error.message}
                </td>
                <td class="number wide">{count(calls)}</td>
                <td class="number wide">
                  <Usd amount={costUsd} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {rows.length > shown && (
        <button type="button" onClick={() => setShown(rows.length)}>
          Show {count(rows.length - shown)} more
        </button>
      )}
    </>
  );
}
