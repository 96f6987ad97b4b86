import { useState } from 'preact/hooks';
import { apiPath, get, messageOf, request, send, withQuery } from '../api.ts';
import { type Batch, hasEnded } from '../api-types.ts';
import { counted } from '../format.ts';
import { Act } from '../parts/act.tsx';
import { DownloadLink } from '../parts/download-link.tsx';
import { Problem, TableFrame } from '../parts/frame.tsx';

/** Answers to look at, as the API gives them. */
interface Rows {
  /** Empty: the task has none. */
  readonly labels: readonly string[];
  readonly rows: readonly {
    readonly id: string;
    readonly answer?: string;
    readonly confidence?: number;
    readonly text: string;
  }[];
}

interface Added {
  readonly added: number;
  readonly replaced: number;
}

const SAMPLE = '20';
const TEXT_SHOWN = 300;

/** Answers that a person looks at become the golden set of the workflow, which `nightmill eval` scores against. */
export function GoldenSet({ batch }: { readonly batch: Batch }) {
  const [found, setFound] = useState<Rows>();
  const [document, setDocument] = useState('');
  const [message, setMessage] = useState('');
  if (!hasEnded(batch)) return null;
  const path = apiPath('batches', batch.id, 'golden');
  const look = (query: Record<string, string>) => async () => setFound(await get<Rows>(withQuery(path, query)));
  const tell = ({ added, replaced }: Added) =>
    setMessage(`${counted(added, 'line')} added to the golden set, ${replaced} replaced.`);
  return (
    <section>
      <h2>Golden set</h2>
      <p class="quiet">
        Say which answers are right: they become the golden set of {batch.workflow}, which <code>nightmill eval</code>{' '}
        scores models with.
      </p>
      <p class="buttons">
        <Act label={`Look at ${SAMPLE} answers`} act={look({ sample: SAMPLE })} />
        <DownloadLink
          href={withQuery(path, { format: 'csv' })}
          name={`${batch.id}-golden.csv`}
          label="Answers as CSV"
        />
        <Upload path={path} tell={tell} />
        <DownloadLink
          href={withQuery(apiPath('workflows', batch.workflow, 'golden'), { format: 'jsonl' })}
          name={`${batch.workflow}-golden.jsonl`}
          label="The golden set"
        />
      </p>
      <p class="line">
        <label>
          One document{' '}
          <input
            value={document}
            placeholder="its id"
            onInput={({ currentTarget }) => setDocument(currentTarget.value)}
          />
        </label>
        {document !== '' && <Act label="Look at it" act={look({ document })} />}
      </p>
      <p role="status">{message}</p>
      {found !== undefined && <Answers found={found} path={path} tell={tell} />}
    </section>
  );
}

interface AnswersProps {
  readonly found: Rows;
  readonly path: string;
  readonly tell: (added: Added) => void;
}

function Answers({ found: { labels, rows }, path, tell }: AnswersProps) {
  return (
    <TableFrame label="answers to look at">
      <table>
        <thead>
          <tr>
            <th scope="col">Document</th>
            <th scope="col">Text</th>
            <th scope="col">Answer</th>
            <th scope="col">Right is</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, text, answer, confidence }) => (
            <tr key={id}>
              <th scope="row" class="breakable">
                {id}
              </th>
              <td class="breakable">{text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text}</td>
              <td class="breakable">
                {answer ?? <span class="quiet">none</span>}{' '}
                {confidence !== undefined && <span class="quiet">{confidence.toFixed(2)}</span>}
              </td>
              <td>
                <Choice id={id} labels={labels} hasAnswer={answer !== undefined} path={path} tell={tell} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

interface ChoiceProps extends Omit<AnswersProps, 'found'> {
  readonly id: string;
  readonly labels: readonly string[];
  readonly hasAnswer: boolean;
}

const ITS_ANSWER = '\0answer';

function Choice({ id, labels, hasAnswer, path, tell }: ChoiceProps) {
  const [state, setState] = useState<{ readonly saved?: boolean; readonly problem?: string }>({});
  const save = async (chosen: string) => {
    if (chosen === '') return;
    try {
      const wanted = chosen === ITS_ANSWER ? {} : { wanted: chosen };
      const added = await send<Added>('POST', path, { corrections: [{ id, ...wanted }] });
      setState({ saved: true });
      if (added !== undefined) tell(added);
    } catch (error) {
      setState({ problem: messageOf(error) });
    }
  };
  return (
    <>
      <select aria-label={`right answer for ${id}`} onChange={({ currentTarget }) => void save(currentTarget.value)}>
        <option value="">not looked at</option>
        {hasAnswer && <option value={ITS_ANSWER}>its answer</option>}
        {labels.map((label) => (
          <option key={label} value={label}>
            {label}
          </option>
        ))}
      </select>{' '}
      {state.saved === true && <span class="quiet">saved</span>}
      {state.problem !== undefined && <Problem>{state.problem}</Problem>}
    </>
  );
}

/** The table of answers, filled in. */
function Upload({ path, tell }: Omit<AnswersProps, 'found'>) {
  const [problem, setProblem] = useState<string>();
  const upload = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    setProblem(undefined);
    try {
      const response = await request(path, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: file });
      tell((await response.json()) as Added);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      // The same file, fixed, can be chosen again.
      input.value = '';
    }
  };
  return (
    <>
      <label>
        Corrected CSV{' '}
        <input type="file" accept=".csv,text/csv" onChange={({ currentTarget }) => void upload(currentTarget)} />
      </label>
      {problem !== undefined && <Problem>{problem}</Problem>}
    </>
  );
}
